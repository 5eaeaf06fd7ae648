//! Money and tokens as people read them.

use super::{
    json_line, one_line,
    table::{self, short, utc},
};
use crate::{cli::Format, error::CliError};
use comfy_table::CellAlignment;
use oz_core::api::{Budget, UsageGroup, UsageReport, UsageRow};

const WIDTH: u8 = 30;

/// Prints what runs used as JSON; with `ndjson` a row a line.
pub(crate) fn json(report: &UsageReport, format: Format) -> Result<(), CliError> {
    match format {
        Format::Ndjson => report.rows.iter().try_for_each(json_line),
        _ => super::json(format, report),
    }
}

/// What runs used: a table with a line for all together.
pub(crate) fn usage(report: &UsageReport, format: Format) -> String {
    let named = report.rows.iter().any(|row| row.name.is_some());
    let of_text: &[&str] = if named { &["NAME"] } else { &[] };
    let numbers = ["RUNS", "CALLS", "INPUT", "CACHED", "OUTPUT", "COST (USD)"];
    let header = [&[head(&report.group_by)], of_text, &numbers].concat();
    let mut rows: Vec<Vec<String>> = report.rows.iter().map(|row| cells(row, named, format)).collect();
    rows.push(cells(
        &UsageRow { key: "TOTAL".to_owned(), name: None, ..report.total.clone() },
        named,
        format,
    ));
    if format == Format::Text {
        let lines = rows.iter().map(|row| row.join("\t"));
        return std::iter::once(header.join("\t")).chain(lines).collect::<Vec<_>>().join("\n");
    }
    let mut table = table::frame(header, rows, 1);
    for column in table.column_iter_mut().skip(1 + of_text.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!("From {} until {}\n{table}", utc(report.since), utc(report.until));
    if report.rows.iter().any(|row| row.usage.cost_usd.is_none() && row.usage.total_tokens() > 0) {
        text.push_str("\nThe cost of models whose price is not known is not in these figures.");
    }
    text
}

fn head(by: &UsageGroup) -> &'static str {
    match by {
        UsageGroup::Run => "RUN ID",
        UsageGroup::Model => "MODEL",
        UsageGroup::Schedule => "SCHEDULE",
        UsageGroup::Environment => "ENVIRONMENT",
        UsageGroup::Creator => "CREATOR",
        UsageGroup::Day => "DAY",
        UsageGroup::Unknown(_) => "KEY",
    }
}

fn cells(row: &UsageRow, named: bool, format: Format) -> Vec<String> {
    let flat = |text: &str| one_line(text, usize::MAX).replace('\t', " ");
    let number = |n: u64| if format == Format::Text { n.to_string() } else { grouped(n) };
    let count = |n: i64| number(u64::try_from(n).unwrap_or(0));
    let usage = &row.usage;
    let mut cells = vec![flat(&short(Some(&row.key)))];
    if named {
        cells.push(flat(&short(row.name.as_deref())));
    }
    cells.extend([
        count(row.runs),
        count(row.calls),
        number(usage.input_tokens),
        number(usage.cache_read_tokens + usage.cache_write_tokens),
        number(usage.output_tokens),
        usage.cost_usd.map_or_else(|| "-".to_owned(), |usd| format!("{usd:.4}")),
    ]);
    cells
}

/// A number with a comma between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A budget as a card, for people with a bar that shows how much of the month's is gone.
pub(crate) fn budget(budget: &Budget, format: Format) -> String {
    let limit = |limit: Option<f64>| limit.map_or_else(|| "none".to_owned(), dollars);
    let mut rows = vec![
        ("Month since", utc(budget.month_began_at)),
        ("Spent", dollars(budget.spent_this_month_usd)),
        ("Monthly limit", limit(budget.monthly_limit_usd)),
    ];
    if let Some(monthly) = budget.monthly_limit_usd.filter(|_| format == Format::Pretty) {
        rows.push(("", bar(budget.spent_this_month_usd, monthly)));
    }
    rows.push(("Limit per run", limit(budget.run_limit_usd)));
    table::card(&rows)
}

/// Dollars with cents; below a dollar, parts of cents are shown, too.
fn dollars(usd: f64) -> String {
    let text = format!("{usd:.4}");
    let whole_cents = text.strip_suffix("00").filter(|_| usd < 1.0);
    if usd < 1.0 { format!("${}", whole_cents.unwrap_or(&text)) } else { format!("${usd:.2}") }
}

