//! Markdown for a terminal: headings, lists, quotes, code and tables as a reader expects them. What comes from an agent
//! can't steer the terminal: its text is made plain first.

use crate::out::plain;
use anstyle::{AnsiColor, Style};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

const BOLD: Style = Style::new().bold();
const ITALIC: Style = Style::new().italic();
const STRUCK: Style = Style::new().strikethrough();
const DIM: Style = Style::new().dimmed();
const CODE: Style = AnsiColor::Cyan.on_default();
const LINK: Style = Style::new().underline();

/// The text of an agent as it is shown on a terminal.
pub(crate) fn render(markdown: &str) -> String {
    let markdown = plain(markdown);
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut page = Page::default();
    for event in Parser::new_ext(&markdown, options) {
        page.take(event);
    }
    page.finish()
}

/// A page that is being written.
#[derive(Default)]
struct Page {
    text: String,
    /// What begins each line now: the marks of quotes and the room of lists.
    margin: Vec<String>,
    /// The next number of each open list; `None` where it has none.
    lists: Vec<Option<u64>>,
    /// The styles that are on, the innermost last.
    styles: Vec<Style>,
    /// Where the links that are open lead.
    links: Vec<String>,
    /// How many line breaks stand before what comes next.
    gap: usize,
    /// Whether the mark of an item was written last.
    marked: bool,
    in_code: bool,
    /// What stands before the table that is being read; its cells are written where the page was.
    before_table: String,
    /// The cells of the row that is being read.
    row: Vec<String>,
    rows: Vec<Vec<String>>,
    in_table: bool,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => self.code_block(&text),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.put(&text),
            Event::Code(code) => self.styled(CODE, &code),
            Event::SoftBreak if self.in_table => self.put(" "),
            Event::SoftBreak | Event::HardBreak => self.line(),
            Event::Rule => {
                self.block();
                self.styled(DIM, "────────");
            }
            Event::TaskListMarker(done) => self.put(if done { "[x] " } else { "[ ] " }),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.put(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.block(),
            Tag::Heading { level, .. } => {
                self.block();
                self.on(if level == HeadingLevel::H1 { BOLD.underline() } else { BOLD });
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.margin.push(format!("{DIM}│{DIM:#} "));
            }
            Tag::CodeBlock(kind) => {
                self.block();
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    self.styled(DIM, &format!("  {language}"));
                    self.line();
                }
                self.in_code = true;
            }
            Tag::List(first) => {
                self.block();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.on(ITALIC),
            Tag::Strong => self.on(BOLD),
            Tag::Strikethrough => self.on(STRUCK),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(dest_url.into_string());
                self.on(LINK);
            }
            Tag::Table(_) => {
                self.block();
                self.before_table = std::mem::take(&mut self.text);
                self.in_table = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.off(),
            TagEnd::BlockQuote(_) => drop(self.margin.pop()),
            TagEnd::CodeBlock => self.in_code = false,
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::Item => drop(self.margin.pop()),
            TagEnd::Link | TagEnd::Image => {
                self.off();
                let address = self.links.pop().unwrap_or_default();
                if !address.is_empty() && !self.text.ends_with(&format!("{address}{LINK:#}")) {
                    self.styled(DIM, &format!(" ({address})"));
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                self.row.push(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.row)),
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.line();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "• ".to_owned(),
        };
        self.put(&mark);
        self.marked = true;
        self.margin.push(" ".repeat(mark.chars().count()));
    }

    fn code_block(&mut self, code: &str) {
        let lines: Vec<&str> = code.trim_end_matches('\n').split('\n').collect();
        for (n, line) in lines.iter().enumerate() {
            if n > 0 {
                self.line();
            }
            self.styled(CODE, &format!("  {line}"));
        }
    }

    /// A table has its cells under one another.
    fn table(&mut self) {
        self.in_table = false;
        self.text = std::mem::take(&mut self.before_table);
        self.gap = 2;
        let rows = std::mem::take(&mut self.rows);
        let width = |cell: &String| console::measure_text_width(cell);
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or_default())
            .collect();
        for (n, row) in rows.iter().enumerate() {
            if n > 0 {
                self.line();
            }
            let cells = row.iter().zip(&widths).map(|(cell, wide)| {
                let cell = if n == 0 { format!("{BOLD}{cell}{BOLD:#}") } else { cell.clone() };
                let room = " ".repeat(wide.saturating_sub(width(&cell)));
                format!("{cell}{room}")
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            self.put(line.trim_end());
        }
    }

    /// The next block begins, after an empty line. The first one of an item stands beside its mark.
    fn block(&mut self) {
        let gap = match (self.marked, self.lists.is_empty()) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        self.gap = self.gap.max(gap);
    }

    fn line(&mut self) {
        self.gap = self.gap.max(1);
    }

    fn put(&mut self, text: &str) {
        let style = self.styles.iter().copied().reduce(join).unwrap_or_default();
        self.styled(style, text);
    }

    fn styled(&mut self, style: Style, text: &str) {
        let gap = std::mem::take(&mut self.gap);
        if !self.in_table {
            if !self.text.is_empty() {
                for _ in 1..gap {
                    self.text.push('\n');
                }
                self.text.push_str(if gap > 0 { "\n" } else { "" });
            }
            if gap > 0 || self.text.is_empty() {
                self.text.push_str(&self.margin.concat());
            }
        }
        self.marked = false;
        self.text.push_str(&format!("{style}{text}{style:#}"));
    }

    fn on(&mut self, style: Style) {
        self.styles.push(style);
    }

    fn off(&mut self) {
        self.styles.pop();
    }

    fn finish(self) -> String {
        self.text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

fn join(all: Style, more: Style) -> Style {
    let colour = more.get_fg_color().or(all.get_fg_color());
    all.effects(all.get_effects() | more.get_effects()).fg_color(colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str) -> String {
        anstream::adapter::strip_str(&render(markdown)).to_string()
    }

    #[test]
    fn a_page() {
        let page = shown(
            "# Done\n\nI *fixed* the **bug** in `a.rs`:\nsee [the log](https://h/1) and <https://h/2>.\n\n\
             1. one\n2. two\n   - deep\n   - er\n\n> quoted\n> on\n\n```rust\nfn main() {\n}\n```\n\n---\n\n\
             | a | long head |\n|---|---|\n| 1 | `x` |\n\n- [x] tests\n- [ ] docs\n",
        );
        insta::assert_snapshot!(page, @r"
        Done

        I fixed the bug in a.rs:
        see the log (https://h/1) and https://h/2.

        1. one
        2. two
           • deep
           • er

        │ quoted
        │ on

          rust
          fn main() {
          }

        ────────

        a  long head
        1  x

        • [x] tests
        • [ ] docs
        ");
    }

    #[test]
    fn it_is_styled_and_can_t_steer_the_terminal() {
        assert_eq!(render("**b**"), format!("{BOLD}b{BOLD:#}"));
        assert_eq!(shown("a\u{1b}[2J\u{7}b"), "ab");
        assert_eq!(shown(""), "");
    }
}
