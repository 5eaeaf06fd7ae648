//! Profiles as people read them.

use super::{
    environment::scope,
    table::{self, Listing, utc},
};
use oz_core::api::Profile;
use serde_json::Value;

/// A list of profiles.
pub(crate) const LIST: Listing<Profile, 2> = Listing {
    header: ["ID", "NAME"],
    whole: 1,
    row: |profile| [profile.uid.clone(), profile.name.clone()],
    none: "No profiles found.",
};

/// A profile as a card.
pub(crate) fn card(profile: &Profile) -> String {
    let mut rows = vec![("Profile", profile.uid.clone()), ("Name", profile.name.clone())];
    rows.extend(profile.settings.iter().map(|(key, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (key.as_str(), if matches!(value, Value::Null) { "-".to_owned() } else { text })
    }));
    rows.push(("Scope", scope(profile.scope.as_ref())));
    rows.push(("Created", utc(profile.created_at)));
    rows.push(("Last edited", utc(profile.last_updated)));
    table::card(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn profiles_are_a_table_and_a_card() {
        let settings = json!({ "execute_commands": "AlwaysAsk", "command_denylist": ["rm .*"], "web_search_enabled": false });
        let profile: Profile = from_value(json!({ "uid": "p1", "name": "careful", "settings": settings,
            "created_at": "2026-03-02T08:00:00Z", "last_updated": "2026-03-02T08:00:00Z", "revision": 1 }))
        .unwrap();
        insta::assert_snapshot!(card(&profile), @r#"
        Profile            p1
        Name               careful
        command_denylist   ["rm .*"]
        execute_commands   AlwaysAsk
        web_search_enabled false
        Scope              -
        Created            2026-03-02 08:00:00 UTC
        Last edited        2026-03-02 08:00:00 UTC
        "#);
        insta::assert_snapshot!(LIST.text(&[profile], Format::Text), @"
        ID	NAME
        p1	careful
        ");
    }
}
