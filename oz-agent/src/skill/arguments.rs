//! What was said after the name of a skill, put in the places that its instructions have for it. Pure.

/// Where an argument goes.
#[derive(Clone, Copy)]
enum Placeholder {
    All,
    Nth(usize),
}

/// The instructions with `given` in place of `$ARGUMENTS`, and its words, counted from 0, in place of `$ARGUMENTS[N]`
/// and `$N`. A place for a word that was not given stays as it is. `None` when there is no place at all.
pub(crate) fn fill(instructions: &str, given: &str) -> Option<String> {
    let words: Vec<&str> = given.split_whitespace().collect();
    let mut filled = String::with_capacity(instructions.len() + given.len());
    let mut rest = instructions;
    let mut any = false;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (text, length) = match placeholder(rest) {
            Some((found, length)) => {
                any = true;
                let text = match found {
                    Placeholder::All => Some(given.trim()),
                    Placeholder::Nth(n) => words.get(n).copied(),
                };
                (text.unwrap_or(&rest[..length]), length)
            }
            None => ("$", 1),
        };
        filled.push_str(text);
        rest = &rest[length..];
    }
    filled.push_str(rest);
    any.then_some(filled)
}

/// Whether instructions ask for what is said after their name. `$1` alone does not count: it may be a script's own.
pub(crate) fn asks(instructions: &str) -> bool {
    instructions.match_indices("$ARGUMENTS").any(|(at, _)| placeholder(&instructions[at..]).is_some())
}

/// The placeholder with which a text begins, and its length.
fn placeholder(text: &str) -> Option<(Placeholder, usize)> {
    let number = |digits: &str| digits.parse().map(Placeholder::Nth).ok();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let Some(after) = text.strip_prefix("$ARGUMENTS") else {
        let length = digits(text.strip_prefix('$')?);
        return Some((number(&text[1..=length])?, length + 1));
    };
    let whole = text.len() - after.len();
    if let Some(index) = after.strip_prefix('[') {
        let length = digits(index);
        if index[length..].starts_with(']')
            && let Some(found) = number(&index[..length])
        {
            return Some((found, whole + length + 2));
        }
    }
    let longer = after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (!longer).then_some((Placeholder::All, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table() {
        let explain =
            "Explain $0 for an audience of $1 professionals. Use a $2 tone. Full request: $ARGUMENTS";
        for (instructions, given, expected) in [
            (
                explain,
                "bears engineering fun",
                Some(
                    "Explain bears for an audience of engineering professionals. Use a fun tone. Full request: bears engineering fun",
                ),
            ),
            (
                explain,
                " bears   engineering ",
                Some(
                    "Explain bears for an audience of engineering professionals. Use a $2 tone. Full request: bears   engineering",
                ),
            ),
            ("Greet.", "say it in French", None),
            ("$ARGUMENTS[1]-$ARGUMENTS[0]", "a b", Some("b-a")),
            ("<$ARGUMENTS>", "", Some("<>")),
            ("$0 $ARGUMENTS[0]", "", Some("$0 $ARGUMENTS[0]")),
            ("$10$1", "a b c d e f g h i j k", Some("kb")),
            ("$ARGUMENTS[x] $ARGUMENTS[ $ARGUMENTS[]", "a", Some("a[x] a[ a[]")),
            ("$ARGUMENTSX $HOME $$ $", "a", None),
            ("$$0", "a", Some("$a")),
            ("$99999999999999999999999", "a", None),
            // What is put in is not looked at again.
            ("$0 $1", "$1 $0", Some("$1 $0")),
        ] {
            assert_eq!(fill(instructions, given).as_deref(), expected, "{instructions} with {given}");
        }
    }

    #[test]
    fn a_script_in_the_instructions_asks_for_nothing() {
        assert!(
            asks("do $ARGUMENTS")
                && asks("do $ARGUMENTS[0]")
                && !asks("awk '{print $1}'")
                && !asks("$ARGUMENTS_OF")
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_without_dollars_nothing_changes(
            text in "(\\$|ARGUMENTS|\\[|\\]|[0-9]|ä| |\\$ARGUMENTS\\[1\\])*", given in "[a-cä $]{0,12}"
        ) {
            let filled = fill(&text, &given);
            if !text.contains('$') {
                prop_assert_eq!(filled, None);
            }
        }
    }
}
