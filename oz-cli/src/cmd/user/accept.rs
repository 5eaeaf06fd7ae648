//! `oz user accept`: accepts an invitation.

use crate::{
    cli::Format,
    cmd::Outcome,
    connection::Connection,
    out::{self, table::print_one, team},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::AcceptInvitation;

/// Accept an invitation; your key is shown once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz user accept CODE --name Ann
  OZ_SERVER_URL=https://oz.example.com oz user accept CODE")]
pub(crate) struct AcceptArgs {
    /// The code of the invitation
    code: String,
    /// How to be called
    #[arg(long)]
    name: Option<String>,
}

pub(super) async fn run(connection: Connection, args: AcceptArgs, format: Format) -> Outcome {
    let client = Client::new(&connection.server_url, None)?;
    let request = AcceptInvitation { code: args.code, display_name: args.name };
    print_one(&client.send(&request).await?, format, team::joined)?;
    if !format.is_json() {
        let url = client.server_url();
        out::note(format!(
            "Keep the key: it is not shown again. Store it with `OZ_API_KEY=… oz login --server {url}`."
        ));
    }
    Ok(true)
}
