//! Makes a conversation fit for another model than the one that held it. Pure.

use oz_core::model::ChatMessage;
use std::collections::BTreeMap;

/// Takes out the reasoning, which only the model that wrote it can read, and gives the calls ids that every service
/// takes: some refuse what others make up.
pub(super) fn reshape(messages: &mut [ChatMessage]) {
    let mut count = 0;
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for message in messages {
        match message {
            ChatMessage::User { .. } => {}
            ChatMessage::Assistant { reasoning, calls, .. } => {
                reasoning.clear();
                ids.clear();
                for call in calls {
                    count += 1;
                    // Nine letters and digits: Mistral's services want neither more nor less.
                    let id = format!("call{count:05}");
                    ids.insert(std::mem::replace(&mut call.id, id.clone()), id);
                }
            }
            ChatMessage::Tool { results } => {
                for result in results {
                    if let Some(id) = ids.get(&result.call_id) {
                        result.call_id.clone_from(id);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::{ToolCall, ToolResult};
    use serde_json::json;

    fn called(ids: [&str; 2]) -> [ChatMessage; 2] {
        let call = |id: &str| ToolCall {
            id: id.into(),
            name: "x".into(),
            arguments: format!("{{\"of\":\"{id}\"}}"),
        };
        let result = |id: &str| ToolResult {
            call_id: id.into(),
            content: format!("of {id}"),
            ..ToolResult::default()
        };
        [
            ChatMessage::Assistant {
                text: "t".into(),
                reasoning: vec![json!({ "signature": "s" })],
                calls: ids.map(call).into(),
            },
            ChatMessage::Tool { results: ids.map(result).into() },
        ]
    }

    #[test]
    fn reasoning_goes_and_results_stay_with_their_calls() {
        let user = ChatMessage::user("u");
        let mut messages = vec![user.clone()];
        messages.extend(called(["functions.x:0", "functions.x:1"]));
        // Some servers number the calls of each answer from the beginning.
        messages.extend(called(["functions.x:1", "functions.x:0"]));
        reshape(&mut messages);
        let mut seen = Vec::new();
        for pair in messages[1..].chunks(2) {
            let [ChatMessage::Assistant { text, reasoning, calls }, ChatMessage::Tool { results }] = pair
            else {
                panic!("{pair:?}")
            };
            assert_eq!((text.as_str(), reasoning.len()), ("t", 0));
            for (call, result) in calls.iter().zip(results) {
                assert_eq!(call.id, result.call_id);
                let of = result.content.trim_start_matches("of ");
                assert!(call.arguments.contains(of), "{call:?} {result:?}");
                seen.push(call.id.clone());
            }
        }
        assert_eq!(seen, ["call00001", "call00002", "call00003", "call00004"]);
        assert_eq!(messages[0], user);
    }
}
