//! MCP: servers that lend tools to an agent. Whatever a server does, hang, die, flood or lie, it costs the agent the
//! server and nothing else.

mod connect;
mod content;
mod find;
mod list;
mod name;
mod relay;
mod resource;
mod server;
mod sse;
mod stdio;
mod tool;

pub(crate) use list::Servers;
pub(crate) use relay::instead;
pub use relay::relay;

#[cfg(test)]
mod tests;
