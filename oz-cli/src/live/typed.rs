//! The line that a person types, from the bytes of their terminal. Pure.

/// What bytes come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A whole line.
    Line(String),
    /// Ctrl-D on an empty line: there is nothing more to say.
    End,
}

/// Begins and ends what is pasted, between Escape and the end of these.
const PASTE: &[u8] = b"[200~";
const PASTED: &[u8] = b"[201~";

/// A line that is being typed.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    /// The first bytes of a letter of several.
    letter: Vec<u8>,
    /// What came of an escape sequence, without its Escape.
    escape: Option<Vec<u8>>,
    /// Whether what comes was not typed but pasted; its line breaks are text.
    pasting: bool,
}

impl Line {
    /// What is there so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Throws away what is there. Answers whether that was anything.
    pub(crate) fn clear(&mut self) -> bool {
        !std::mem::take(&mut self.text).is_empty()
    }

    /// More bytes. Answers with what they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Typed> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<Typed> {
        if let Some(escape) = &mut self.escape {
            escape.push(byte);
            let over = match escape.as_slice() {
                [b'[' | b'O'] => false,
                [b'[', .., last] | [b'O', last] => (0x40..0x7f).contains(last),
                _ => true,
            };
            if over {
                self.pasting = (self.pasting || escape == PASTE) && escape != PASTED;
                self.escape = None;
            }
            return None;
        }
        match byte {
            0x1b => self.escape = Some(Vec::new()),
            b'\r' | b'\n' if self.pasting => self.text.push('\n'),
            b'\r' | b'\n' => return Some(Typed::Line(std::mem::take(&mut self.text))),
            // Ctrl-D.
            0x04 if self.text.is_empty() => return Some(Typed::End),
            0x7f | 0x08 => drop(self.text.pop()),
            // Ctrl-U.
            0x15 => self.text.clear(),
            // Ctrl-W.
            0x17 => {
                let kept = self.text.trim_end();
                let end = kept.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                self.text.truncate(end);
            }
            b'\t' => self.text.push(' '),
            0..0x20 => {}
            _ => self.letter(byte),
        }
        None
    }

    fn letter(&mut self, byte: u8) {
        if !(0x80..0xc0).contains(&byte) {
            self.letter.clear();
        }
        self.letter.push(byte);
        if let Ok(letter) = str::from_utf8(&self.letter) {
            self.text.push_str(letter);
            self.letter.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(bytes: &[u8]) -> (Vec<Typed>, String) {
        let mut line = Line::default();
        let typed = line.push(bytes);
        (typed, line.text().to_owned())
    }

    #[test]
    fn keys_make_a_line() {
        let line = |text: &str| Typed::Line(text.to_owned());
        for (bytes, all, left) in [
            ("hello\r", vec![line("hello")], ""),
            ("a\nb\nc", vec![line("a"), line("b")], "c"),
            ("h\u{e4}\u{7f}i\u{65e5}\u{672c}\u{8}\r", vec![line("hi\u{65e5}")], ""),
            ("one two \u{17}2", vec![], "one 2"),
            ("one\u{17}\u{15}", vec![], ""),
            ("lost\u{15}kept", vec![], "kept"),
            ("x\u{4}", vec![], "x"),
            ("\u{4}", vec![Typed::End], ""),
            ("a\u{1b}[A\u{1b}[1;5D\u{1b}OPb\u{1b}xc", vec![], "abc"),
            ("\u{1b}[200~one\rtwo\u{1b}[201~ three\r", vec![line("one\ntwo three")], ""),
            ("\u{7}\u{1}a\tb", vec![], "a b"),
        ] {
            assert_eq!(typed(bytes.as_bytes()), (all, left.to_owned()), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_in_whatever_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..64), cut in 0..64_usize) {
            let (whole, left) = typed(&bytes);
            let mut line = Line::default();
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let mut pieces = line.push(a);
            pieces.extend(line.push(b));
            prop_assert_eq!((whole, left.as_str()), (pieces, line.text()));
            prop_assert!(!left.chars().any(|c| c.is_control() && c != '\n' && (c as u32) < 0x20));
        }
    }
}
