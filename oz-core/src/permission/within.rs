//! Permissions that go no further than those of somebody else. Pure.

use super::{PermissionLevel as Level, Permissions, SecretExposure};

impl Permissions {
    /// These permissions as far as `parent` goes: of two levels the stricter, of what is asked both lists, of what is
    /// allowed what both allow.
    #[must_use]
    pub fn within(mut self, parent: &Self) -> Self {
        let own = self.clone();
        self.command_allowlist = allowed(
            (&own.command_allowlist, free(&[&own.execute_commands])),
            (&parent.command_allowlist, free(&[&parent.execute_commands])),
            |entry, other| entry == other,
        );
        self.directory_allowlist = allowed(
            (&own.directory_allowlist, free(&[&own.read_files, &own.apply_code_diffs])),
            (&parent.directory_allowlist, free(&[&parent.read_files, &parent.apply_code_diffs])),
            |entry, other| entry == other,
        );
        self.mcp_allowlist = allowed(
            (&own.mcp_allowlist, free(&[&own.call_mcp_servers])),
            (&parent.mcp_allowlist, free(&[&parent.call_mcp_servers])),
            |entry, other| entry == other || entry.split_once('/').is_some_and(|(server, _)| server == other),
        );
        for (list, more) in [
            (&mut self.command_denylist, &parent.command_denylist),
            (&mut self.directory_denylist, &parent.directory_denylist),
            (&mut self.mcp_denylist, &parent.mcp_denylist),
        ] {
            let new: Vec<String> = more.iter().filter(|entry| !list.contains(entry)).cloned().collect();
            list.extend(new);
        }
        // The web is closed unless it is opened.
        if [&own, parent].iter().any(|one| one.call_web_tools != Some(Level::AlwaysAllow)) {
            self.call_web_tools = Some(Level::Never);
        }
        let levels = [
            (&mut self.read_files, &parent.read_files),
            (&mut self.apply_code_diffs, &parent.apply_code_diffs),
            (&mut self.execute_commands, &parent.execute_commands),
            (&mut self.interact_with_running_commands, &parent.interact_with_running_commands),
            (&mut self.call_mcp_servers, &parent.call_mcp_servers),
            (&mut self.create_plans, &parent.create_plans),
            (&mut self.ask_questions, &parent.ask_questions),
            (&mut self.computer_use, &parent.computer_use),
        ];
        for (level, other) in levels {
            if strictness(other.as_ref()) > strictness(level.as_ref()) {
                level.clone_from(other);
            }
        }
        if let Some(exposure) = parent.secrets.clone().filter(|exposure| *exposure != SecretExposure::All) {
            self.secrets = Some(exposure);
        }
        self.run_until_completion &= parent.run_until_completion;
        self
    }
}

fn strictness(level: Option<&Level>) -> u8 {
    match level {
        None | Some(Level::AlwaysAllow) => 0,
        Some(Level::AgentDecides | Level::AskOnFirstWrite) => 1,
        // What this version does not know is asked.
        Some(Level::AlwaysAsk | Level::Unknown(_)) => 2,
        Some(Level::Never) => 3,
    }
}

/// Whether these levels ask nothing, so that a list of what is allowed adds nothing to them.
fn free(levels: &[&Option<Level>]) -> bool {
    levels.iter().all(|level| strictness(level.as_ref()) == 0)
}

