//! What runs inside a workspace: the run driver, the native harness, the model providers and the tools. It never
//! decides what a run may become, the control plane does, and it never outlives the processes that it starts.

mod budget;
mod command;
pub mod driver;
pub mod egress;
mod foreign;
mod gate;
mod human;
mod job;
pub mod local;
pub mod mcp;
mod memory;
pub mod model;
pub mod native;
pub mod oauth;
mod picture;
mod process;
mod repository;
mod rule;
mod skill;
mod tool;
mod web;
