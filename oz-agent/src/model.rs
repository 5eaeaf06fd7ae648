//! Language models, one file per provider, and the choice among them. A provider converts between our messages and its
//! wire format; it never retries and never decides when a conversation ends.

mod anthropic;
mod chat;
mod choice;
mod endpoint;
mod environment;
mod fallback;
mod file;
mod price;
mod refusal;
mod resolve;
mod responses;
mod route;
mod scripted;
mod source;
mod sse;

pub use fallback::{Chain, Link, Patience};
pub use file::key_variables;
pub use price::{Price, Prices};
pub use resolve::resolve;
pub use source::Sources;

use serde_json::{Map, Value};

/// The arguments of a call for a wire that wants an object, or a server that parses them itself: what the model wrote,
/// or nothing when that was no object. The call's result says then what was wrong.
fn arguments_object(arguments: &str) -> Map<String, Value> {
    serde_json::from_str(arguments).unwrap_or_default()
}

/// What is wrong in a YAML text, and where, in one line.
pub(crate) fn yaml_error(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
