//! The scenario on the command line.

use super::record::{Scenario, Seen};
use oz_tests::World;
use serde_json::{Value, json};
use std::fs;

pub(super) fn run(world: &World, scenario: &Scenario, me: &str) -> Vec<Value> {
    let mut seen = Seen::new(me, true);
    for step in scenario.steps() {
        let cli = seen.filled(step.cli());
        for (name, text) in cli["files"].as_object().into_iter().flatten() {
            fs::write(world.path().join(name), text.as_str().unwrap()).unwrap();
        }
        let lines = cli["format"] == "ndjson";
        let mut args: Vec<String> = cli["args"].as_array().unwrap().iter().map(word).collect();
        args.extend(["--output-format".into(), if lines { "ndjson" } else { "json" }.into()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = world.oz(&args);
        let answer = if step.fails() {
            assert_ne!(done.code, 0, "{}: it must fail and did not:\n{}", step.name(), done.stdout);
            let told = done.stderr.lines().find_map(|line| line.strip_prefix("Error: "));
            json!({ "detail": told.unwrap_or_else(|| panic!("{}: {}", step.name(), done.stderr)) })
        } else if lines {
            let text = done.success();
            json!({ "items": text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>() })
        } else {
            let text = done.success();
            serde_json::from_str(&text).unwrap_or(Value::Null)
        };
        seen.answer(&step, &answer);
    }
    seen.records
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
