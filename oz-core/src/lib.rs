//! What Oz *is*: its types, its rules and its seams. It does no I/O and reads no clock and no environment; every other
//! room of the workspace, the bindings included, speaks in these types, which are wire type, JSON of the command line and
//! domain type at once.
//!
#![doc = include_str!("../README.md")]

pub mod api;
pub mod artifact;
pub mod catalog;
pub mod config;
pub mod conversation;
pub mod egress;
pub mod env;
pub mod environment;
pub mod error;
pub mod event;
pub mod harness;
pub mod id;
pub mod inference;
pub mod model;
mod open;
pub mod permission;
pub mod principal;
pub mod redact;
pub mod request;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod transcript;
pub mod usage;
pub mod worker;

pub use error::{Error, ErrorCode};
pub use id::{ArtifactId, ConversationId, ExecutionId, RunId, TeamId, UserId};
pub use jiff::Timestamp;
pub use open::Open;
pub use redact::Redactor;
pub use run::{Run, RunState};
