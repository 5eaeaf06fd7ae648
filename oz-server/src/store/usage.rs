//! What runs used: counted when their agents tell of it, in the same transaction, and added up for those who ask.

use super::{
    Db, Result, Store,
    accounts::{Caller, Workload},
    args,
    engine::{Row, Value},
    json,
    money::{self, Money},
    runs, to_json,
};
use oz_core::{
    Timestamp,
    api::{GetUsage, NewEntry, UsageGroup, UsageReport, UsageRow},
    harness::HarnessEvent,
    run::ScheduleRef,
    usage::Usage,
};

/// No model call uses more tokens, and none costs more US dollars: an agent that says otherwise must not upset the sums.
const MOST_TOKENS: u64 = 1_000_000_000_000;
const MOST_USD: f64 = 1e9;
/// The longest name of a model that is kept.
const LONGEST_MODEL: usize = 200;

/// What is known of an execution. An agent may tell of every call, of a total, or of both: the more of them counts, so
/// that nothing counts twice whichever comes first.
struct Account {
    recorded: Usage,
    counted: Usage,
}

impl Account {
    fn load(db: &Db<'_>, execution_id: &str) -> Result<Self> {
        let read = |text: Option<&str>| text.map_or(Ok(Usage::default()), json);
        db.one(
            "SELECT recorded_usage, usage FROM executions WHERE execution_id = ?1",
            args![execution_id],
            |row| Ok(Self { recorded: read(row.get(0)?)?, counted: read(row.get(1)?)? }),
        )
    }

    fn store(&self, db: &Db<'_>, execution_id: &str) -> Result<()> {
        db.execute(
            "UPDATE executions SET recorded_usage = ?2, usage = ?3 WHERE execution_id = ?1",
            args![execution_id, to_json(&self.recorded)?, to_json(&self.counted)?],
        )?;
        Ok(())
    }

    /// Takes what was used altogether, by one account or the other. Returns what was not counted before.
    fn raise(&mut self, to: &Usage, priced: bool) -> Counted {
        let before = self.counted.clone();
        let most = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0).max(b.unwrap_or(0.0))),
        };
        self.counted = Usage {
            input_tokens: before.input_tokens.max(to.input_tokens),
            cache_read_tokens: before.cache_read_tokens.max(to.cache_read_tokens),
            cache_write_tokens: before.cache_write_tokens.max(to.cache_write_tokens),
            output_tokens: before.output_tokens.max(to.output_tokens),
            cost_usd: most(before.cost_usd, to.cost_usd),
        };
        let tokens = |now: u64, before: u64| i64::try_from(now - before).unwrap_or(i64::MAX);
        // The sums are rounded rather than each call, so that many small calls cost what they cost.
        let cost = |usage: &Usage| Money::of(usage.cost_usd.unwrap_or(0.0)).0;
        Counted {
            tokens: [
                tokens(self.counted.input_tokens, before.input_tokens),
                tokens(self.counted.cache_read_tokens, before.cache_read_tokens),
                tokens(self.counted.cache_write_tokens, before.cache_write_tokens),
                tokens(self.counted.output_tokens, before.output_tokens),
            ],
            cost: priced.then(|| cost(&self.counted) - cost(&before)),
        }
    }
}

/// What was used and not counted before.
struct Counted {
    tokens: [i64; 4],
    cost: Option<i64>,
}

impl Counted {
    fn is_nothing(&self) -> bool {
        self.tokens == [0; 4] && self.cost.unwrap_or(0) == 0
    }
}

/// What an agent says, within reason.
fn sane(usage: &Usage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens.min(MOST_TOKENS),
        cache_read_tokens: usage.cache_read_tokens.min(MOST_TOKENS),
        cache_write_tokens: usage.cache_write_tokens.min(MOST_TOKENS),
        output_tokens: usage.output_tokens.min(MOST_TOKENS),
        cost_usd: usage.cost_usd.filter(|usd| usd.is_finite()).map(|usd| usd.clamp(0.0, MOST_USD)),
    }
}

