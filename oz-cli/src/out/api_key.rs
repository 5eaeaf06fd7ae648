//! Keys as people read them. The value of a key is shown once, when it is made.

use super::table::{self, Listing, time, time_or, utc};
use oz_core::{
    api::{ApiKey, ApiKeyCreated},
    principal::Principal,
};

/// A list of keys.
pub(crate) const LIST: Listing<ApiKey, 8> = Listing {
    header: ["UID", "NAME", "KEY", "SCOPE", "OWNER", "CREATED", "LAST USED", "EXPIRES"],
    whole: 2,
    row: |key| {
        [
            key.uid.clone(),
            key.name.clone(),
            masked(key),
            key.scope.to_string(),
            who(&key.owner),
            time(key.created_at),
            time_or(key.last_used_at, "Never"),
            time_or(key.expires_at, "Never"),
        ]
    },
    none: "No API keys found.",
};

/// A new key.
pub(crate) fn created(created: &ApiKeyCreated) -> String {
    let key = &created.api_key;
    let expires = key.expires_at.map_or_else(|| "Never".to_owned(), utc);
    table::card(&[
        ("API key", created.raw_api_key.clone()),
        ("UID", key.uid.clone()),
        ("Name", key.name.clone()),
        ("Acts as", who(&key.owner)),
        ("Expires", expires),
    ])
}

/// A person or an agent by its best name.
pub(crate) fn who(principal: &Principal) -> String {
    let name = principal.display_name.as_ref().or(principal.email.as_ref());
    name.filter(|name| !name.is_empty()).unwrap_or(&principal.uid).clone()
}

fn masked(key: &ApiKey) -> String {
    format!("wk-**{}", key.key_suffix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn a_key_is_shown_once() {
        let key = json!({ "uid": "k1", "name": "ci", "key_suffix": "wxyz", "scope": "Team",
            "owner": { "type": "service_account", "uid": "a1", "display_name": "reviewer" },
            "created_at": "2026-03-02T08:00:00Z", "last_used_at": null, "expires_at": "2026-04-02T08:00:00Z" });
        let made = from_value(json!({ "raw_api_key": "wk-1.secretwxyz", "api_key": key })).unwrap();
        insta::assert_snapshot!(created(&made), @"
        API key     wk-1.secretwxyz
        UID         k1
        Name        ci
        Acts as     reviewer
        Expires     2026-04-02 08:00:00 UTC
        ");
        insta::assert_snapshot!(LIST.text(&[made.api_key], Format::Text), @"
        UID	NAME	KEY	SCOPE	OWNER	CREATED	LAST USED	EXPIRES
        k1	ci	wk-**wxyz	Team	reviewer	2026-03-02 08:00:00	Never	2026-04-02 08:00:00
        ");
    }
}
