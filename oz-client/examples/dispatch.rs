//! Dispatches a run, shows it live, and ends with its record.
//!
//! `OZ_API_KEY=wk-… cargo run -p oz-client --example dispatch -- "fix the failing test" https://github.com/me/app`

use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{
    api::CreateRun,
    config::{AgentConfig, SourceRepo},
};
use std::{env, pin::pin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = env::var("OZ_SERVER_URL").unwrap_or_else(|_| "http://127.0.0.1:7700".to_owned());
    let client = Client::new(&server, env::var("OZ_API_KEY").ok())?;
    let mut args = env::args().skip(1);
    let prompt = args.next();
    let source_repos = args.map(|url| SourceRepo { url, checkout_ref: None }).collect();
    let config = Some(AgentConfig { source_repos, ..AgentConfig::default() });
    let created = client.runs().create(&CreateRun { prompt, config, ..CreateRun::default() }).await?;
    let mut items = pin!(client.watch(created.run_id, 0));
    while let Some(item) = items.next().await {
        println!("{:?}", item?);
    }
    println!("{:#?}", client.runs().get(created.run_id).await?);
    Ok(())
}
