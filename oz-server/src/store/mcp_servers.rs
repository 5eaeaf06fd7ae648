//! Shared MCP servers in runs: what a run names by an id or a name is looked up whenever its agent asks, so that a change
//! counts for the next execution.

use super::{
    Db, Result, args,
    objects::{Kind, VISIBLE},
};
use oz_core::{
    Error,
    config::{AgentConfig, McpServerConfig},
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Shared {
    server: McpServerConfig,
}

/// The shared server with this id or name, of the team or of one person; the team's where both have one of a name.
fn shared(db: &Db<'_>, team_id: &str, person: &str, wanted: &str) -> Result<Option<McpServerConfig>> {
    let found = db.first(
        &format!(
            "SELECT o.body FROM objects o WHERE {VISIBLE} AND o.kind = ?3 AND (o.object_uid = ?4 OR o.name = ?4)
             ORDER BY CASE WHEN o.object_uid = ?4 THEN 0 ELSE 1 END, o.personal, o.object_uid LIMIT 1"
        ),
        args![team_id, person, Kind::McpServer.as_str(), wanted],
        |row| super::json::<Shared>(row.get(0)?),
    )?;
    Ok(found.map(|shared| shared.server))
}

/// Puts shared servers in the place of their ids and names. One that is gone, or that this run may not see, stays as it is.
/// What a run says about tools and time counts before what the shared server says.
pub(super) fn resolve(
    db: &Db<'_>,
    team_id: &str,
    person: &str,
    servers: &mut BTreeMap<String, McpServerConfig>,
) -> Result<()> {
    for server in servers.values_mut() {
        let Some(wanted) = server.warp_id.as_deref().filter(|id| !id.is_empty()) else { continue };
        if let Some(mut found) = shared(db, team_id, person, wanted)? {
            if !server.allowed_tools.is_empty() {
                found.allowed_tools = std::mem::take(&mut server.allowed_tools);
            }
            found.denied_tools.append(&mut server.denied_tools);
            found.timeout_seconds = server.timeout_seconds.or(found.timeout_seconds);
            *server = found;
        }
    }
    Ok(())
}

/// Checks that every shared server of a configuration is there for `person`.
pub(super) fn check(db: &Db<'_>, team_id: &str, person: &str, config: &AgentConfig) -> Result<()> {
    for (name, server) in &config.mcp_servers {
        let Some(wanted) = server.warp_id.as_deref() else { continue };
        if shared(db, team_id, person, wanted)?.is_none() {
            let field = format!("config.mcp_servers.{name}.warp_id");
            let right = "the id or the name of a shared MCP server that you can see";
            return Err(Error::invalid_field(&field, wanted, right).into());
        }
    }
    Ok(())
}

/// Completes the configuration of a run for its agent.
pub(super) fn resolve_of_run(db: &Db<'_>, run_no: i64, config: &mut AgentConfig) -> Result<()> {
    if config.mcp_servers.values().all(|server| server.warp_id.is_none()) {
        return Ok(());
    }
    let (team_id, creator_id) =
        db.one("SELECT team_id, creator_id FROM runs WHERE run_no = ?1", args![run_no], |row| {
            Ok((row.get::<String>(0)?, row.get::<String>(1)?))
        })?;
    resolve(db, &team_id, &creator_id, &mut config.mcp_servers)
}
