//! The stories: what users do with the system, from outside, with real processes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "tests"
)]

mod bad_input;
mod budgets;
mod cancel;
mod crash;
mod failure;
mod full_disk;
mod inputs;
mod main_job;
mod models;
mod openapi;
mod quickstart;
mod replicas;
mod schemathesis;
mod sdk;
mod team;
