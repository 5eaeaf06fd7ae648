//! Logins at MCP servers by OAuth 2.1: how one is got, and how it is kept fresh.

mod fresh;

pub(crate) use fresh::fresh;

/// Whether two addresses are of the same host by the same way.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| reqwest::Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| Some(one) == origin(other))
}
