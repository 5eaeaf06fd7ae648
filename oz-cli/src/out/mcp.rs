//! Shared MCP servers as people read them. Values of variables and headers are not shown: they may be secret.

use super::{
    environment::scope,
    table::{self, Listing, short, time, utc},
};
use oz_core::{api::McpServer, config::McpServerConfig};
use serde::Serialize;

/// A server as a list has it.
#[derive(Serialize)]
pub(crate) struct Entry {
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip)]
    server: McpServer,
}

impl From<McpServer> for Entry {
    fn from(server: McpServer) -> Self {
        Self { uuid: server.uid.clone(), name: server.name.clone(), server }
    }
}

/// A list of servers.
pub(crate) const LIST: Listing<Entry, 6> = Listing {
    header: ["UUID", "NAME", "DESCRIPTION", "SERVER", "LAST EDITED", "SCOPE"],
    whole: 2,
    row: |Entry { uuid, name, server }| {
        [
            uuid.clone(),
            name.clone(),
            short(server.description.as_deref()),
            short(Some(&reached(&server.server))),
            time(server.last_updated),
            scope(server.scope.as_ref()),
        ]
    },
    none: "No MCP servers found.",
};

/// A server as a card.
pub(crate) fn card(server: &McpServer) -> String {
    let config = &server.server;
    let mut rows = vec![("MCP server", server.uid.clone()), ("Name", server.name.clone())];
    rows.extend(server.description.clone().map(|text| ("Description", text)));
    rows.push((if config.url.is_some() { "URL" } else { "Command" }, reached(config)));
    rows.extend(config.env.keys().map(|name| ("Variable", name.clone())));
    rows.extend(config.headers.keys().map(|name| ("Header", name.clone())));
    rows.push(("Scope", scope(server.scope.as_ref())));
    rows.push(("Created", utc(server.created_at)));
    rows.push(("Last edited", utc(server.last_updated)));
    table::card(&rows)
}

/// The address, or the command line.
fn reached(config: &McpServerConfig) -> String {
    let command = config.command.iter().chain(&config.args).map(String::as_str);
    config.url.clone().unwrap_or_else(|| command.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{Value, from_value, json};

    fn server(uid: &str, server: &Value) -> McpServer {
        from_value(json!({ "uid": uid, "name": "files", "description": "reads files", "server": server,
            "scope": { "type": "Team", "uid": "t1" }, "created_at": "2026-03-02T08:00:00Z",
            "last_updated": "2026-03-03T08:00:00Z", "revision": 1 }))
        .unwrap()
    }

    #[test]
    fn servers_are_a_table_and_a_card() {
        let env = json!({ "TOKEN": "secret" });
        let local = server("m1", &json!({ "command": "npx", "args": ["-y", "files"], "env": env }));
        let remote =
            server("m2", &json!({ "url": "https://mcp.example.com", "headers": { "X-Key": "secret" } }));
        insta::assert_snapshot!(card(&local), @"
        MCP server  m1
        Name        files
        Description reads files
        Command     npx -y files
        Variable    TOKEN
        Scope       Team
        Created     2026-03-02 08:00:00 UTC
        Last edited 2026-03-03 08:00:00 UTC
        ");
        insta::assert_snapshot!(card(&remote), @"
        MCP server  m2
        Name        files
        Description reads files
        URL         https://mcp.example.com
        Header      X-Key
        Scope       Team
        Created     2026-03-02 08:00:00 UTC
        Last edited 2026-03-03 08:00:00 UTC
        ");
        let entries = [Entry::from(local), Entry::from(remote)];
        insta::assert_snapshot!(LIST.text(&entries, Format::Text), @"
        UUID	NAME	DESCRIPTION	SERVER	LAST EDITED	SCOPE
        m1	files	reads files	npx -y files	2026-03-03 08:00:00	Team
        m2	files	reads files	https://mcp.example.com	2026-03-03 08:00:00	Team
        ");
        let shown = serde_json::to_value(&entries).unwrap();
        assert_eq!(shown, json!([{ "uuid": "m1", "name": "files" }, { "uuid": "m2", "name": "files" }]));
    }
}
