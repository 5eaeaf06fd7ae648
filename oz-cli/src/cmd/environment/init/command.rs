//! The command line that makes an environment.

use oz_core::environment::EnvironmentConfig;

/// The words of the command, each option with its value.
pub(super) fn words(config: &EnvironmentConfig) -> Vec<String> {
    let mut words = vec![format!("oz environment create -n {}", quoted(&config.name))];
    let mut option = |flag: &str, value: &str| words.push(format!("{flag} {}", quoted(value)));
    if config.source_repos.is_none() {
        for repo in &config.github_repos {
            option("-r", &format!("{}/{}", repo.owner, repo.repo));
        }
    }
    for repo in config.source_repos.iter().flatten() {
        let reference = repo.checkout_ref.as_ref().map_or_else(String::new, |name| format!("@{name}"));
        option("-r", &format!("{}{reference}", repo.url));
    }
    config.docker_image.iter().for_each(|image| option("-d", image));
    config.setup_commands.iter().for_each(|command| option("-c", command));
    for credential in &config.git_credentials {
        option("--git-credential", &format!("{}={}", credential.host, credential.secret));
    }
    words
}

/// A word as a shell reads it back.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in
            [("npm", "npm"), ("npm ci", "'npm ci'"), ("", "''"), ("it's", "'it'\\''s'"), ("$(x)", "'$(x)'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
