//! Output of any length in bounded memory: its beginning, its end, and how much was left out between. It makes no
//! difference between text and garbage until it is shown.

use std::collections::VecDeque;

/// The first and the last bytes of what was written to it.
pub(crate) struct Clip {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Clip {
    /// Keeps `half` bytes of the beginning and as many of the end.
    pub(crate) fn new(half: usize) -> Self {
        Self { half, head: Vec::new(), tail: VecDeque::new(), dropped: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(first);
        let kept = &rest[rest.len().saturating_sub(self.half)..];
        self.dropped += (rest.len() - kept.len()) as u64;
        let excess = (self.tail.len() + kept.len()).saturating_sub(self.half);
        self.tail.drain(..excess);
        self.dropped += excess as u64;
        self.tail.extend(kept);
    }

    /// How many bytes were left out.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether what was kept contains `bytes`.
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        let (front, back) = self.tail.as_slices();
        // Its parts are one text as long as nothing was left out.
        let whole = match self.dropped {
            0 => [&self.head, front, back].concat(),
            _ => [&self.head, b"\n".as_slice(), front, back].concat(),
        };
        bytes.is_empty() || whole.windows(bytes.len()).any(|window| window == bytes)
    }

    /// What was kept, as text that can be shown.
    pub(crate) fn into_text(mut self) -> String {
        let tail = self.tail.make_contiguous();
        if self.dropped == 0 {
            self.head.extend_from_slice(tail);
            return printable(&self.head);
        }
        let (head, tail) = (printable(&self.head), printable(tail));
        format!("{head}\n[… {} bytes left out …]\n{tail}", self.dropped)
    }
}

/// Bytes as text: escape sequences of terminals and other control characters are taken out, and what is no text is
/// replaced.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\n' | '\t' => clean.push(c),
            '\u{1b}' => skip_escape(&mut chars),
            c if c.is_control() => clean.push(char::REPLACEMENT_CHARACTER),
            c => clean.push(c),
        }
    }
    clean
}

/// Skips what follows an escape character: `[` up to a letter, `]` up to a bell, or one character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        Some(']') => while chars.next_if(|c| *c != '\n').is_some_and(|c| c != '\u{7}' && c != '\\') {},
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_ends_are_kept_and_the_rest_is_counted(chunks in proptest::collection::vec(proptest::collection::vec(b'a'..=b'z', 0..40), 0..20)) {
            let whole = chunks.concat();
            let mut clip = Clip::new(16);
            for chunk in &chunks {
                clip.push(chunk);
            }
            let dropped = whole.len().saturating_sub(32);
            prop_assert_eq!(clip.dropped(), dropped as u64);
            let text = clip.into_text();
            if dropped == 0 {
                prop_assert_eq!(text.as_bytes(), whole);
            } else {
                prop_assert!(text.as_bytes().starts_with(&whole[..16]) && text.as_bytes().ends_with(&whole[whole.len() - 16..]));
            }
        }

        #[test]
        fn anything_can_be_shown(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = printable(&bytes);
            prop_assert!(text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
        }
    }

    #[test]
    fn colours_and_progress_bars_become_lines() {
        assert_eq!(
            printable(b"\x1b[1;31mred\x1b[0m\r\n10%\r20%\n\x1b]0;title\x07x\0"),
            "red\n10%\n20%\nx\u{fffd}"
        );
    }
}
