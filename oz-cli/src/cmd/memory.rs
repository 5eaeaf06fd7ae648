//! `oz memory`: what agents have learned.

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    out::{self, memory, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::{
    CreateMemory, DeleteMemory, ListMemories, ListMemoryVersions, MemoryWritten, UpdateMemory,
};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum MemoryCommand {
    /// List the memories of a store
    List(ListArgs),
    /// Add a memory
    #[command(visible_alias = "add")]
    Create(CreateArgs),
    /// Change a memory
    #[command(visible_alias = "edit")]
    Update(UpdateArgs),
    /// Delete a memory; its versions stay
    #[command(visible_alias = "remove", after_help = "Examples:\n  oz memory delete MEMORY -s STORE")]
    Delete(MemoryArgs),
    /// List the versions of a memory
    #[command(after_help = "Examples:\n  oz memory versions MEMORY -s STORE")]
    Versions(MemoryArgs),
}

/// List the memories of a store.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz memory list STORE")]
pub(crate) struct ListArgs {
    /// The store
    store: String,
}

/// A memory of a store.
#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// The memory
    memory: String,
    /// Its store
    #[arg(short, long, value_name = "UID")]
    store: String,
}

/// What to remember, and why.
#[derive(Debug, Args)]
pub(crate) struct Content {
    /// What to remember
    #[arg(short, long, value_name = "TEXT")]
    content: String,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    reason: String,
    /// The version that you have seen; if there is a newer one, nothing is changed
    #[arg(long, value_name = "N")]
    version: Option<i64>,
}

/// Add a memory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz memory create STORE -c \"the tests need Docker\" -r \"found out the hard way\"")]
pub(crate) struct CreateArgs {
    /// The store
    store: String,
    #[command(flatten)]
    content: Content,
}

/// Change a memory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz memory update MEMORY -s STORE -c \"the tests need Podman\" -r \"we moved\" --version 1")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    content: Content,
}

pub(crate) async fn run(command: MemoryCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        MemoryCommand::List(ListArgs { store: uid }) => {
            let list = client.send(&ListMemories { uid }).await?;
            memory::MEMORIES.print(&list, &list.memories, format)?;
        }
        MemoryCommand::Create(CreateArgs { store: uid, content: Content { content, reason, version } }) => {
            let request =
                CreateMemory { uid, content, version, reason: Some(reason), ..CreateMemory::default() };
            print_one(&client.send(&request).await?, format, written)?;
        }
        MemoryCommand::Update(UpdateArgs { memory, content: Content { content, reason, version } }) => {
            let MemoryArgs { memory: memory_id, store: uid } = memory;
            let request = UpdateMemory { uid, memory_id, content, version, reason: Some(reason) };
            print_one(&client.send(&request).await?, format, written)?;
        }
        MemoryCommand::Delete(MemoryArgs { memory: memory_id, store: uid }) => {
            let request = DeleteMemory { uid, memory_id };
            client.send(&request).await?;
            out::deleted("memory_uid", "Memory", &request.memory_id, format)?;
        }
        MemoryCommand::Versions(MemoryArgs { memory: memory_id, store: uid }) => {
            let list = client.send(&ListMemoryVersions { uid, memory_id }).await?;
            memory::VERSIONS.print(&list, &list.versions, format)?;
        }
    }
    Ok(true)
}

fn written(written: &MemoryWritten) -> String {
    format!("Memory {} is written as version {}.", written.memory_id, written.version_id)
}
