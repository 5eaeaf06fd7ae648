//! Schedules as people read them.

use super::{
    api_key::who,
    environment::scope,
    table::{self, Listing, short, time, time_or, utc},
};
use oz_core::{
    api::{MissedRunPolicy, OverlapPolicy, Schedule, ScheduleTick},
    config::AgentConfig,
};

/// A list of schedules.
pub(crate) const LIST: Listing<Schedule, 7> = Listing {
    header: ["ID", "NAME", "SCHEDULE", "PAUSED", "LAST RAN", "NEXT RUN", "SCOPE"],
    whole: 1,
    row: |schedule| {
        [
            schedule.id.clone(),
            schedule.name.clone(),
            cron(schedule),
            paused(schedule).to_owned(),
            time_or(schedule.history.last_ran, "-"),
            time_or(schedule.history.next_run, "-"),
            scope(schedule.scope.as_ref()),
        ]
    },
    none: "No schedules found.",
};

/// What became of the times of a schedule.
pub(crate) const TICKS: Listing<ScheduleTick, 6> = Listing {
    header: ["TIME", "FIRED", "OUTCOME", "RUN ID", "STATE", "DETAIL"],
    whole: 5,
    row: |tick| {
        let by_hand = if tick.by_hand { " (by hand)" } else { "" };
        [
            time(tick.scheduled_for),
            time(tick.fired_at),
            format!("{}{by_hand}", tick.outcome),
            tick.run_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            tick.run_state.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            short(tick.detail.as_deref()),
        ]
    },
    none: "It has not fired yet.",
};

/// A schedule as a card.
pub(crate) fn card(schedule: &Schedule) -> String {
    let mut rows = vec![
        ("Schedule", schedule.id.clone()),
        ("Name", schedule.name.clone()),
        ("Cron", format!("{} ({})", schedule.cron_schedule, schedule.time_zone)),
        ("Paused", paused(schedule).to_owned()),
        ("Overlap", overlap(&schedule.overlap_policy)),
        ("Missed times", missed(&schedule.missed_run_policy)),
    ];
    rows.extend(schedule.history.last_ran.map(|at| ("Last ran", utc(at))));
    rows.extend(schedule.history.next_run.map(|at| ("Next run", utc(at))));
    rows.extend(schedule.last_spawn_error.clone().map(|error| ("Last error", error)));
    if !schedule.prompt.is_empty() {
        rows.push(("Prompt", schedule.prompt.trim_end().to_owned()));
    }
    rows.extend(schedule.mode.as_ref().map(|mode| ("Mode", mode.to_string())));
    rows.extend(schedule.agent_uid.clone().map(|uid| ("Agent", uid)));
    if let Some(config) = &schedule.agent_config {
        rows.extend(of_config(config));
    }
    rows.extend(schedule.metadata.iter().map(|(key, value)| ("Label", format!("{key}={value}"))));
    rows.push(("Scope", scope(schedule.scope.as_ref())));
    rows.extend(schedule.created_by.as_ref().map(|by| ("Created by", who(by))));
    rows.push(("Created", utc(schedule.created_at)));
    rows.push(("Changed", utc(schedule.updated_at)));
    table::card(&rows)
}

/// What the runs of a schedule are configured with.
fn of_config(config: &AgentConfig) -> Vec<(&'static str, String)> {
    let harness = config.harness.as_ref().map(|harness| harness.kind.to_string());
    let texts = [
        ("Skill", config.skill_spec.clone()),
        ("Harness", harness),
        ("Model", config.model_id.clone()),
        ("Environment", config.environment_id.clone()),
        ("Worker", config.worker_host.clone()),
    ];
    let mut rows: Vec<_> = texts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
    rows.extend(config.mcp_servers.keys().map(|name| ("MCP server", name.clone())));
    match config.secrets.as_deref() {
        None => {}
        Some([]) => rows.push(("Secrets", "none".to_owned())),
        Some(secrets) => rows.extend(secrets.iter().map(|secret| ("Secret", secret.name.clone()))),
    }
    let variables = config.environment_variables.iter();
    rows.extend(variables.map(|(name, value)| ("Variable", format!("{name}={value}"))));
    let logins = config.git_credentials.iter();
    rows.extend(logins.map(|login| ("Git login", format!("{} with {}", login.host, login.secret))));
    rows
}