fn bar(spent: f64, limit: f64) -> String {
    // A limit of nothing is always reached.
    let part = if limit > 0.0 { spent.max(0.0) / limit } else { 1.0 };
    let full = (1..=WIDTH).filter(|step| f64::from(*step) <= part * f64::from(WIDTH)).count();
    let empty = usize::from(WIDTH) - full;
    format!("{}{} {:.0} %", "█".repeat(full), "░".repeat(empty), (part * 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn report(by: &str, rows: &Value) -> UsageReport {
        from_value(json!({ "since": "2026-03-01T00:00:00Z", "until": "2026-03-08T12:30:00Z", "group_by": by,
            "total": { "key": "", "runs": 12, "calls": 345, "input_tokens": 1_234_567, "cache_read_tokens": 9_000,
                "cache_write_tokens": 1_000, "output_tokens": 65_432, "cost_usd": 12.345_678 }, "rows": rows }))
        .unwrap()
    }

    #[test]
    fn usage_is_a_table_with_a_total() {
        let rows = json!([
            { "key": "claude-sonnet-4-5", "runs": 10, "calls": 300, "input_tokens": 1_200_000,
              "cache_read_tokens": 9_000, "cache_write_tokens": 1_000, "output_tokens": 60_000, "cost_usd": 12.345_678 },
            { "key": "ollama/qwen3", "runs": 2, "calls": 45, "input_tokens": 34_567, "output_tokens": 5_432 }
        ]);
        insta::assert_snapshot!(usage(&report("model", &rows), Format::Pretty), @"
        From 2026-03-01 00:00:00 UTC until 2026-03-08 12:30:00 UTC
        ╭───────────────────┬──────┬───────┬───────────┬────────┬────────┬────────────╮
        │ MODEL             ┆ RUNS ┆ CALLS ┆     INPUT ┆ CACHED ┆ OUTPUT ┆ COST (USD) │
        ╞═══════════════════╪══════╪═══════╪═══════════╪════════╪════════╪════════════╡
        │ claude-sonnet-4-5 ┆   10 ┆   300 ┆ 1,200,000 ┆ 10,000 ┆ 60,000 ┆    12.3457 │
        │ ollama/qwen3      ┆    2 ┆    45 ┆    34,567 ┆      0 ┆  5,432 ┆          - │
        │ TOTAL             ┆   12 ┆   345 ┆ 1,234,567 ┆ 10,000 ┆ 65,432 ┆    12.3457 │
        ╰───────────────────┴──────┴───────┴───────────┴────────┴────────┴────────────╯
        The cost of models whose price is not known is not in these figures.
        ");
        insta::assert_snapshot!(usage(&report("model", &rows), Format::Text), @"
        MODEL	RUNS	CALLS	INPUT	CACHED	OUTPUT	COST (USD)
        claude-sonnet-4-5	10	300	1200000	10000	60000	12.3457
        ollama/qwen3	2	45	34567	0	5432	-
        TOTAL	12	345	1234567	10000	65432	12.3457
        ");
    }

    #[test]
    fn what_has_a_name_shows_it() {
        let rows = json!([
            { "key": "S817BXYZ000000000000AB", "name": "nightly\tx", "runs": 1, "calls": 2, "cost_usd": 0.5 },
            { "key": "", "runs": 1, "calls": 0 }
        ]);
        insta::assert_snapshot!(usage(&report("schedule", &rows), Format::Text), @"
        SCHEDULE	NAME	RUNS	CALLS	INPUT	CACHED	OUTPUT	COST (USD)
        S817BXYZ000000000000AB	nightly x	1	2	0	0	0	0.5000
        -	-	1	0	0	0	0	-
        TOTAL	-	12	345	1234567	10000	65432	12.3457
        ");
        insta::assert_snapshot!(usage(&report("galaxy", &json!([])), Format::Pretty), @"
        From 2026-03-01 00:00:00 UTC until 2026-03-08 12:30:00 UTC
        ╭───────┬──────┬───────┬───────────┬────────┬────────┬────────────╮
        │ KEY   ┆ RUNS ┆ CALLS ┆     INPUT ┆ CACHED ┆ OUTPUT ┆ COST (USD) │
        ╞═══════╪══════╪═══════╪═══════════╪════════╪════════╪════════════╡
        │ TOTAL ┆   12 ┆   345 ┆ 1,234,567 ┆ 10,000 ┆ 65,432 ┆    12.3457 │
        ╰───────┴──────┴───────┴───────────┴────────┴────────┴────────────╯
        ");
    }

    #[test]
    fn a_budget_is_a_card_with_a_bar() {
        let of = |value: &Value| from_value::<Budget>(value.clone()).unwrap();
        let some = of(&json!({ "monthly_limit_usd": 200.0, "run_limit_usd": 0.5,
            "spent_this_month_usd": 50.004, "month_began_at": "2026-03-01T00:00:00Z" }));
        insta::assert_snapshot!(budget(&some, Format::Pretty), @"
        Month since   2026-03-01 00:00:00 UTC
        Spent         $50.00
        Monthly limit $200.00
                      ███████░░░░░░░░░░░░░░░░░░░░░░░ 25 %
        Limit per run $0.50
        ");
        let none = of(&json!({ "monthly_limit_usd": null, "run_limit_usd": null,
            "spent_this_month_usd": 0.0123, "month_began_at": "2026-03-01T00:00:00Z" }));
        insta::assert_snapshot!(budget(&none, Format::Pretty), @"
        Month since   2026-03-01 00:00:00 UTC
        Spent         $0.0123
        Monthly limit none
        Limit per run none
        ");
        let text = budget(&some, Format::Text);
        assert!(!text.contains('█') && text.contains("$200.00"), "{text}");
    }

    #[test]
    fn a_bar_is_full_at_the_limit_and_not_before() {
        let full = |spent, limit| bar(spent, limit).matches('█').count();
        assert_eq!((full(0.0, 10.0), full(9.99, 10.0), full(10.0, 10.0)), (0, 29, 30));
        assert_eq!((full(500.0, 10.0), full(0.0, 0.0)), (30, 30));
        assert!(bar(25.0, 10.0).ends_with(" 250 %") && bar(9.999, 10.0).ends_with(" 99 %"));
        assert_eq!((grouped(0), grouped(999), grouped(1000)), ("0".into(), "999".into(), "1,000".into()));
    }
}
