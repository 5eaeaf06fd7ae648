//! Environments as people read them.

use super::{
    api_key::who,
    table::{self, Listing, joined, short, time, utc},
};
use oz_core::{
    api::{Environment, Image},
    config::SourceRepo,
    environment::{EnvironmentConfig, GcpProvider},
    principal::{Scope, ScopeType},
};
use std::time::Duration;

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

/// A list of images.
pub(crate) const IMAGES: Listing<Image, 3> = Listing {
    header: ["IMAGE", "REPOSITORY", "TAG"],
    whole: 1,
    row: |image| [image.image.clone(), image.repository.clone(), image.tag.clone()],
    none: "No images found.",
};

/// An environment as a card.
pub(crate) fn card(environment: &Environment) -> String {
    let config = &environment.config;
    let mut rows = vec![("Environment", environment.uid.clone()), ("Name", config.name.clone())];
    rows.extend(config.description.clone().map(|text| ("Description", text)));
    rows.extend(config.docker_image.clone().map(|image| ("Image", image)));
    rows.extend(repos(config).into_iter().map(|repo| ("Repository", repo)));
    rows.extend(config.setup_commands.iter().map(|command| ("Setup", command.clone())));
    rows.extend(config.setup_timeout_seconds.map(|seconds| ("Setup time", time_of(seconds))));
    rows.extend(
        config.environment_variables.iter().map(|(key, value)| ("Variable", format!("{key}={value}"))),
    );
    rows.extend(config.git_credentials.iter().map(|login| {
        ("Git login", format!("{}: secret '{}' of user '{}'", login.host, login.secret, login.user()))
    }));
    match config.secrets.as_deref() {
        None => rows.push(("Secrets", "all in scope".to_owned())),
        Some([]) => rows.push(("Secrets", "none".to_owned())),
        Some(list) => rows.extend(list.iter().map(|secret| ("Secret", secret.name.clone()))),
    }
    if let Some(providers) = &config.providers {
        rows.extend(providers.aws.as_ref().map(|aws| ("AWS role", aws.role_arn.clone())));
        rows.extend(providers.gcp.as_ref().map(|gcp| ("Google Cloud", google(gcp))));
    }
    rows.extend(config.default_worker_host.clone().map(|host| ("Worker", host)));
    rows.extend(config.default_runner_uid.clone().map(|uid| ("Runner", uid)));
    let kept = config.failure_session_retention_minutes;
    rows.extend(kept.map(|minutes| ("Kept failed", time_of(i64::from(minutes) * 60))));
    rows.push(("Scope", scope(environment.scope.as_ref())));
    rows.extend(environment.creator.as_ref().map(|creator| ("Creator", who(creator))));
    rows.push(("Last edited", utc(environment.last_updated)));
    rows.extend(environment.last_editor.as_ref().map(|editor| ("Last editor", who(editor))));
    if let Some(task) = &environment.last_task_created {
        rows.push(("Last run", format!("{} ({}), made {}", task.id, task.state, utc(task.created_at))));
        rows.push(("Its title", task.title.clone()));
    }
    rows.extend(environment.last_task_run_timestamp.map(|at| ("Last start", utc(at))));
    if environment.setup_failed {
        rows.push(("Setup failed", "yes, in the latest run".to_owned()));
    }
    table::card(&rows)
}

fn time_of(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// A provider as `--gcp-provider` takes it.
fn google(gcp: &GcpProvider) -> String {
    let parts = [
        &gcp.project_number,
        &gcp.workload_identity_federation_pool_id,
        &gcp.workload_identity_federation_provider_id,
    ];
    parts.into_iter().chain(&gcp.service_account_email).map(String::as_str).collect::<Vec<_>>().join("/")
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
    fn a_card_shows_everything() {
        let gcp = json!({ "project_number": "12", "workload_identity_federation_pool_id": "pool",
            "workload_identity_federation_provider_id": "oz", "service_account_email": "a@b" });
        let mut one = environment(&json!({ "name": "app", "environment_variables": { "CI": "1" },
            "git_credentials": [{ "host": "gitlab.com", "secret": "G" }, { "host": "h", "secret": "H", "username": "me" }],
            "secrets": [{ "name": "G" }, { "name": "H" }], "default_worker_host": "build-1", "default_runner_uid": "r1",
            "providers": { "aws": { "role_arn": "arn:aws:iam::1:role/oz" }, "gcp": gcp },
            "setup_timeout_seconds": 5400, "failure_session_retention_minutes": 10 }));
        one.last_task_created = Some(
            from_value(json!({ "id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "title": "fix it", "state": "FAILED",
                "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z", "started_at": null }))
            .unwrap(),
        );
        insta::assert_snapshot!(card(&one), @"
        Environment  UA17BXYZ000000000000AB
        Name         app
        Setup time   1h 30m
        Variable     CI=1
        Git login    gitlab.com: secret 'G' of user 'oauth2'
        Git login    h: secret 'H' of user 'me'
        Secret       G
        Secret       H
        AWS role     arn:aws:iam::1:role/oz
        Google Cloud 12/pool/oz/a@b
        Worker       build-1
        Runner       r1
        Kept failed  10m
        Scope        Team
        Creator      ann@example.com
        Last edited  2026-03-02 08:00:00 UTC
        Last run     0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e (FAILED), made 2026-03-02 08:00:00 UTC
        Its title    fix it
        Setup failed yes, in the latest run
        ");
        one.config.secrets = Some(Vec::new());
        assert!(card(&one).contains("Secrets      none"), "{}", card(&one));
    }

    #[test]
    fn environments_are_a_table_and_a_card() {
        let github = json!([{ "owner": "me", "repo": "app" }]);
        let one = environment(&json!({ "name": "app", "description": "builds", "docker_image": "rust:1",
            "github_repos": github, "setup_commands": ["npm ci", "make"] }));
        let sources = json!([{ "url": "https://git.example.com/x", "checkout_ref": "main" }]);
        let images = ["node:22", "ghcr.io/me/dev"].map(Image::named);
        insta::assert_snapshot!(IMAGES.text(&images, Format::Text), @"
        IMAGE	REPOSITORY	TAG
        node:22	node	22
        ghcr.io/me/dev	ghcr.io/me/dev	latest
        ");
        let two = environment(&json!({ "name": "any", "source_repos": sources }));
        insta::assert_snapshot!(card(&one), @"
        Environment  UA17BXYZ000000000000AB
        Name         app
        Description  builds
        Image        rust:1
        Repository   me/app
        Setup        npm ci
        Setup        make
        Secrets      all in scope
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