/// Counts the calls that new entries of a transcript tell of. Returns whether anything was used.
pub(super) fn recorded(db: &Db<'_>, who: &Workload, stored: &[&NewEntry], now: Timestamp) -> Result<bool> {
    let calls: Vec<(&str, Usage)> = stored
        .iter()
        .filter_map(|entry| match entry.event.known()? {
            HarnessEvent::Usage { model, usage } => Some((model.as_str(), sane(usage))),
            _ => None,
        })
        .collect();
    if calls.is_empty() {
        return Ok(false);
    }
    let execution_id = who.execution_id.to_string();
    let mut account = Account::load(db, &execution_id)?;
    let mut any = false;
    for (model, usage) in calls {
        account.recorded.add(&usage);
        let counted = account.raise(&account.recorded.clone(), usage.cost_usd.is_some());
        any |= !counted.is_nothing();
        add(db, who, model, 1, &counted, now)?;
    }
    account.store(db, &execution_id)?;
    Ok(any)
}

/// Counts what an execution used in total, as far as its transcript has not told of it. Returns whether anything was
/// left to count.
pub(super) fn reported(db: &Db<'_>, who: &Workload, total: &Usage, now: Timestamp) -> Result<bool> {
    let execution_id = who.execution_id.to_string();
    let mut account = Account::load(db, &execution_id)?;
    let total = sane(total);
    let rest = account.raise(&total, total.cost_usd.is_some());
    account.store(db, &execution_id)?;
    if rest.is_nothing() {
        return Ok(false);
    }
    let model: Option<String> =
        db.one("SELECT model_id FROM runs WHERE run_no = ?1", args![who.run_no], |row| row.get(0))?;
    add(db, who, model.as_deref().unwrap_or_default(), 0, &rest, now)?;
    Ok(true)
}

fn add(
    db: &Db<'_>,
    who: &Workload,
    model: &str,
    calls: i64,
    counted: &Counted,
    now: Timestamp,
) -> Result<()> {
    let model: String = model.chars().filter(|c| !c.is_control()).take(LONGEST_MODEL).collect();
    let [input, cache_read, cache_write, output] = counted.tokens;
    db.execute(
        "INSERT INTO run_usage (run_no, day, model, team_id, calls, input_tokens, cache_read_tokens, cache_write_tokens,
           output_tokens, cost) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (run_no, day, model) DO UPDATE SET calls = run_usage.calls + excluded.calls,
           input_tokens = run_usage.input_tokens + excluded.input_tokens,
           cache_read_tokens = run_usage.cache_read_tokens + excluded.cache_read_tokens,
           cache_write_tokens = run_usage.cache_write_tokens + excluded.cache_write_tokens,
           output_tokens = run_usage.output_tokens + excluded.output_tokens,
           cost = COALESCE(run_usage.cost + excluded.cost, run_usage.cost, excluded.cost)",
        args![
            who.run_no,
            money::day(now),
            &model,
            &who.team_id.0,
            calls,
            input,
            cache_read,
            cache_write,
            output,
            counted.cost
        ],
    )?;
    if let Some(cost) = counted.cost.filter(|cost| *cost > 0) {
        db.execute(
            "INSERT INTO spending (team_id, month, cost) VALUES (?1, ?2, ?3)
             ON CONFLICT (team_id, month) DO UPDATE SET cost = spending.cost + excluded.cost",
            args![&who.team_id.0, money::month(now), cost],
        )?;
    }
    Ok(())
}

/// What rows are added up by: the key, its name, and where the name comes from.
fn group(by: &UsageGroup) -> (&'static str, &'static str, &'static str) {
    match by {
        UsageGroup::Run => ("r.run_id", "MIN(r.title)", ""),
        // What an agent says when it knows no name is kept as it is.
        UsageGroup::Model | UsageGroup::Unknown(_) => ("u.model", "NULL", ""),
        UsageGroup::Schedule => ("COALESCE(r.schedule_id, '')", "MAX(r.schedule)", ""),
        UsageGroup::Environment => (
            "COALESCE(r.environment_id, '')",
            "MIN(o.name)",
            "LEFT JOIN objects o ON o.object_uid = r.environment_id",
        ),
        UsageGroup::Creator => {
            ("r.creator_id", "MIN(c.display_name)", "JOIN users c ON c.user_id = r.creator_id")
        }
        UsageGroup::Day => ("u.day", "NULL", ""),
    }
}

