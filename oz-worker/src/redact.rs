//! Keeps secrets out of what the worker tells and logs. It knows values only by the names of their variables.

/// What replaces a secret.
const MASK: &str = "[redacted]";
/// Shorter values would shred ordinary text.
const SHORTEST: usize = 6;
const ENDINGS: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "CREDENTIALS"];

/// Secret values to hide.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets among environment variables. A value of several lines counts line by line, because output is
    /// looked at line by line.
    pub(crate) fn among<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let secret = variables.into_iter().filter(|(name, value)| is_secret(name) || has_credentials(value));
        let lines = secret.flat_map(|(_, value)| value.lines()).map(str::trim);
        let mut values: Vec<String> =
            lines.filter(|line| line.len() >= SHORTEST).map(str::to_owned).collect();
        // A secret that contains another must go first.
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self(values)
    }

    /// `text` without the secrets.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }
}

fn is_secret(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name).to_ascii_uppercase();
    ENDINGS.iter().any(|ending| last.ends_with(ending))
}

/// Whether a value is an address with a user and a password in it.
fn has_credentials(value: &str) -> bool {
    value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_variables_are_hidden() {
        let secrets = Secrets::among([
            ("WARP_API_KEY", "wk-1.abcdef"),
            ("WARP_WORKLOAD_TOKEN", "wk-1.abcdef.longer"),
            ("GITHUB_ACCESS_TOKEN", "ghp_123456"),
            ("DB_URL", "postgres://me:hunter2@db/x"),
            ("SSH_KEY", "-----BEGIN-----\nline-one\nline-two\n"),
            ("OZ_MODEL", "some-model"),
            ("SHORT_TOKEN", "abc"),
        ]);
        let text =
            "wk-1.abcdef.longer wk-1.abcdef ghp_123456 postgres://me:hunter2@db/x line-two some-model abc";
        let mask = MASK;
        assert_eq!(secrets.hide(text), format!("{mask} {mask} {mask} {mask} {mask} some-model abc"));
    }
}
