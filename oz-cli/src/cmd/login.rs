//! `oz login`, `oz logout`, `oz whoami`.

use super::Outcome;
use crate::{
    cli::{Format, Global},
    out,
    settings::{self, Login},
};
use clap::Args;
use oz_client::Client;
use oz_core::{api::WhoAmI, principal::PrincipalType};

/// Remember the address and key of a control plane.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz login --server https://oz.example.com --api-key wk-1.…")]
pub(crate) struct LoginArgs {
    /// Address of the control plane
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

pub(crate) async fn login(args: LoginArgs, global: &Global) -> Outcome {
    let server_url = args.server.unwrap_or_else(|| global.server_url());
    let Some(api_key) = global.key() else {
        return Err(
            crate::error::CliError::new("a key is required").hint("pass it with --api-key or OZ_API_KEY")
        );
    };
    let account = Client::new(&server_url, Some(api_key.clone()))?.send(&WhoAmI {}).await?;
    let path = settings::store(&Login { server_url: server_url.clone(), api_key })?;
    let name = account.principal.display_name.unwrap_or(account.principal.uid);
    out::line(format!("Logged in to {server_url} as {name}; stored in {}.", path.display()));
    Ok(true)
}

pub(crate) fn logout() -> Outcome {
    out::line(if settings::forget()? { "Logged out." } else { "You were not logged in." });
    Ok(true)
}

pub(crate) async fn whoami(global: &Global) -> Outcome {
    let account = global.client()?.send(&WhoAmI {}).await?;
    if global.output_format.is_json() {
        out::json(global.output_format, &account)?;
        return Ok(true);
    }
    if account.principal.kind == PrincipalType::ServiceAccount {
        out::line(format!("service_account:{}", account.principal.uid));
        return Ok(true);
    }
    let rows = [
        ("User ID", Some(account.principal.uid)),
        ("Email", account.principal.email),
        ("Team ID", account.team_id),
        ("Team Name", account.team_name),
        ("Role", account.role),
    ];
    let separator = if global.output_format == Format::Text { "\t" } else { ": " };
    for (name, value) in rows {
        if let Some(value) = value {
            out::line(format!("{name}{separator}{value}"));
        }
    }
    Ok(true)
}
