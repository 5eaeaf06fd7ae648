//! Names as TypeScript writes them.

/// `list_all` as `listAll`.
pub(super) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut chars = pascal.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// `api_keys` as `ApiKeys`.
pub(super) fn pascal(name: &str) -> String {
    let words = name.split(['_', '-', '.']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A name as a key of an object: quoted when it must be.
pub(super) fn key(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { quoted(name) }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_language() {
        assert_eq!(camel("list_all"), "listAll");
        assert_eq!(pascal("api_keys"), "ApiKeys");
        assert_eq!(key("run_ids[]"), "'run_ids[]'");
        assert_eq!(key("run_id"), "run_id");
        assert_eq!(quoted("it's"), "'it\\'s'");
    }
}
