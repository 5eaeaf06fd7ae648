//! `oz whoami`: shows whose key this is.

use super::Outcome;
use crate::{
    cli::{Format, Global},
    connection, out,
};
use oz_core::{
    api::{Account, WhoAmI},
    principal::PrincipalType,
};

pub(crate) async fn run(global: &Global) -> Outcome {
    let account = connection::of(global).client()?.send(&WhoAmI {}).await?;
    if global.output_format.is_json() {
        out::json(global.output_format, &account)?;
    } else {
        out::line(lines(account, global.output_format));
    }
    Ok(true)
}

fn lines(account: Account, format: Format) -> String {
    if account.principal.kind == PrincipalType::ServiceAccount {
        return format!("service_account:{}", account.principal.uid);
    }
    let separator = if format == Format::Text { "\t" } else { ": " };
    let rows = [
        ("User ID", Some(account.principal.uid)),
        ("Email", account.principal.email),
        ("Team ID", account.team_id),
        ("Team Name", account.team_name),
        ("Role", account.role),
    ];
    let lines = rows.into_iter().filter_map(|(name, value)| Some(format!("{name}{separator}{}", value?)));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(kind: &str) -> Account {
        let principal = serde_json::json!({ "type": kind, "uid": "u1", "email": "me@example.com" });
        serde_json::from_value(
            serde_json::json!({ "principal": principal, "team_id": "t1", "team_name": "Team" }),
        )
        .unwrap()
    }

    #[test]
    fn people_and_service_accounts() {
        insta::assert_snapshot!(lines(account("user"), Format::Pretty), @"
        User ID: u1
        Email: me@example.com
        Team ID: t1
        Team Name: Team
        ");
        insta::assert_snapshot!(lines(account("user"), Format::Text), @"
        User ID	u1
        Email	me@example.com
        Team ID	t1
        Team Name	Team
        ");
        insta::assert_snapshot!(lines(account("service_account"), Format::Pretty), @"service_account:u1");
    }
}
