//! A text that comes in pieces, block by block: a paragraph or a piece of code is shown when it is whole, so that it is
//! shown as what it is. Pure.

/// Gathers pieces and gives out whole blocks.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// Everything that came.
    whole: String,
    /// How much of it was given out.
    shown: usize,
}

impl Blocks {
    /// More of the text. Answers with the blocks that are whole now.
    pub(crate) fn push(&mut self, piece: &str) -> Option<String> {
        self.whole.push_str(piece);
        let rest = &self.whole[self.shown..];
        let end = end_of_blocks(rest);
        let blocks = rest[..end].trim_matches('\n').to_owned();
        self.shown += end;
        (!blocks.trim().is_empty()).then_some(blocks)
    }

    /// The text is over, and this is all of it. Answers with what was not given out; all of it where what came was
    /// something else, because the model had to be asked again.
    pub(crate) fn finish(&mut self, text: &str) -> String {
        let shown = std::mem::take(&mut self.shown);
        let whole = std::mem::take(&mut self.whole);
        let rest = match text.strip_prefix(&whole[..shown]) {
            Some(rest) => rest,
            None => text,
        };
        rest.trim_matches('\n').to_owned()
    }

    /// The beginning of what is not given out yet.
    pub(crate) fn pending(&self) -> &str {
        self.whole[self.shown..].trim()
    }
}

/// Where the last whole block ends: at an empty line outside of fences. A list with room between its items is several
/// blocks; its numbers go on by themselves.
fn end_of_blocks(text: &str) -> usize {
    let (mut end, mut at, mut fence) = (0, 0, None);
    for line in text.split_inclusive('\n') {
        if !line.ends_with('\n') {
            break;
        }
        at += line.len();
        let bare = line.trim();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                end = at;
            }
            (None, None) if bare.is_empty() => end = at,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_come_whole() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push("# He"), None);
        assert_eq!(blocks.push("ad\n"), None);
        assert_eq!(blocks.push("\nmore "), Some("# Head".into()));
        assert_eq!(blocks.pending(), "more");
        assert_eq!(blocks.push("text\n\n```\na\n\nb\n"), Some("more text".into()));
        assert_eq!(blocks.push("```\nend"), Some("```\na\n\nb\n```".into()));
        assert_eq!(blocks.finish("# Head\n\nmore text\n\n```\na\n\nb\n```\nend"), "end");
        assert_eq!(blocks.pending(), "");
    }

    #[test]
    fn another_text_is_shown_as_a_whole() {
        let mut blocks = Blocks::default();
        blocks.push("I sta\n\n");
        assert_eq!(blocks.finish("Something else.\n"), "Something else.");
        assert_eq!(blocks.finish("Without pieces."), "Without pieces.");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(pieces in proptest::collection::vec("[a-z`\n ]{0,9}|```\n|\n\n", 0..20)) {
            let mut blocks = Blocks::default();
            let whole = pieces.concat();
            let mut shown: Vec<String> = pieces.iter().filter_map(|piece| blocks.push(piece)).collect();
            shown.push(blocks.finish(&whole));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&shown.concat()), letters(&whole));
        }
    }
}
