//! What programs can hold to of a run's permissions. They ask nobody while they work alone, so what would have to be
//! asked is refused before it begins.

use oz_core::{
    Error,
    permission::{PermissionLevel, Permissions},
};

/// What a program must not do.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Forbidden {
    /// Run commands.
    pub(super) commands: bool,
    /// Change files.
    pub(super) changes: bool,
    /// Call MCP servers.
    pub(super) mcp: bool,
}

/// What `permissions` forbid the harness `name`.
pub(super) fn forbidden(name: &str, permissions: &Permissions) -> Result<Forbidden, Error> {
    let lists = [
        ("command_denylist", &permissions.command_denylist),
        ("directory_denylist", &permissions.directory_denylist),
        ("mcp_denylist", &permissions.mcp_denylist),
    ];
    if let Some((field, _)) = lists.iter().find(|(_, list)| !list.is_empty()) {
        return Err(Error::unsupported(format!(
            "the harness '{name}' can't ask while it works, so permissions.{field} can't be kept; leave it out or use \
             the harness 'oz'"
        )));
    }
    let never = |field: &str, level: &Option<PermissionLevel>| match level {
        None | Some(PermissionLevel::AlwaysAllow | PermissionLevel::AgentDecides) => Ok(false),
        Some(PermissionLevel::Never) => Ok(true),
        Some(level) => Err(Error::unsupported(format!(
            "the harness '{name}' can't ask while it works, so permissions.{field} can't be '{level}'; it can be \
             'always_allow', 'agent_decides' or 'never'"
        ))),
    };
    Ok(Forbidden {
        commands: never("execute_commands", &permissions.execute_commands)?,
        changes: never("apply_code_diffs", &permissions.apply_code_diffs)?,
        mcp: never("call_mcp_servers", &permissions.call_mcp_servers)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_kept_is_refused() {
        let given = |level| Permissions { execute_commands: Some(level), ..Permissions::default() };
        assert_eq!(forbidden("gemini", &Permissions::default()), Ok(Forbidden::default()));
        let never = forbidden("gemini", &given(PermissionLevel::Never)).unwrap();
        assert!(never.commands && !never.changes && !never.mcp);
        let error = forbidden("gemini", &given(PermissionLevel::AlwaysAsk)).unwrap_err().to_string();
        assert!(error.contains("permissions.execute_commands can't be 'always_ask'"), "{error}");
        let list = Permissions { command_denylist: vec!["rm .*".into()], ..Permissions::default() };
        assert!(forbidden("gemini", &list).unwrap_err().to_string().contains("command_denylist"));
    }
}
