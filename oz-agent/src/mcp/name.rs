//! Names for the tools of servers that every model service takes. Pure.

use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// The longest name that every model service takes.
const MOST: usize = 64;

/// The name under which the model knows `tool` of `server`, unlike all in `taken`.
pub(super) fn name(server: &str, tool: &str, taken: &HashSet<String>) -> String {
    let legal = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
            .collect()
    };
    let plain = format!("mcp__{}__{}", legal(server), legal(tool));
    if plain.len() <= MOST && !taken.contains(&plain) {
        return plain;
    }
    // The same tool gets the same name in every run.
    let digest = Sha256::digest(format!("{server}\0{tool}"));
    let mark = format!("_{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
    let kept: String = plain.chars().take(MOST - mark.len()).collect();
    kept + &mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable_where_they_can_be() {
        let none = HashSet::new();
        assert_eq!(name("github", "create-issue", &none), "mcp__github__create-issue");
        assert_eq!(name("my server", "a.b/c", &none), "mcp__my_server__a_b_c");
        let taken = HashSet::from([name("a", "b.c", &none)]);
        let other = name("a", "b_c", &taken);
        assert!(other.starts_with("mcp__a__b_c_") && !taken.contains(&other), "{other}");
    }

    proptest! {
        #[test]
        fn every_name_is_legal(server in ".{0,90}", tool in ".{0,90}") {
            let name = name(&server, &tool, &HashSet::new());
            prop_assert!((1..=MOST).contains(&name.len()), "{}", name);
            prop_assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'), "{}", name);
        }
    }
}
