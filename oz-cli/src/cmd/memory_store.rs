//! `oz memory-store`: places where agents keep what they learn.

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    error::CliError,
    out::{memory, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::{CreateMemoryStore, GetMemoryStore, ListMemoryStores, ListStoreAgents, UpdateMemoryStore};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum MemoryStoreCommand {
    /// List memory stores
    #[command(after_help = "Examples:\n  oz memory-store list")]
    List,
    /// Show a memory store
    #[command(alias = "get-store", after_help = "Examples:\n  oz memory-store get UID")]
    Get(StoreArgs),
    /// Make a memory store
    Create(CreateArgs),
    /// Change what a memory store says of itself
    #[command(visible_alias = "edit-store", alias = "update-store")]
    Update(UpdateArgs),
    /// List the agents that may use a memory store
    #[command(
        visible_alias = "store-agents",
        after_help = "Examples:\n  oz memory-store list-store-agents UID"
    )]
    ListStoreAgents(StoreArgs),
}

/// A memory store.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store
    uid: String,
}

/// Make a memory store.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz memory-store create -d \"what we know of the build\"")]
pub(crate) struct CreateArgs {
    /// What it holds
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// It is yours alone, rather than the team's
    #[arg(long)]
    personal: bool,
}

/// Change what a memory store says of itself.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz memory-store update UID -d \"what we know of the build\"")]
pub(crate) struct UpdateArgs {
    /// The store
    uid: String,
    /// What it holds; an empty text clears
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
}

pub(crate) async fn run(command: MemoryStoreCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        MemoryStoreCommand::List => {
            let list = client.send(&ListMemoryStores {}).await?;
            memory::STORES.print(&list, &list.memory_stores, format)?;
        }
        MemoryStoreCommand::Get(StoreArgs { uid }) => {
            print_one(&client.send(&GetMemoryStore { uid }).await?, format, memory::store)?;
        }
        MemoryStoreCommand::Create(args) => {
            let team = args.personal.then_some(false);
            let request = CreateMemoryStore { description: args.description, team };
            print_one(&client.send(&request).await?, format, memory::store)?;
        }
        MemoryStoreCommand::Update(UpdateArgs { uid, description }) => {
            // The server takes an absent description for one to clear.
            let Some(description) = description else { return Err(CliError::new("No updates requested")) };
            let request = UpdateMemoryStore { uid, description: Some(description) };
            print_one(&client.send(&request).await?, format, memory::store)?;
        }
        MemoryStoreCommand::ListStoreAgents(StoreArgs { uid }) => {
            let list = client.send(&ListStoreAgents { uid }).await?;
            memory::AGENTS.print(&list, &list.agents, format)?;
        }
    }
    Ok(true)
}
