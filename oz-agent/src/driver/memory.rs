//! The memory stores of a run as tools of its agent, and what of them is told at the start.

use oz_client::Client;
use oz_core::{config::MemoryStoreRef, harness::HostTool};
use std::sync::Arc;

/// Tools for these stores; none when there are none.
pub(super) fn tools(client: &Client, stores: &[MemoryStoreRef]) -> Vec<Arc<dyn HostTool>> {
    let _ = (client, stores);
    Vec::new()
}
