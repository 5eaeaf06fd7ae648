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
mod command_backend;
mod command_line;
mod crash;
mod deploy;
mod docker;
mod doctor;
mod failure;
mod foreign;
mod frontends;
mod full_disk;
mod git_login;
mod harness_support;
mod humans;
mod inputs;
mod isolation;
mod kubernetes;
mod main_job;
mod mcp;
mod models;
mod modes;
mod openapi;
mod python;
mod quickstart;
mod replicas;
mod schedules;
mod schemathesis;
mod sdk;
mod secrets;
mod setup;
mod skills;
mod tasks;
mod team;
mod telemetry;
mod terminal;
mod typescript;