/// Its cron expression, with the time zone where that is not UTC.
fn cron(schedule: &Schedule) -> String {
    match schedule.time_zone.as_str() {
        "UTC" => schedule.cron_schedule.clone(),
        zone => format!("{} ({zone})", schedule.cron_schedule),
    }
}

fn overlap(policy: &OverlapPolicy) -> String {
    match policy {
        OverlapPolicy::Allow => "allow: runs may overlap",
        OverlapPolicy::Skip => "skip: passed over while a run is under way",
        OverlapPolicy::Queue => "queue: waits until the run under way is over",
        OverlapPolicy::Unknown(other) => other,
    }
    .to_owned()
}

fn missed(policy: &MissedRunPolicy) -> String {
    match policy {
        MissedRunPolicy::RunOnce => "run-once: one run makes up for them",
        MissedRunPolicy::Skip => "skip: passed over",
        MissedRunPolicy::Unknown(other) => other,
    }
    .to_owned()
}

fn paused(schedule: &Schedule) -> &'static str {
    if schedule.enabled { "No" } else { "Yes" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    fn schedules() -> Vec<Schedule> {
        let config = json!({ "model_id": "claude-sonnet-4-5", "mcp_servers": { "linear": { "warp_id": "linear" } },
            "secrets": [{ "name": "METABASE_API_KEY" }], "environment_variables": { "REGION": "eu" },
            "git_credentials": [{ "host": "github.com", "secret": "BOT_TOKEN" }] });
        let times = json!({ "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T09:00:00Z" });
        let mut one = json!({ "id": "S817BXYZ000000000000AB", "name": "nightly",
            "cron_schedule": "0 3 * * *", "time_zone": "Europe/Berlin", "overlap_policy": "queue",
            "missed_run_policy": "skip", "enabled": true, "prompt": "update the dependencies\nand test\n",
            "last_spawn_error": "no worker", "agent_config": config, "agent_uid": "a1",
            "metadata": { "team": "web" }, "created_by": { "type": "user", "uid": "u1", "display_name": "Ann" },
            "history": { "last_ran": null, "next_run": "2026-03-03T02:00:00Z" },
            "scope": { "type": "User", "uid": "u1" } });
        let mut two = json!({ "id": "S817BXYZ000000000000AC", "name": "old", "cron_schedule": "0 3 * * *",
            "enabled": false, "prompt": "", "last_spawn_error": null, "overlap_policy": "merge",
            "agent_config": { "skill_spec": "me/app:triage", "secrets": [] },
            "history": { "last_ran": "2026-03-01T03:00:00Z", "next_run": null },
            "scope": { "type": "Team", "uid": "t1" } });
        for value in [&mut one, &mut two] {
            value.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        }
        from_value(json!([one, two])).unwrap()
    }

    #[test]
    fn schedules_are_a_table() {
        insta::assert_snapshot!(LIST.text(&schedules(), Format::Text), @"
        ID	NAME	SCHEDULE	PAUSED	LAST RAN	NEXT RUN	SCOPE
        S817BXYZ000000000000AB	nightly	0 3 * * * (Europe/Berlin)	No	-	2026-03-03 02:00:00	Personal
        S817BXYZ000000000000AC	old	0 3 * * *	Yes	2026-03-01 03:00:00	-	Team
        ");
        insta::assert_snapshot!(LIST.framed(&schedules()[..1]).force_no_tty(), @"
        ╭────────────────────────┬─────────┬───────────────────────────┬────────┬──────────┬─────────────────────┬──────────╮
        │ ID                     ┆ NAME    ┆ SCHEDULE                  ┆ PAUSED ┆ LAST RAN ┆ NEXT RUN            ┆ SCOPE    │
        ╞════════════════════════╪═════════╪═══════════════════════════╪════════╪══════════╪═════════════════════╪══════════╡
        │ S817BXYZ000000000000AB ┆ nightly ┆ 0 3 * * * (Europe/Berlin) ┆ No     ┆ -        ┆ 2026-03-03 02:00:00 ┆ Personal │
        ╰────────────────────────┴─────────┴───────────────────────────┴────────┴──────────┴─────────────────────┴──────────╯
        ");
    }

    #[test]
    fn a_schedule_is_a_card() {
        insta::assert_snapshot!(card(&schedules()[0]), @"
        Schedule     S817BXYZ000000000000AB
        Name         nightly
        Cron         0 3 * * * (Europe/Berlin)
        Paused       No
        Overlap      queue: waits until the run under way is over
        Missed times skip: passed over
        Next run     2026-03-03 02:00:00 UTC
        Last error   no worker
        Prompt       update the dependencies
                     and test
        Agent        a1
        Model        claude-sonnet-4-5
        MCP server   linear
        Secret       METABASE_API_KEY
        Variable     REGION=eu
        Git login    github.com with BOT_TOKEN
        Label        team=web
        Scope        Personal
        Created by   Ann
        Created      2026-03-02 08:00:00 UTC
        Changed      2026-03-02 09:00:00 UTC
        ");
        insta::assert_snapshot!(card(&schedules()[1]), @"
        Schedule     S817BXYZ000000000000AC
        Name         old
        Cron         0 3 * * * (UTC)
        Paused       Yes
        Overlap      merge
        Missed times run-once: one run makes up for them
        Last ran     2026-03-01 03:00:00 UTC
        Skill        me/app:triage
        Secrets      none
        Scope        Team
        Created      2026-03-02 08:00:00 UTC
        Changed      2026-03-02 09:00:00 UTC
        ");
    }

    #[test]
    fn times_say_what_became_of_them() {
        let run = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
        let ticks: Vec<ScheduleTick> = from_value(json!([
            { "scheduled_for": "2026-03-03T02:10:00Z", "fired_at": "2026-03-03T02:10:00Z", "by_hand": true,
              "outcome": "started", "run_id": run, "run_state": "INPROGRESS" },
            { "scheduled_for": "2026-03-03T02:00:00Z", "fired_at": "2026-03-03T02:00:01Z",
              "outcome": "started", "run_id": run, "run_state": "SUCCEEDED" },
            { "scheduled_for": "2026-03-02T02:00:00Z", "fired_at": "2026-03-02T02:00:01Z",
              "outcome": "failed", "detail": "environment 'E' does not exist" },
            { "scheduled_for": "2026-03-01T02:00:00Z", "fired_at": "2026-03-01T02:00:01Z", "outcome": "postponed" }
        ]))
        .unwrap();
        insta::assert_snapshot!(TICKS.text(&ticks, Format::Text), @"
        TIME	FIRED	OUTCOME	RUN ID	STATE	DETAIL
        2026-03-03 02:10:00	2026-03-03 02:10:00	started (by hand)	0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e	INPROGRESS	-
        2026-03-03 02:00:00	2026-03-03 02:00:01	started	0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e	SUCCEEDED	-
        2026-03-02 02:00:00	2026-03-02 02:00:01	failed	-	-	environment 'E' does not exist
        2026-03-01 02:00:00	2026-03-01 02:00:01	postponed	-	-	-
        ");
        insta::assert_snapshot!(TICKS.text(&[], Format::Text), @"TIME	FIRED	OUTCOME	RUN ID	STATE	DETAIL");
    }
}
