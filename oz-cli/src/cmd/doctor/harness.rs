//! Other agents that runs may use as their harness.

use super::{
    report::Check,
    tool::{Answer, LIMIT, ask},
};
use futures_util::future::join_all;

/// Name of the program and how to install it.
const HARNESSES: [(&str, &str); 4] = [
    ("claude", "npm install -g @anthropic-ai/claude-code"),
    ("codex", "npm install -g @openai/codex"),
    ("gemini", "npm install -g @google/gemini-cli"),
    ("opencode", "npm install -g opencode-ai"),
];

pub(super) async fn checks(path: &str) -> Vec<Check> {
    let asked = HARNESSES.map(|(name, install)| async move {
        check(name, install, ask(name, &["--version"], path, LIMIT).await)
    });
    join_all(asked).await
}

fn check(name: &str, install: &str, answer: Answer) -> Check {
    match answer {
        Answer::Missing => {
            Check::absent(name, format!("not installed; needed for --harness {name}"), install)
        }
        Answer::Silent => Check::warning(
            name,
            format!("`{name} --version` does not answer within {} s", LIMIT.as_secs()),
            install,
        ),
        Answer::Failed(why) => Check::warning(name, format!("does not start: {why}"), install),
        Answer::Said(version) => Check::ok(name, version),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{Programs, shown},
        *,
    };

    #[tokio::test]
    async fn every_harness_says_its_version() {
        let programs = Programs::new(&[
            ("claude", "[ \"$1\" = --version ] && echo '2.1.0 (Claude Code)'"),
            ("codex", "echo 'node: not found' >&2; exit 127"),
        ]);
        insta::assert_snapshot!(shown(&checks(programs.path()).await), @"
        ok claude: 2.1.0 (Claude Code)
        warning codex: does not start: node: not found => npm install -g @openai/codex
        skipped gemini: not installed; needed for --harness gemini => npm install -g @google/gemini-cli
        skipped opencode: not installed; needed for --harness opencode => npm install -g opencode-ai
        ");
        insta::assert_snapshot!(shown(&[check("gemini", "npm install", Answer::Silent)]), @"warning gemini: `gemini --version` does not answer within 10 s => npm install");
    }
}
