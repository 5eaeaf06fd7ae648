//! Keeps every action and its result together: whatever a program forgets to tell, each action has exactly one result.

use oz_core::harness::{ActionCategory, ActionState, HarnessEvent};
use serde_json::{Map, json};
use std::collections::HashMap;

/// The actions that have no result yet, in their order.
#[derive(Default)]
pub(super) struct Pairs {
    open: Vec<(String, ActionCategory, String)>,
    /// Those that ended, with how often their id was used before.
    known: HashMap<String, u32>,
}

impl Pairs {
    /// Whether an event may be told on: not a result without its action or a second one, nor an action that is there.
    pub(super) fn pass(&mut self, event: &mut HarnessEvent) -> bool {
        match event {
            HarnessEvent::Action { id, category, name, .. } => {
                if self.open.iter().any(|(open, ..)| open == id) {
                    return false;
                }
                // Programs that count anew in each conversation use an id twice.
                let used = self.known.entry(id.clone()).or_default();
                *used += 1;
                if *used > 1 {
                    *id = format!("{id}#{used}");
                }
                self.open.push((id.clone(), category.clone(), name.clone()));
                true
            }
            HarnessEvent::ActionResult { action_id, category, name, .. } => {
                let renamed = self.known.get(action_id).filter(|used| **used > 1);
                if let Some(used) = renamed {
                    *action_id = format!("{action_id}#{used}");
                }
                let Some(at) = self.open.iter().position(|(id, ..)| id == action_id) else { return false };
                let (_, known_category, known_name) = self.open.remove(at);
                (*category, *name) = (known_category, known_name);
                true
            }
            _ => true,
        }
    }

    /// Results for the actions that have none.
    pub(super) fn close(&mut self, why: &str) -> Vec<HarnessEvent> {
        let open = std::mem::take(&mut self.open).into_iter();
        let result = |(action_id, category, name)| HarnessEvent::ActionResult {
            action_id,
            category,
            name,
            state: ActionState::Failed,
            output: Map::from_iter([("error".to_owned(), json!(why))]),
        };
        open.map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(id: &str) -> HarnessEvent {
        HarnessEvent::Action {
            id: id.into(),
            category: ActionCategory::Command,
            name: "run_command".into(),
            input: Map::new(),
        }
    }

    fn result(id: &str) -> HarnessEvent {
        HarnessEvent::ActionResult {
            action_id: id.into(),
            category: ActionCategory::Files,
            name: String::new(),
            state: ActionState::Completed,
            output: Map::new(),
        }
    }

    #[test]
    fn each_action_has_one_result() {
        let mut pairs = Pairs::default();
        let mut pass = |mut event: HarnessEvent| pairs.pass(&mut event).then_some(event);
        assert_eq!(pass(result("0")), None, "a result of nothing");
        assert_eq!(pass(action("1")), Some(action("1")));
        assert_eq!(pass(action("1")), None, "it is there");
        let Some(HarnessEvent::ActionResult { name, category, .. }) = pass(result("1")) else { panic!() };
        assert_eq!((name.as_str(), category), ("run_command", ActionCategory::Command));
        assert_eq!(pass(result("1")), None, "a second result");
        assert_eq!(pass(action("1")), Some(action("1#2")), "an id of an earlier one");
        assert_eq!(pass(action("2")), Some(action("2")));
        let rest = pairs.close("gone");
        let ids = rest.iter().map(|event| match event {
            HarnessEvent::ActionResult { action_id, state: ActionState::Failed, .. } => action_id.as_str(),
            other => panic!("{other:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), ["1#2", "2"]);
        assert_eq!(pairs.close("gone"), []);
    }
}
