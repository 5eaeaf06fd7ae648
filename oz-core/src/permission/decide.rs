//! The one decision: what an agent wants, and what its permissions say to that.

use super::{PermissionLevel as Level, Permissions, shell};
use regex::{Regex, RegexBuilder};
use std::path::{Component, Path, PathBuf};

/// What an agent wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Read files or directories, by their absolute paths.
    Read {
        /// Which.
        paths: Vec<PathBuf>,
    },
    /// Change, make or delete files, by their absolute paths.
    Change {
        /// Which.
        paths: Vec<PathBuf>,
    },
    /// Run a command.
    Execute {
        /// The command, for `sh -c`.
        command: String,
        /// Whether the agent itself says that it may do harm.
        risky: bool,
    },
    /// Write to a program that runs.
    Interact {
        /// A name for the program, the same as long as it runs.
        program: String,
        /// Whether nothing was written to it before.
        first: bool,
    },
    /// Call a tool of an MCP server.
    Mcp {
        /// The server's name.
        server: String,
        /// The tool's name.
        tool: String,
        /// Whether the server says that it changes nothing.
        read_only: bool,
    },
    /// Fetch a page or search the web.
    Web,
    /// Make a plan.
    Plan,
    /// Ask a human a question.
    Question,
    /// Use a screen.
    Computer,
}

/// What the permissions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// A human decides, because of this.
    Ask(String),
    /// It may not be done, because of this.
    Deny(String),
}

/// Files that say which MCP servers are started, by the ends of their paths.
const MCP_FILES: &[&str] = &[
    ".mcp.json",
    ".claude.json",
    ".cursor/mcp.json",
    ".vscode/mcp.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    "opencode.json",
    "opencode.jsonc",
];

/// Commands that can't be undone, or reach beyond the workspace: asked when the agent decides.
const RISKY: &[&str] = &[
    r"(rm|rmdir|shred|dd|truncate|mkfs(\..*)?|fdisk|parted|wipefs|shutdown|reboot|halt|poweroff|sudo|doas|su)(\s.*)?",
    r"(kill|killall|pkill|crontab|systemctl|iptables|nft|mount|umount|chown|ssh|scp|rsync|nc|ncat|telnet)(\s.*)?",
    r"git\s(.*\s)?(push|clean|reset|filter-branch|gc)(\s.*)?",
    r"(npm|cargo|yarn|pnpm|twine|gem|poetry)\s(.*\s)?(publish|upload|unpublish|yank)(\s.*)?",
    r"(docker|podman)\s(.*\s)?(push|rm|rmi|prune)(\s.*)?",
    r"(terraform|tofu|pulumi)\s(.*\s)?(apply|destroy|up)(\s.*)?",
    r"(kubectl|helm)\s(.*\s)?(delete|apply|install|uninstall|upgrade|drain)(\s.*)?",
];

/// What `permissions` say to what an agent wants. What is forbidden stays so; then an agent that works until completion may
/// do everything; then come the lists of what is asked, those of what is allowed, and the level.
#[must_use]
pub fn decide(permissions: &Permissions, ask: &Ask) -> Verdict {
    let (name, level) = permissions.level(ask);
    let level = level.cloned().unwrap_or(Level::AlwaysAllow);
    if matches!(ask, Ask::Web) && permissions.call_web_tools != Some(Level::AlwaysAllow) {
        return Verdict::Deny("the permission call_web_tools is not 'always_allow'".to_owned());
    }
    if level == Level::Never {
        return Verdict::Deny(format!("the permission {name} is 'never'"));
    }
    if permissions.run_until_completion {
        return Verdict::Allow;
    }
    let asks = |why: String| Verdict::Ask(why);
    let uncertain = match ask {
        Ask::Execute { command, risky } => match commands(permissions, command) {
            Found::Verdict(verdict) => return verdict,
            Found::Nothing { risky: found } => {
                found.or_else(|| risky.then(|| "the agent calls it risky".to_owned()))
            }
        },
        Ask::Read { paths } | Ask::Change { paths } => {
            let changes = matches!(ask, Ask::Change { .. });
            if let Some(verdict) = files(permissions, paths, changes) {
                return verdict;
            }
            changes.then(|| "an agent that decides by itself has its changes looked at".to_owned())
        }
        Ask::Mcp { server, tool, read_only } => {
            if let Some(verdict) = servers(permissions, server, tool) {
                return verdict;
            }
            (!read_only).then(|| format!("the server does not say that '{tool}' changes nothing"))
        }
        Ask::Interact { first, .. } => first.then(|| "nothing was written to this program before".to_owned()),
        Ask::Question => return Verdict::Allow,
        Ask::Web | Ask::Plan => None,
        Ask::Computer => Some("it uses a screen".to_owned()),
    };
    match level {
        Level::AlwaysAllow => Verdict::Allow,
        Level::AgentDecides | Level::AskOnFirstWrite => uncertain
            .map_or(Verdict::Allow, |why| asks(format!("the permission {name} is '{level}', and {why}"))),
        level => asks(format!("the permission {name} is '{level}'")),
    }
}

