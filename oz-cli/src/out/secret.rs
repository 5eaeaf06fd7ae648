//! Secrets and what was done with them, as people read them. There are no values here: nobody can read one back.

use super::{
    api_key::who,
    environment::scope,
    table::{Listing, short, time, time_or},
};
use oz_core::{
    api::{Secret, SecretLogEntry},
    secret::SecretKind,
};

/// A list of secrets.
pub(crate) const LIST: Listing<Secret, 7> = Listing {
    header: ["NAME", "SCOPE", "TYPE", "CREATED", "UPDATED", "LAST USED", "DESCRIPTION"],
    whole: 2,
    row: |secret| {
        [
            secret.name.clone(),
            scope(Some(&secret.scope)),
            kind(&secret.kind),
            time(secret.created_at),
            time(secret.updated_at),
            time_or(secret.last_used_at, "Never"),
            short(secret.description.as_deref()),
        ]
    },
    none: "No secrets found.",
};

/// What was done with secrets.
pub(crate) const LOG: Listing<SecretLogEntry, 6> = Listing {
    header: ["TIME", "ACTION", "NAME", "SCOPE", "BY", "RUN ID"],
    whole: 6,
    row: |entry| {
        [
            time(entry.at),
            entry.action.to_string(),
            entry.name.clone(),
            scope(entry.scope.as_ref()),
            short(entry.actor.as_ref().map(who).as_deref()),
            entry.run_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        ]
    },
    none: "Nothing was done with secrets yet.",
};

/// What a secret holds, in words.
fn kind(kind: &SecretKind) -> String {
    match kind {
        SecretKind::RawValue => "Raw value",
        SecretKind::Dotenv => "Dotenv file",
        SecretKind::AnthropicApiKey => "Anthropic API key",
        SecretKind::AnthropicBedrockAccessKey => "Anthropic Bedrock access key",
        SecretKind::AnthropicBedrockApiKey => "Anthropic Bedrock API key",
        SecretKind::OpenAiApiKey => "OpenAI API key",
        SecretKind::McpOauth => "Login at an MCP server",
        SecretKind::Unknown(other) => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn secrets_are_a_table_without_values() {
        let secrets: Vec<Secret> = from_value(json!([
            { "uid": "s1", "name": "METABASE_API_KEY", "type": "RAW_VALUE", "description": "read only",
              "scope": { "type": "Team", "uid": "t1" }, "created_at": "2026-03-02T08:00:00Z",
              "updated_at": "2026-03-03T08:00:00Z", "last_used_at": "2026-03-04T08:00:00Z" },
            { "uid": "s2", "name": "claude-login", "type": "ANTHROPIC_API_KEY",
              "scope": { "type": "User", "uid": "u1" }, "created_at": "2026-03-02T08:00:00Z",
              "updated_at": "2026-03-02T08:00:00Z", "last_used_at": null },
            { "uid": "s3", "name": "ssh", "type": "SSH_KEY", "scope": { "type": "Galaxy" },
              "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z", "last_used_at": null }
        ]))
        .unwrap();
        insta::assert_snapshot!(LIST.text(&secrets, Format::Text), @"
        NAME	SCOPE	TYPE	CREATED	UPDATED	LAST USED	DESCRIPTION
        METABASE_API_KEY	Team	Raw value	2026-03-02 08:00:00	2026-03-03 08:00:00	2026-03-04 08:00:00	read only
        claude-login	Personal	Anthropic API key	2026-03-02 08:00:00	2026-03-02 08:00:00	Never	-
        ssh	Galaxy	SSH_KEY	2026-03-02 08:00:00	2026-03-02 08:00:00	Never	-
        ");
        insta::assert_snapshot!(LIST.framed(&secrets[..1]).force_no_tty(), @"
        ╭──────────────────┬───────┬───────────┬─────────────────────┬─────────────────────┬─────────────────────┬─────────────╮
        │ NAME             ┆ SCOPE ┆ TYPE      ┆ CREATED             ┆ UPDATED             ┆ LAST USED           ┆ DESCRIPTION │
        ╞══════════════════╪═══════╪═══════════╪═════════════════════╪═════════════════════╪═════════════════════╪═════════════╡
        │ METABASE_API_KEY ┆ Team  ┆ Raw value ┆ 2026-03-02 08:00:00 ┆ 2026-03-03 08:00:00 ┆ 2026-03-04 08:00:00 ┆ read only   │
        ╰──────────────────┴───────┴───────────┴─────────────────────┴─────────────────────┴─────────────────────┴─────────────╯
        ");
    }

    #[test]
    fn the_log_says_who_used_what_when() {
        let run = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
        let entries: Vec<SecretLogEntry> = from_value(json!([
            { "at": "2026-03-04T08:00:00Z", "action": "refused", "name": "GONE", "run_id": run },
            { "at": "2026-03-04T08:00:00Z", "action": "used", "name": "METABASE_API_KEY", "run_id": run,
              "scope": { "type": "Team", "uid": "t1" },
              "actor": { "type": "service_account", "uid": "a1", "display_name": "reviewer" } },
            { "at": "2026-03-02T08:00:00Z", "action": "created", "name": "METABASE_API_KEY",
              "scope": { "type": "Team", "uid": "t1" },
              "actor": { "type": "user", "uid": "u1", "email": "ann@example.com" } }
        ]))
        .unwrap();
        insta::assert_snapshot!(LOG.text(&entries, Format::Text), @"
        TIME	ACTION	NAME	SCOPE	BY	RUN ID
        2026-03-04 08:00:00	refused	GONE	-	-	0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
        2026-03-04 08:00:00	used	METABASE_API_KEY	Team	reviewer	0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
        2026-03-02 08:00:00	created	METABASE_API_KEY	Team	ann@example.com	-
        ");
    }
}
