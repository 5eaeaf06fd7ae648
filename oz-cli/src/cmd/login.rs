//! `oz login`: checks an address and a key and remembers them.

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    error::CliError,
    out,
    settings::{self, Login},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::WhoAmI;

/// Remember the address and key of a control plane.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz login --server https://oz.example.com --api-key wk-1.…
  OZ_API_KEY=wk-1.… oz login                    keeps the key out of the shell's history")]
pub(crate) struct LoginArgs {
    /// Address of the control plane
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

pub(crate) async fn run(args: LoginArgs, global: &Global) -> Outcome {
    let global =
        Global { server_root_url: args.server.or_else(|| global.server_root_url.clone()), ..global.clone() };
    let connection = connection::of(&global);
    let Some(api_key) = connection.api_key else {
        return Err(CliError::new("a key is required; pass it with --api-key or OZ_API_KEY"));
    };
    let server_url = connection.server_url;
    let account = Client::new(&server_url, Some(api_key.clone()))?.send(&WhoAmI {}).await?;
    let path = settings::store(&Login { server_url: server_url.clone(), api_key })?;
    let name = account.principal.display_name.unwrap_or(account.principal.uid);
    out::line(format!("Logged in to {server_url} as {name}; stored in {}.", path.display()));
    Ok(true)
}
