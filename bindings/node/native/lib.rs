//! The native part of the TypeScript package: it translates between Node-API and `oz-bridge`. It decides nothing, knows
//! no endpoint and no type, and never blocks the thread that JavaScript runs on.
//!
//! Everything crosses as JSON text, by number: JavaScript starts work under a number of its own, and a `port` delivers
//! what came of it under the same number. So a call costs no native promise and no function of its own.

mod client;
mod embedded;
mod hooks;
mod port;
mod rules;

pub use client::Client;
pub use embedded::{run_local, run_task, serve, stop_served, work};
pub use port::Port;
pub use rules::{can_transition, methods, next_state, schemas, validate};