const SUMS: &str = "COUNT(DISTINCT u.run_no), CAST(COALESCE(SUM(u.calls), 0) AS BIGINT),
    CAST(COALESCE(SUM(u.input_tokens), 0) AS BIGINT), CAST(COALESCE(SUM(u.cache_read_tokens), 0) AS BIGINT),
    CAST(COALESCE(SUM(u.cache_write_tokens), 0) AS BIGINT), CAST(COALESCE(SUM(u.output_tokens), 0) AS BIGINT),
    CAST(SUM(u.cost) AS BIGINT)";

fn sums(row: &Row<'_>) -> Result<UsageRow> {
    let tokens = |i: usize| -> Result<u64> { Ok(u64::try_from(row.get::<i64>(i)?).unwrap_or(0)) };
    Ok(UsageRow {
        key: String::new(),
        name: None,
        runs: row.get(0)?,
        calls: row.get(1)?,
        usage: Usage {
            input_tokens: tokens(2)?,
            cache_read_tokens: tokens(3)?,
            cache_write_tokens: tokens(4)?,
            output_tokens: tokens(5)?,
            cost_usd: row.get::<Option<i64>>(6)?.map(|cost| Money(cost).usd()),
        },
    })
}

impl Store {
    /// Adds up what the runs used that `caller` may see.
    pub(crate) async fn usage(
        &self,
        caller: Caller,
        request: GetUsage,
        now: Timestamp,
    ) -> Result<UsageReport> {
        self.engine.read_long(move |db| report(db, &caller, &request, now)).await
    }
}

fn report(db: &Db<'_>, caller: &Caller, request: &GetUsage, now: Timestamp) -> Result<UsageReport> {
    let until = request.until.unwrap_or(now);
    let since = request.since.unwrap_or_else(|| money::beginning(money::month(until)));
    let by = request.group_by.clone().unwrap_or(UsageGroup::Model);
    let mut values: Vec<Value<'static>> = Vec::new();
    let allowed = runs::visible(caller, &mut values);
    values.push(money::day(since).into());
    let from = values.len();
    // A report until midnight holds nothing of the day that begins then.
    let last = until.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(until);
    values.push(money::day(last.max(since)).into());
    let to = values.len();
    let tables = "run_usage u JOIN runs r ON r.run_no = u.run_no";
    let condition = format!("u.team_id = r.team_id AND u.day >= ?{from} AND u.day <= ?{to} AND {allowed}");
    let total = db.one(&format!("SELECT {SUMS} FROM {tables} WHERE {condition}"), &values, sums)?;
    let (key, name, join) = group(&by);
    let order = if by == UsageGroup::Day { "8" } else { "spent DESC, tokens DESC, 8" };
    values.push(request.limit.unwrap_or(100).into());
    let limit = values.len();
    let rows = db.rows(
        &format!(
            "SELECT {SUMS}, {key}, {name}, COALESCE(SUM(u.cost), 0) AS spent,
               SUM(u.input_tokens + u.cache_read_tokens + u.cache_write_tokens + u.output_tokens) AS tokens
             FROM {tables} {join} WHERE {condition} GROUP BY {key} ORDER BY {order} LIMIT ?{limit}"
        ),
        &values,
        |row| {
            let key = match by {
                UsageGroup::Day => money::date(row.get(7)?),
                _ => row.get(7)?,
            };
            let name = match by {
                UsageGroup::Model | UsageGroup::Day | UsageGroup::Unknown(_) => None,
                UsageGroup::Schedule => {
                    let schedule: Option<ScheduleRef> = row.get::<Option<&str>>(8)?.map(json).transpose()?;
                    schedule.map(|s| s.schedule_name)
                }
                _ => row.get(8)?,
            };
            Ok(UsageRow { key, name, ..sums(row)? })
        },
    )?;
    Ok(UsageReport { since, until, group_by: by, total, rows })
}