/// What both lists allow, each with whether everything is allowed beside it.
fn allowed(
    (own, own_free): (&[String], bool),
    (theirs, theirs_free): (&[String], bool),
    means: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    if theirs_free {
        return own.to_vec();
    }
    if own_free {
        return theirs.to_vec();
    }
    let mut both: Vec<String> = Vec::new();
    for (list, other) in [(own, theirs), (theirs, own)] {
        for entry in list {
            if other.iter().any(|other| means(entry, other)) && !both.contains(entry) {
                both.push(entry.clone());
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::{Ask, Verdict, decide};
    use proptest::{option, prelude::*, sample::subsequence};
    use std::path::PathBuf;

    fn level() -> impl Strategy<Value = Option<Level>> {
        let levels = [Level::AgentDecides, Level::AlwaysAsk, Level::AlwaysAllow, Level::Never];
        option::of(proptest::sample::select(
            levels
                .into_iter()
                .chain([Level::AskOnFirstWrite, Level::Unknown("new".into())])
                .collect::<Vec<_>>(),
        ))
    }

    fn list(all: &[&str]) -> impl Strategy<Value = Vec<String>> {
        let all: Vec<String> = all.iter().map(|entry| (*entry).to_owned()).collect();
        let count = all.len();
        subsequence(all, 0..=count)
    }

    fn permissions() -> impl Strategy<Value = Permissions> {
        let levels = prop::collection::vec(level(), 9);
        let commands = (list(&["ls(\\s.*)?", "rm(\\s.*)?"]), list(&["ls(\\s.*)?", "rm(\\s.*)?"]));
        let files = (list(&["/a", "/a/b"]), list(&["/a", "/a/b"]));
        let servers = (list(&["s", "s/t"]), list(&["s", "s/t"]));
        (levels, commands, files, servers, any::<bool>(), any::<bool>()).prop_map(
            |(levels, c, f, m, named, all)| {
                let mut levels = levels.into_iter();
                let mut next = || levels.next().flatten();
                Permissions {
                    read_files: next(),
                    apply_code_diffs: next(),
                    execute_commands: next(),
                    interact_with_running_commands: next(),
                    call_mcp_servers: next(),
                    call_web_tools: next(),
                    create_plans: next(),
                    ask_questions: next(),
                    computer_use: next(),
                    command_allowlist: c.0,
                    command_denylist: c.1,
                    directory_allowlist: f.0,
                    directory_denylist: f.1,
                    mcp_allowlist: m.0,
                    mcp_denylist: m.1,
                    secrets: named.then_some(SecretExposure::Named),
                    run_until_completion: all,
                }
            },
        )
    }

    fn asks() -> Vec<Ask> {
        let run = |command: &str| Ask::Execute { command: command.to_owned(), risky: false };
        let paths = |path: &str| vec![PathBuf::from(path)];
        let call = |tool: &str| Ask::Mcp { server: "s".into(), tool: tool.into(), read_only: false };
        vec![
            run("ls"),
            run("rm x"),
            run("ls; rm x"),
            run("make"),
            Ask::Read { paths: paths("/a/b/c") },
            Ask::Read { paths: paths("/x") },
            Ask::Change { paths: paths("/a/c") },
            Ask::Change { paths: paths("/x") },
            call("t"),
            call("u"),
            Ask::Interact { program: "p".into(), first: true },
            Ask::Interact { program: "p".into(), first: false },
            Ask::Web,
            Ask::Plan,
            Ask::Question,
            Ask::Computer,
        ]
    }

    fn freedom(permissions: &Permissions, ask: &Ask) -> u8 {
        match decide(permissions, ask) {
            Verdict::Allow => 2,
            Verdict::Ask(_) => 1,
            Verdict::Deny(_) => 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_child_is_no_freer_than_its_parent_nor_than_it_asked_for(
            parent in permissions(),
            child in permissions(),
        ) {
            let both = child.clone().within(&parent);
            for ask in asks() {
                prop_assert!(freedom(&both, &ask) <= freedom(&parent, &ask), "{ask:?}: {both:?}");
                prop_assert!(freedom(&both, &ask) <= freedom(&child, &ask), "{ask:?}: {both:?}");
            }
            prop_assert!(parent.secrets.is_none() || both.secrets.is_some());
            prop_assert_eq!(both.clone().within(&parent), both);
        }

        #[test]
        fn who_asks_for_the_same_gets_it(parent in permissions()) {
            for ask in asks() {
                let same = parent.clone().within(&parent);
                prop_assert_eq!(freedom(&same, &ask), freedom(&parent, &ask), "{:?}", ask);
            }
        }
    }
}