impl Permissions {
    /// The permission for something, by its name.
    fn level(&self, ask: &Ask) -> (&'static str, Option<&Level>) {
        let (name, level) = match ask {
            Ask::Read { .. } => ("read_files", &self.read_files),
            Ask::Change { .. } => ("apply_code_diffs", &self.apply_code_diffs),
            Ask::Execute { .. } => ("execute_commands", &self.execute_commands),
            Ask::Interact { .. } => ("interact_with_running_commands", &self.interact_with_running_commands),
            Ask::Mcp { .. } => ("call_mcp_servers", &self.call_mcp_servers),
            Ask::Web => ("call_web_tools", &self.call_web_tools),
            Ask::Plan => ("create_plans", &self.create_plans),
            Ask::Question => ("ask_questions", &self.ask_questions),
            Ask::Computer => ("computer_use", &self.computer_use),
        };
        (name, level.as_ref())
    }

    /// The same permissions with all directories as absolute paths: relative ones are below `root`, `~` is `home`.
    #[must_use]
    pub fn rooted(mut self, root: &Path, home: Option<&Path>) -> Self {
        for directory in self.directory_allowlist.iter_mut().chain(&mut self.directory_denylist) {
            let below_home = match directory.strip_prefix('~') {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                    home.map(|home| home.join(rest.trim_start_matches('/')))
                }
                _ => None,
            };
            let path = below_home.unwrap_or_else(|| root.join(&*directory));
            *directory = normal(&path).to_string_lossy().into_owned();
        }
        self
    }
}

enum Found {
    Verdict(Verdict),
    /// The lists say nothing; why it is risky, if it is.
    Nothing {
        risky: Option<String>,
    },
}

fn commands(permissions: &Permissions, command: &str) -> Found {
    let script = shell::read(command);
    let all = || script.parts.iter().flat_map(|part| &part.forms);
    if !permissions.command_denylist.is_empty() {
        for (i, pattern) in permissions.command_denylist.iter().enumerate() {
            let Some(regex) = whole(pattern) else {
                return Found::Verdict(Verdict::Ask(format!(
                    "command_denylist[{i}] is no regular expression"
                )));
            };
            if let Some(text) = all().find(|text| regex.is_match(text)) {
                let why = format!("'{text}' matches '{pattern}' of the command denylist");
                return Found::Verdict(Verdict::Ask(why));
            }
        }
        if let Some(why) = &script.unclear {
            let why = format!("there is a command denylist, and what the command does is not clear: {why}");
            return Found::Verdict(Verdict::Ask(why));
        }
    }
    let allowed: Vec<Regex> = permissions.command_allowlist.iter().filter_map(|p| whole(p)).collect();
    let every = script
        .parts
        .iter()
        .all(|part| part.writes.is_empty() && allowed.iter().any(|r| r.is_match(&part.text)));
    if script.unclear.is_none() && !script.parts.is_empty() && every {
        return Found::Verdict(Verdict::Allow);
    }
    let known = RISKY.iter().filter_map(|pattern| whole(pattern));
    let text = known.into_iter().find_map(|regex| all().find(|text| regex.is_match(text)));
    let writes = script.parts.iter().find(|part| !part.writes.is_empty());
    let risky = (script.unclear.clone())
        .or_else(|| text.map(|text| format!("'{text}' may not be undone")))
        .or_else(|| writes.map(|part| format!("'{}' changes files", part.text)));
    Found::Nothing { risky }
}

/// A pattern for the whole of a text.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    compile(pattern).ok()
}

pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    // A pattern must not close the group around it.
    Regex::new(pattern)?;
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).dot_matches_new_line(true).size_limit(1 << 20).build()
}

fn files(permissions: &Permissions, paths: &[PathBuf], changes: bool) -> Option<Verdict> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| normal(path)).collect();
    let mcp = |path: &&PathBuf| changes && starts_servers(path);
    if let Some(path) = paths.iter().find(mcp) {
        let why = format!("'{}' says which MCP servers are started", path.display());
        return Some(Verdict::Ask(why));
    }
    let within = |list: &[String], path: &Path| {
        list.iter().find(|dir| path.starts_with(normal(Path::new(dir)))).cloned()
    };
    for path in &paths {
        // Who looks through a directory looks into what lies in it, too.
        let below = |dir: &&String| !changes && normal(Path::new(dir)).starts_with(path);
        let denied = within(&permissions.directory_denylist, path);
        if let Some(directory) = denied.or_else(|| permissions.directory_denylist.iter().find(below).cloned())
        {
            let why = format!("'{}' touches '{directory}' of the directory denylist", path.display());
            return Some(Verdict::Ask(why));
        }
    }
    let all = !paths.is_empty()
        && paths.iter().all(|path| within(&permissions.directory_allowlist, path).is_some());
    all.then_some(Verdict::Allow)
}

fn servers(permissions: &Permissions, server: &str, tool: &str) -> Option<Verdict> {
    let names = |entry: &&String| {
        let tool_of = entry.strip_prefix(server).and_then(|rest| rest.strip_prefix('/'));
        *entry == server || tool_of == Some(tool)
    };
    if let Some(entry) = permissions.mcp_denylist.iter().find(names) {
        return Some(Verdict::Ask(format!("'{entry}' is in the MCP denylist")));
    }
    permissions.mcp_allowlist.iter().find(names).map(|_| Verdict::Allow)
}

/// Whether a file says which MCP servers are started.
pub(super) fn starts_servers(path: &Path) -> bool {
    MCP_FILES.iter().any(|end| path.ends_with(end))
}

/// A path without `.` and `..`.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
