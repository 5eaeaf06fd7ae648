//! Environments as people read them.

use super::{
    api_key::who,
    table::{self, Listing, joined, short, time, utc},
};
use oz_core::{
    api::Environment,
    config::SourceRepo,
    environment::EnvironmentConfig,
    principal::{Scope, ScopeType},
};

/// A list of environments.
pub(crate) const LIST: Listing<Environment, 9> = Listing {
    header: [
        "ID",
        "NAME",
        "DESCRIPTION",
        "BASE IMAGE",
        "GIT REPOS",
        "SETUP COMMANDS",
        "CREATOR",
        "LAST EDITED",
        "SCOPE",
    ],
    whole: 2,
    row: |environment| {
        let config = &environment.config;
        [
            environment.uid.clone(),
            config.name.clone(),
            short(config.description.as_deref()),
            short(config.docker_image.as_deref()),
            joined(repos(config).iter().map(String::as_str)),
            joined(config.setup_commands.iter().map(String::as_str)),
            short(environment.creator.as_ref().map(who).as_deref()),
            time(environment.last_updated),
            scope(environment.scope.as_ref()),
        ]
    },
    none: "No environments found.",
};

/// An environment as a card.
pub(crate) fn card(environment: &Environment) -> String {
    let config = &environment.config;
    let mut rows = vec![("Environment", environment.uid.clone()), ("Name", config.name.clone())];
    rows.extend(config.description.clone().map(|text| ("Description", text)));
    rows.extend(config.docker_image.clone().map(|image| ("Image", image)));
    rows.extend(repos(config).into_iter().map(|repo| ("Repository", repo)));
    rows.extend(config.setup_commands.iter().map(|command| ("Setup", command.clone())));
    rows.push(("Scope", scope(environment.scope.as_ref())));
    rows.extend(environment.creator.as_ref().map(|creator| ("Creator", who(creator))));
    rows.push(("Last edited", utc(environment.last_updated)));
    if let Some(task) = &environment.last_task_created {
        rows.push(("Last run", format!("{} ({})", task.id, task.state)));
    }
    if environment.setup_failed {
        rows.push(("Setup failed", "yes, in the latest run".to_owned()));
    }
    table::card(&rows)
}

/// `Team` or `Personal`.
pub(crate) fn scope(scope: Option<&Scope>) -> String {
    match scope.map(|scope| &scope.kind) {
        Some(ScopeType::Team) => "Team".to_owned(),
        Some(ScopeType::User) => "Personal".to_owned(),
        Some(ScopeType::Unknown(other)) => other.clone(),
        None => "-".to_owned(),
    }
}

/// The repositories that are cloned, as they are given on the command line.
fn repos(config: &EnvironmentConfig) -> Vec<String> {
    if config.source_repos.is_none() {
        return config.github_repos.iter().map(|repo| format!("{}/{}", repo.owner, repo.repo)).collect();
    }
    let shown = |repo: SourceRepo| match repo.checkout_ref {
        Some(reference) => format!("{}@{reference}", repo.url),
        None => repo.url,
    };
    config.repos().into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    fn environment(config: &serde_json::Value) -> Environment {
        from_value(json!({ "uid": "UA17BXYZ000000000000AB", "config": config,
            "last_updated": "2026-03-02T08:00:00Z", "setup_failed": true, "last_task_run_timestamp": null,
            "scope": { "type": "Team", "uid": "t1" }, "revision": 3,
            "creator": { "type": "user", "uid": "u1", "email": "ann@example.com" } }))
        .unwrap()
    }

    #[test]
    fn environments_are_a_table_and_a_card() {
        let github = json!([{ "owner": "me", "repo": "app" }]);
        let one = environment(&json!({ "name": "app", "description": "builds", "docker_image": "rust:1",
            "github_repos": github, "setup_commands": ["npm ci", "make"] }));
        let sources = json!([{ "url": "https://git.example.com/x", "checkout_ref": "main" }]);
        let two = environment(&json!({ "name": "any", "source_repos": sources }));
        insta::assert_snapshot!(card(&one), @"
        Environment  UA17BXYZ000000000000AB
        Name         app
        Description  builds
        Image        rust:1
        Repository   me/app
        Setup        npm ci
        Setup        make
        Scope        Team
        Creator      ann@example.com
        Last edited  2026-03-02 08:00:00 UTC
        Setup failed yes, in the latest run
        ");
        insta::assert_snapshot!(LIST.text(&[one, two], Format::Text), @"
        ID	NAME	DESCRIPTION	BASE IMAGE	GIT REPOS	SETUP COMMANDS	CREATOR	LAST EDITED	SCOPE
        UA17BXYZ000000000000AB	app	builds	rust:1	me/app	npm ci, make	ann@example.com	2026-03-02 08:00:00	Team
        UA17BXYZ000000000000AB	any	-	-	https://git.example.com/x@main	-	ann@example.com	2026-03-02 08:00:00	Team
        ");
    }
}
