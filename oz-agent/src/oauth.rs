//! Logins at MCP servers by OAuth 2.1: how one is got, and how it is kept fresh.

mod device;
mod fresh;
mod login;

pub use device::{Device, begin_device};
pub(crate) use fresh::fresh;
pub use login::Login;

/// Who logs in, where a client was registered by hand.
#[derive(Clone, Default)]
pub struct KnownClient {
    /// Its id.
    pub id: String,
    /// Its password, if it has one.
    pub secret: Option<String>,
}

/// Whether two addresses are of the same host by the same way.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| reqwest::Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| Some(one) == origin(other))
}
