//! Many things as a table, one thing as a card.

use super::{json, json_line, line, one_line, plain};
use crate::{cli::Format, error::CliError};
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets::UTF8_FULL_CONDENSED};
use oz_core::Timestamp;
use serde::Serialize;

/// How a list of one kind is shown.
pub(crate) struct Listing<T: ?Sized, const N: usize> {
    /// Heads of the columns.
    pub(crate) header: [&'static str; N],
    /// How many columns, from the left, are never broken: an id in two pieces can't be copied.
    pub(crate) whole: usize,
    /// The cells of one item.
    pub(crate) row: fn(&T) -> [String; N],
    /// What people read in place of an empty table.
    pub(crate) none: &'static str,
}

impl<T: Serialize, const N: usize> Listing<T, N> {
    /// Prints a list: `answer`, which holds it, as JSON; an item a line as `ndjson`; a table otherwise.
    pub(crate) fn print(&self, answer: &impl Serialize, items: &[T], format: Format) -> Result<(), CliError> {
        match format {
            Format::Json => json(format, answer)?,
            Format::Ndjson => items.iter().try_for_each(json_line)?,
            Format::Pretty if items.is_empty() => line(self.none),
            Format::Pretty | Format::Text => line(self.text(items, format)),
        }
        Ok(())
    }
}

impl<T, const N: usize> Listing<T, N> {
    /// The table; columns apart by tabs for `text`.
    pub(crate) fn text(&self, items: &[T], format: Format) -> String {
        if format != Format::Text {
            return self.framed(items).to_string();
        }
        let lines = items.iter().map(|item| self.cells(item).join("\t"));
        std::iter::once(self.header.join("\t")).chain(lines).collect::<Vec<_>>().join("\n")
    }

    /// A table that fits the terminal, where there is one.
    pub(crate) fn framed(&self, items: &[T]) -> Table {
        frame(self.header, items.iter().map(|item| self.cells(item)), self.whole)
    }

    fn cells(&self, item: &T) -> [String; N] {
        (self.row)(item).map(|cell| one_line(&cell, usize::MAX).replace('\t', " "))
    }
}

/// A table whose first columns, `whole` of them, are never broken.
pub(crate) fn frame<H: Into<Row>, R: Into<Row>>(
    header: H,
    rows: impl IntoIterator<Item = R>,
    whole: usize,
) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header).add_rows(rows);
    for column in table.column_iter_mut().take(whole) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// One thing: a line per property. Longer text goes on under its first line.
pub(crate) fn card(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).fold(11, usize::max);
    let indent = format!("\n{:width$} ", "");
    let lines =
        rows.iter().map(|(name, value)| format!("{name:<width$} {}", plain(value).replace('\n', &indent)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints one thing: as JSON, or what `text` makes of it.
pub(crate) fn print_one<T: Serialize>(
    value: &T,
    format: Format,
    text: impl FnOnce(&T) -> String,
) -> Result<(), CliError> {
    if format.is_json() {
        return json(format, value);
    }
    line(plain(&text(value)));
    Ok(())
}

/// A time as tables show it.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time as cards and sentences show it.
pub(crate) fn utc(at: Timestamp) -> String {
    format!("{} UTC", time(at))
}

/// A time that may not have come, else `none`.
pub(crate) fn time_or(at: Option<Timestamp>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), time)
}

/// A text that may be absent or empty, cut for a column; `-` when it is.
pub(crate) fn short(text: Option<&str>) -> String {
    or_dash(text.map(|text| one_line(text.trim_start(), 60)))
}

/// Some names in one cell; `-` when there are none.
pub(crate) fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    or_dash(Some(names.into_iter().collect::<Vec<_>>().join(", ")))
}

fn or_dash(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: Listing<(&str, &str), 2> = Listing {
        header: ["ID", "TEXT"],
        whole: 1,
        row: |(id, text)| [(*id).to_owned(), short(Some(text))],
        none: "No pairs.",
    };

    #[test]
    fn foreign_text_stays_in_its_cell() {
        let items = [("a\u{1b}[2J\tb", "one\ttwo\nthree"), ("b", "")];
        insta::assert_snapshot!(PAIRS.text(&items, Format::Text), @"
        ID	TEXT
        a b	one two
        b	-
        ");
        insta::assert_snapshot!(PAIRS.framed(&items).force_no_tty(), @"
        ╭─────┬─────────╮
        │ ID  ┆ TEXT    │
        ╞═════╪═════════╡
        │ a b ┆ one two │
        │ b   ┆ -       │
        ╰─────┴─────────╯
        ");
    }

    #[test]
    fn longer_text_goes_on_under_its_first_line() {
        let rows = [("Name", "a\nb\u{1b}[31m".to_owned()), ("Longer than most", "c".to_owned())];
        insta::assert_snapshot!(card(&rows), @"
        Name             a
                         b
        Longer than most c
        ");
    }
}
