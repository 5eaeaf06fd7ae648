//! Agent identities and their skills as people read them.

use super::table::{self, Listing, joined, short, time, utc};
use oz_core::api::{Identity, SkillItem};

/// A list of agent identities.
pub(crate) const LIST: Listing<Identity, 9> = Listing {
    header: [
        "UID",
        "NAME",
        "CREATED",
        "DESCRIPTION",
        "SECRETS",
        "SKILLS",
        "BASE MODEL",
        "ENVIRONMENT",
        "PROMPT",
    ],
    whole: 2,
    row: |agent| {
        let profile = &agent.profile;
        [
            agent.uid.clone(),
            agent.name.clone(),
            time(agent.created_at),
            short(profile.description.as_deref()),
            joined(agent.secrets.iter().map(|secret| secret.name.as_str())),
            joined(agent.skills.iter().map(String::as_str)),
            short(profile.base_model.as_deref()),
            short(profile.environment_id.as_deref()),
            short(profile.prompt.as_deref()),
        ]
    },
    none: "No agents found.",
};

/// An agent identity as a card.
pub(crate) fn card(agent: &Identity) -> String {
    let profile = &agent.profile;
    let mut rows = vec![("Agent", agent.uid.clone()), ("Name", agent.name.clone())];
    if !agent.available {
        rows.push(("Available", "no".to_owned()));
    }
    rows.push(("Created", utc(agent.created_at)));
    let texts = [
        ("Description", &profile.description),
        ("Prompt", &profile.prompt),
        ("Base model", &profile.base_model),
        ("Environment", &profile.environment_id),
        ("Worker", &profile.worker_host),
    ];
    rows.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    rows.extend(profile.harness.as_ref().map(|harness| ("Harness", harness.kind.to_string())));
    rows.extend(agent.secrets.iter().map(|secret| ("Secret", secret.name.clone())));
    rows.extend(agent.skills.iter().map(|skill| ("Skill", skill.clone())));
    rows.extend(profile.mcp_servers.keys().map(|name| ("MCP server", name.clone())));
    rows.extend(agent.memory.auto_memory.store.iter().map(|store| ("Own memory", store.uid.clone())));
    rows.extend(agent.memory.attached_stores.iter().map(|store| ("Memory", store.uid.clone())));
    table::card(&rows)
}

/// A list of skills.
pub(crate) const SKILLS: Listing<SkillItem, 4> = Listing {
    header: ["NAME", "ID", "ENVIRONMENTS", "DESCRIPTION"],
    whole: 1,
    row: |skill| {
        let variants = &skill.variants;
        let environments = variants.iter().flat_map(|variant| &variant.environments);
        [
            skill.name.clone(),
            joined(variants.iter().map(|variant| variant.id.as_str())),
            joined(environments.map(|environment| environment.name.as_str())),
            short(
                variants
                    .first()
                    .map(|variant| variant.error.as_ref().unwrap_or(&variant.description).as_str()),
            ),
        ]
    },
    none: "No skills found.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    const AT: &str = "2026-03-02T08:00:00Z";

    #[test]
    fn agents_are_a_table_and_a_card() {
        let store = json!({ "uid": "s1", "access": "read_write", "instructions": "", "owner_type": "service_account",
            "owner_uid": "a1" });
        let agent: Identity = from_value(json!({ "uid": "a1", "name": "reviewer", "available": false,
            "created_at": AT, "updated_at": AT, "description": "reviews", "prompt": "You review changes.\nBe kind.",
            "secrets": [{ "name": "NPM_TOKEN" }], "skills": ["me/app:review"], "base_model": "claude-sonnet-4-5",
            "memory": { "attached_stores": [], "auto_memory": { "enabled": true, "store": store } } }))
        .unwrap();
        insta::assert_snapshot!(card(&agent), @"
        Agent       a1
        Name        reviewer
        Available   no
        Created     2026-03-02 08:00:00 UTC
        Description reviews
        Prompt      You review changes.
                    Be kind.
        Base model  claude-sonnet-4-5
        Secret      NPM_TOKEN
        Skill       me/app:review
        Own memory  s1
        ");
        insta::assert_snapshot!(LIST.text(&[agent], Format::Text), @"
        UID	NAME	CREATED	DESCRIPTION	SECRETS	SKILLS	BASE MODEL	ENVIRONMENT	PROMPT
        a1	reviewer	2026-03-02 08:00:00	reviews	NPM_TOKEN	me/app:review	claude-sonnet-4-5	-	You review changes.
        ");
    }

    #[test]
    fn skills_are_a_table() {
        let variant = json!({ "id": "me/app:skills/review/SKILL.md", "description": "reviews\nwell",
            "base_prompt": "p", "source": { "owner": "me", "name": "app", "skill_path": "skills/review/SKILL.md" },
            "environments": [{ "uid": "e1", "name": "app" }], "last_run_timestamp": null });
        let skill = from_value(json!({ "name": "review", "variants": [variant] })).unwrap();
        insta::assert_snapshot!(SKILLS.text(&[skill], Format::Text), @"
        NAME	ID	ENVIRONMENTS	DESCRIPTION
        review	me/app:skills/review/SKILL.md	app	reviews
        ");
    }
}
