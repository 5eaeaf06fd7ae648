//! What a program is told beside its own instructions, and what it may do.

use oz_core::{
    harness::HarnessTask,
    permission::{PermissionLevel, Permissions},
};
use std::fmt::Write as _;

/// The task's instructions and those rules that the program does not read by itself, which are the files that `reads`
/// does not name.
pub(super) fn instructions(task: &HarnessTask, reads: &[&str]) -> Option<String> {
    let mut text = task.base_prompt.clone().unwrap_or_default();
    for rule in &task.rules {
        let name = rule.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let found = reads.contains(&name)
            && rule.path.parent().is_some_and(|directory| task.workspace.starts_with(directory));
        if !found {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            let _ = write!(text, "{gap}Rules of {}:\n\n{}", rule.path.display(), rule.text.trim());
        }
    }
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Whether a program may do what this level is for. Nobody can be asked on its behalf, so what must be asked is not done.
pub(super) fn may(permissions: &Permissions, level: Option<&PermissionLevel>) -> bool {
    match level {
        Some(PermissionLevel::Never) => false,
        Some(PermissionLevel::AlwaysAsk | PermissionLevel::Unknown(_)) => permissions.run_until_completion,
        _ => true,
    }
}

/// The lists of the permissions that hold something, by name: who does not ask before its calls does not keep to them.
pub(super) fn lists(permissions: &Permissions) -> Vec<&'static str> {
    let held = permissions.lists().into_iter().filter(|(_, list)| !list.is_empty());
    held.map(|(name, _)| name).collect()
}

/// Whether a program may use the web.
pub(super) fn may_browse(permissions: &Permissions) -> bool {
    permissions.call_web_tools == Some(PermissionLevel::AlwaysAllow)
}

/// The name of an MCP server or of its tool, as programs write it where they tell models of it.
pub(super) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::harness::Rule;

    #[test]
    fn only_rules_that_it_does_not_read_are_told() {
        let rule = |path: &str, text: &str| Rule { path: path.into(), text: text.into() };
        let task = HarnessTask {
            workspace: "/w/repo".into(),
            base_prompt: Some("Be brief.".into()),
            rules: vec![
                rule("/w/AGENTS.md", "a"),
                rule("/w/repo/CLAUDE.md", "b"),
                rule("/elsewhere/CLAUDE.md", "c\n"),
            ],
            ..HarnessTask::default()
        };
        let text = instructions(&task, &["CLAUDE.md"]).unwrap();
        assert_eq!(text, "Be brief.\n\nRules of /w/AGENTS.md:\n\na\n\nRules of /elsewhere/CLAUDE.md:\n\nc");
        assert_eq!(instructions(&HarnessTask::default(), &[]), None);
    }

    #[test]
    fn what_must_be_asked_is_not_done() {
        use PermissionLevel as L;
        let lax = Permissions { run_until_completion: true, ..Permissions::default() };
        let strict = Permissions::default();
        for (level, expected) in [
            (None, (true, true)),
            (Some(L::AlwaysAllow), (true, true)),
            (Some(L::AgentDecides), (true, true)),
            (Some(L::AlwaysAsk), (false, true)),
            (Some(L::Never), (false, false)),
        ] {
            assert_eq!((may(&strict, level.as_ref()), may(&lax, level.as_ref())), expected, "{level:?}");
        }
        assert!(!may_browse(&strict));
    }
}
