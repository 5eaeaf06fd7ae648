//! Runs as people read them: a table of many, a card of one.

use super::{
    one_line, request,
    table::{self, Listing, time, utc},
};
use oz_core::{Open, Run, artifact::Artifact};

/// A list of runs.
pub(crate) const LIST: Listing<Run, 5> = Listing {
    header: ["RUN ID", "STATE", "CREATED", "RUN TIME", "TITLE"],
    whole: 2,
    row,
    none: "No runs found.",
};

fn row(run: &Run) -> [String; 5] {
    [
        run.run_id.to_string(),
        run.state.to_string(),
        time(run.created_at),
        run.run_time.as_deref().map_or_else(|| "-".to_owned(), duration),
        one_line(&run.title, 60),
    ]
}

/// A run as a card.
pub(crate) fn card(run: &Run) -> String {
    let mut rows = vec![
        ("Run", run.run_id.to_string()),
        ("State", run.state.to_string()),
        ("Title", one_line(&run.title, 90)),
    ];
    if let Some(status) = &run.status_message {
        rows.push(("Status", status.message.trim_end().to_owned()));
        rows.extend(status.error_code.as_ref().map(|code| ("Error code", code.to_string())));
    }
    for asked in &run.requests {
        rows.push((
            "Waits for",
            format!("{}\n{}", one_line(&asked.title, 90), request::how(run.run_id, asked)),
        ));
    }
    rows.push(("Created", utc(run.created_at)));
    rows.extend(run.run_time.as_deref().map(|time| ("Run time", duration(time))));
    if let Some(config) = &run.agent_config {
        rows.push(("Harness", config.harness_type().to_string()));
        rows.extend(config.model_id.clone().map(|model| ("Model", model)));
        rows.extend(config.name.clone().map(|name| ("Name", name)));
    }
    if let Some(execution) = &run.execution {
        let worker = execution.worker_id.as_deref().map_or_else(String::new, |id| format!(" on worker {id}"));
        rows.push(("Execution", format!("attempt {}{worker}", execution.attempt)));
    }
    if let Some(usage) = &run.request_usage {
        let cost = usage.inference_cost_usd.map_or_else(String::new, |usd| format!(", ${usd:.4}"));
        rows.push(("Usage", format!("{} tokens{cost}", usage.total_tokens.unwrap_or(0))));
    }
    rows.extend(run.artifacts.iter().map(|item| ("Artifact", artifact(&item.artifact))));
    table::card(&rows)
}

/// An artifact in one line.
pub(crate) fn artifact(artifact: &Open<Artifact>) -> String {
    let text = match artifact {
        Open::Known(Artifact::PullRequest { url, branch }) => {
            format!("pull request {url} (branch: {branch})")
        }
        Open::Known(Artifact::ExternalReference { reference_type, url, .. }) => {
            format!("{} {url}", reference_type.replace('_', " "))
        }
        Open::Known(Artifact::Plan { title, document_uid, .. }) => {
            format!("plan {}", title.as_deref().unwrap_or(document_uid))
        }
        Open::Known(Artifact::Screenshot { artifact_uid, .. }) => format!("screenshot {artifact_uid}"),
        Open::Known(Artifact::File { filepath, .. }) => format!("file {filepath}"),
        Open::Unknown(value) => value.to_string(),
    };
    one_line(&text, 200)
}

