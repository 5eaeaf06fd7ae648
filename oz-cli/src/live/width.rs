//! Text in the columns of a terminal: letters may be two columns wide, and escape sequences none. Pure, but for
//! [`columns`].

use console::{AnsiCodeIterator, Term, measure_text_width};

/// How many columns the terminal has now.
pub(super) fn columns() -> usize {
    let (_, columns) = Term::stdout().size();
    usize::from(columns).max(20)
}

/// The beginning of a plain text that fits.
pub(super) fn cut(text: &str, columns: usize) -> String {
    console::truncate_str(text, columns, "…").into_owned()
}

/// The end of a plain text that fits.
pub(super) fn end(text: &str, columns: usize) -> &str {
    let mut room = columns;
    let mut from = text.len();
    for (at, letter) in text.char_indices().rev() {
        let wide = letter_width(letter);
        if wide > room {
            break;
        }
        room -= wide;
        from = at;
    }
    &text[from..]
}

/// Breaks lines between words where they are too long; what follows stands below the first word of its line, or of the item
/// of a list.
pub(super) fn wrap(text: &str, columns: usize) -> String {
    text.split('\n').map(|line| wrap_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, columns: usize) -> String {
    if measure_text_width(line) <= columns {
        return line.to_owned();
    }
    let margin = " ".repeat(margin(line).min(columns / 2));
    let mut out = String::new();
    // What came since the last place where the line may break, and how wide that and all of the line is.
    let (mut word, mut word_width, mut width) = (String::new(), 0, 0);
    let mut spaces = String::new();
    let mut broken = false;
    let mut flush = |word: &mut String, word_width: &mut usize, spaces: &mut String, out: &mut String| {
        if *word_width == 0 {
            out.push_str(word);
        } else {
            if width + spaces.len() + *word_width > columns && width > 0 && (broken || !out.trim().is_empty())
            {
                out.push('\n');
                out.push_str(&margin);
                width = margin.len();
                broken = true;
            } else {
                out.push_str(spaces);
                width += spaces.len();
            }
            spaces.clear();
            out.push_str(word);
            width += *word_width;
        }
        word.clear();
        *word_width = 0;
    };
    for (piece, is_code) in AnsiCodeIterator::new(line) {
        if is_code {
            word.push_str(piece);
            continue;
        }
        for letter in piece.chars() {
            let wide = letter_width(letter);
            if letter == ' ' {
                flush(&mut word, &mut word_width, &mut spaces, &mut out);
                spaces.push(' ');
                continue;
            }
            // A word that is longer than a line is broken where the line ends; wide letters may always be parted.
            if wide == 2 || word_width + wide + margin.len() > columns {
                flush(&mut word, &mut word_width, &mut spaces, &mut out);
            }
            word.push(letter);
            word_width += wide;
        }
    }
    flush(&mut word, &mut word_width, &mut spaces, &mut out);
    out
}

/// How far the text of a line is indented, its bullet or number included.
fn margin(line: &str) -> usize {
    let plain = console::strip_ansi_codes(line);
    let text = plain.trim_start_matches([' ', '│']);
    let indent = measure_text_width(&plain) - measure_text_width(text);
    let mark = text.split_once(' ').map(|(mark, _)| mark).filter(|mark| {
        matches!(*mark, "•" | "-" | "›" | "☐" | "☑" | "☒" | "▸")
            || mark.strip_suffix('.').is_some_and(|number| number.parse::<u32>().is_ok())
    });
    indent + mark.map_or(0, |mark| measure_text_width(mark) + 1)
}

fn letter_width(letter: char) -> usize {
    measure_text_width(letter.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 8), "one two\nthree");
        assert_eq!(wrap("  • one two three", 10), "  • one\n    two\n    three");
        assert_eq!(wrap("12. one two", 8), "12. one\n    two");
        assert_eq!(wrap("abcdefghij", 4), "abcd\nefgh\nij");
        assert_eq!(wrap("日本語日本", 4), "日本\n語日\n本");
        assert_eq!(wrap("\u{1b}[1mone two\u{1b}[0m", 4), "\u{1b}[1mone\ntwo\u{1b}[0m");
        assert_eq!(wrap("    fn main() {", 80), "    fn main() {");
        assert_eq!((end("日本語", 4), end("abc", 4), cut("abcdef", 4)), ("本語", "abc", "abc…".to_owned()));
    }

    proptest! {
        #[test]
        fn everything_fits_and_nothing_is_lost(text in "[a-c日 •\n]{0,80}", columns in 8..30_usize) {
            let wrapped = wrap(&text, columns);
            for line in wrapped.lines() {
                prop_assert!(measure_text_width(line.trim_end()) <= columns, "{:?} of {:?}", line, wrapped);
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }
    }
}
