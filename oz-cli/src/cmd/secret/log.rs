//! `oz secret log`: who made, changed, deleted or used which secret when.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{self, secret},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::ListSecretLog;

/// Show who used which secret when, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret log METABASE_API_KEY
  oz secret log --run 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e -L 100")]
pub(crate) struct LogArgs {
    /// Only of secrets with this name
    name: Option<String>,
    /// Only of this run
    #[arg(long, value_name = "RUN_ID")]
    run: Option<String>,
    /// At most this many, up to 500
    #[arg(short = 'L', long, default_value_t = 50)]
    limit: i64,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(super) async fn run(client: &Client, args: LogArgs, format: Format) -> Outcome {
    let request = ListSecretLog {
        name: args.name,
        run_id: args.run.as_deref().map(str::parse).transpose()?,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let page = client.secrets().log(&request).await?;
    secret::LOG.print(&page, &page.entries, format)?;
    if let Some(cursor) = page.page_info.next_cursor.filter(|_| !format.is_json()) {
        out::note(format!("There are more: --cursor {}", out::plain(&cursor)));
    }
    Ok(true)
}
