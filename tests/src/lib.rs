//! A world for end-to-end tests: a control plane, workers and the command line as real processes with their own home,
//! on free ports, in a temporary directory. A world ends by proving that nothing is left over.
#![expect(clippy::expect_used, clippy::panic, reason = "a test's own tools may fail it")]

pub mod canary;
mod clock;
pub mod conformance;
pub mod database;
pub mod docker;
pub mod git_http;
pub mod history;
mod leftovers;
pub mod processes;
pub mod proxy;
mod servers;
pub mod tools;
pub mod world;

pub use world::{Oz, World};
