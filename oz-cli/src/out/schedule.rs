//! Schedules as people read them.

use super::{
    environment::scope,
    table::{self, Listing, time_or, utc},
};
use oz_core::api::Schedule;

/// A list of schedules.
pub(crate) const LIST: Listing<Schedule, 7> = Listing {
    header: ["ID", "NAME", "SCHEDULE", "PAUSED", "LAST RAN", "NEXT RUN", "SCOPE"],
    whole: 1,
    row: |schedule| {
        [
            schedule.id.clone(),
            schedule.name.clone(),
            schedule.cron_schedule.clone(),
            paused(schedule).to_owned(),
            time_or(schedule.history.last_ran, "-"),
            time_or(schedule.history.next_run, "-"),
            scope(schedule.scope.as_ref()),
        ]
    },
    none: "No schedules found.",
};

/// A schedule as a card.
pub(crate) fn card(schedule: &Schedule) -> String {
    let mut rows = vec![
        ("Schedule", schedule.id.clone()),
        ("Name", schedule.name.clone()),
        ("Cron", format!("{} (UTC)", schedule.cron_schedule)),
        ("Paused", paused(schedule).to_owned()),
    ];
    rows.extend(schedule.history.last_ran.map(|at| ("Last ran", utc(at))));
    rows.extend(schedule.history.next_run.map(|at| ("Next run", utc(at))));
    rows.extend(schedule.last_spawn_error.clone().map(|error| ("Last error", error)));
    if !schedule.prompt.is_empty() {
        rows.push(("Prompt", schedule.prompt.trim_end().to_owned()));
    }
    rows.extend(schedule.agent_uid.clone().map(|uid| ("Agent", uid)));
    if let Some(config) = &schedule.agent_config {
        let texts = [
            ("Skill", &config.skill_spec),
            ("Model", &config.model_id),
            ("Environment", &config.environment_id),
            ("Worker", &config.worker_host),
        ];
        rows.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
        rows.extend(config.mcp_servers.keys().map(|name| ("MCP server", name.clone())));
    }
    rows.push(("Scope", scope(schedule.scope.as_ref())));
    table::card(&rows)
}

fn paused(schedule: &Schedule) -> &'static str {
    if schedule.enabled { "No" } else { "Yes" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn schedules_are_a_table_and_a_card() {
        let config =
            json!({ "model_id": "claude-sonnet-4-5", "mcp_servers": { "linear": { "warp_id": "linear" } } });
        let schedule: Schedule = from_value(json!({ "id": "S817BXYZ000000000000AB", "name": "nightly",
            "cron_schedule": "0 3 * * *", "enabled": true, "prompt": "update the dependencies\nand test\n",
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z",
            "last_spawn_error": "no worker", "agent_config": config,
            "history": { "last_ran": null, "next_run": "2026-03-03T03:00:00Z" },
            "scope": { "type": "User", "uid": "u1" } }))
        .unwrap();
        insta::assert_snapshot!(card(&schedule), @"
        Schedule    S817BXYZ000000000000AB
        Name        nightly
        Cron        0 3 * * * (UTC)
        Paused      No
        Next run    2026-03-03 03:00:00 UTC
        Last error  no worker
        Prompt      update the dependencies
                    and test
        Model       claude-sonnet-4-5
        MCP server  linear
        Scope       Personal
        ");
        insta::assert_snapshot!(LIST.text(&[schedule], Format::Text), @"
        ID	NAME	SCHEDULE	PAUSED	LAST RAN	NEXT RUN	SCOPE
        S817BXYZ000000000000AB	nightly	0 3 * * *	No	-	2026-03-03 03:00:00	Personal
        ");
    }
}
