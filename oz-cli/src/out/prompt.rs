//! Saved prompts as people read them.

use super::{
    api_key::who,
    environment::scope,
    table::{self, Listing, short, time, utc},
};
use oz_core::api::SavedPrompt;

/// A list of saved prompts.
pub(crate) const LIST: Listing<SavedPrompt, 6> = Listing {
    header: ["ID", "NAME", "DESCRIPTION", "PROMPT", "LAST EDITED", "SCOPE"],
    whole: 2,
    row: |prompt| {
        [
            prompt.uid.clone(),
            prompt.config.name.clone(),
            short(prompt.config.description.as_deref()),
            short(Some(&prompt.config.prompt)),
            time(prompt.last_updated),
            scope(prompt.scope.as_ref()),
        ]
    },
    none: "No saved prompts found.",
};

/// A saved prompt as a card.
pub(crate) fn card(prompt: &SavedPrompt) -> String {
    let config = &prompt.config;
    let mut rows = vec![("Saved prompt", prompt.uid.clone()), ("Name", config.name.clone())];
    rows.extend(config.description.clone().map(|text| ("Description", text)));
    rows.push(("Prompt", config.prompt.trim_end().to_owned()));
    rows.push(("Scope", scope(prompt.scope.as_ref())));
    rows.extend(prompt.creator.as_ref().map(|creator| ("Creator", who(creator))));
    rows.push(("Created", utc(prompt.created_at)));
    rows.push(("Last edited", utc(prompt.last_updated)));
    table::card(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn saved_prompts_are_a_table_and_a_card() {
        let prompt: SavedPrompt = from_value(json!({ "uid": "s1",
            "config": { "name": "review", "description": "for changes", "prompt": "Review it.\nBe kind.\n" },
            "scope": { "type": "User", "uid": "u1" }, "created_at": "2026-03-02T08:00:00Z",
            "last_updated": "2026-03-03T08:00:00Z", "revision": 1 }))
        .unwrap();
        insta::assert_snapshot!(card(&prompt), @"
        Saved prompt s1
        Name         review
        Description  for changes
        Prompt       Review it.
                     Be kind.
        Scope        Personal
        Created      2026-03-02 08:00:00 UTC
        Last edited  2026-03-03 08:00:00 UTC
        ");
        insta::assert_snapshot!(LIST.text(&[prompt], Format::Text), @"
        ID	NAME	DESCRIPTION	PROMPT	LAST EDITED	SCOPE
        s1	review	for changes	Review it.	2026-03-03 08:00:00	Personal
        ");
    }
}