/// `PT2M30.5S` as `2m 30.5s`.
fn duration(iso: &str) -> String {
    let text = iso.trim_start_matches("PT").to_lowercase();
    text.replace('h', "h ").replace('m', "m ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    fn runs() -> Vec<Run> {
        let value = serde_json::json!([
            { "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "task_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e",
              "title": "fix the tests", "state": "SUCCEEDED", "prompt": "fix the tests\nplease",
              "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:02:04Z", "run_time": "PT2M3.5S",
              "status_message": { "message": "Fixed two tests.\nAll pass.\n" },
              "agent_config": { "model_id": "claude-sonnet-4-5", "name": "nightly" },
              "execution": { "execution_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f", "attempt": 2,
                "worker_id": "build-1", "created_at": "2026-03-02T08:00:00Z" },
              "request_usage": { "inference_cost_usd": 0.01234, "total_tokens": 4321 },
              "artifacts": [
                { "created_at": "2026-03-02T08:01:00Z", "artifact_type": "PULL_REQUEST",
                  "data": { "url": "https://x/pull/1", "branch": "fix" } },
                { "created_at": "2026-03-02T08:01:00Z", "artifact_type": "HOLOGRAM", "data": {} }] },
            { "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90", "task_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90",
              "title": "a title that is much longer than the column that is there to show it in a table",
              "state": "HIBERNATING", "prompt": "p", "created_at": "2026-03-02T08:00:00Z",
              "updated_at": "2026-03-02T08:00:04Z",
              "status_message": { "message": "no worker", "error_code": "resource_unavailable", "retryable": true } }
        ]);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_list_is_a_table() {
        let mut pretty = LIST.framed(&runs());
        insta::assert_snapshot!(pretty.force_no_tty(), @"
        ╭──────────────────────────────────────┬─────────────┬─────────────────────┬──────────┬───────────────────────────────────────────────────────────────╮
        │ RUN ID                               ┆ STATE       ┆ CREATED             ┆ RUN TIME ┆ TITLE                                                         │
        ╞══════════════════════════════════════╪═════════════╪═════════════════════╪══════════╪═══════════════════════════════════════════════════════════════╡
        │ 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e ┆ SUCCEEDED   ┆ 2026-03-02 08:00:00 ┆ 2m 3.5s  ┆ fix the tests                                                 │
        │ 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90 ┆ HIBERNATING ┆ 2026-03-02 08:00:00 ┆ -        ┆ a title that is much longer than the column that is there to… │
        ╰──────────────────────────────────────┴─────────────┴─────────────────────┴──────────┴───────────────────────────────────────────────────────────────╯
        ");
        let narrow = pretty.set_width(90).to_string();
        assert!(runs().iter().all(|run| narrow.contains(&run.run_id.to_string())), "{narrow}");
        insta::assert_snapshot!(LIST.text(&runs(), Format::Text), @"
        RUN ID	STATE	CREATED	RUN TIME	TITLE
        0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e	SUCCEEDED	2026-03-02 08:00:00	2m 3.5s	fix the tests
        0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90	HIBERNATING	2026-03-02 08:00:00	-	a title that is much longer than the column that is there to…
        ");
        insta::assert_snapshot!(LIST.text(&[], Format::Text), @"RUN ID	STATE	CREATED	RUN TIME	TITLE");
    }

    #[test]
    fn a_run_says_what_it_waits_for() {
        let mut run = runs().remove(0);
        let asked = serde_json::json!([{ "request_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f", "kind": "approval",
            "title": "git push\n--force" }]);
        run.requests = serde_json::from_value(asked).unwrap();
        let card = card(&run);
        assert!(
            card.contains("Waits for   git push\n            Allow it with `oz run approve 0198c5a2"),
            "{card}"
        );
    }

    #[test]
    fn a_run_is_a_card() {
        insta::assert_snapshot!(card(&runs()[0]), @r#"
        Run         0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
        State       SUCCEEDED
        Title       fix the tests
        Status      Fixed two tests.
                    All pass.
        Created     2026-03-02 08:00:00 UTC
        Run time    2m 3.5s
        Harness     oz
        Model       claude-sonnet-4-5
        Name        nightly
        Execution   attempt 2 on worker build-1
        Usage       4321 tokens, $0.0123
        Artifact    pull request https://x/pull/1 (branch: fix)
        Artifact    {"artifact_type":"HOLOGRAM","data":{}}
        "#);
        insta::assert_snapshot!(card(&runs()[1]), @"
        Run         0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90
        State       HIBERNATING
        Title       a title that is much longer than the column that is there to show it in a table
        Status      no worker
        Error code  resource_unavailable
        Created     2026-03-02 08:00:00 UTC
        ");
    }
}
