//! Makes room in a conversation that has become longer than its model can read. Pure; it shortens what tools returned,
//! and leaves alone what was said.

use oz_core::model::ChatMessage;

/// What is put in the place of an old result.
const LEFT_OUT: &str = "[This result was left out to save room. Call the tool again if you need it.]";
/// Results that are not longer than this stay.
const SHORT: usize = 1 << 10;

/// Takes out the older half, by length, of what tools returned. Answers whether that made room.
pub(super) fn make(messages: &mut [ChatMessage]) -> bool {
    let mut long: Vec<&mut String> = Vec::new();
    for message in messages {
        if let ChatMessage::Tool { results } = message {
            long.extend(results.iter_mut().map(|r| &mut r.content).filter(|content| content.len() > SHORT));
        }
    }
    let mut surplus = long.iter().map(|content| content.len()).sum::<usize>().div_ceil(2);
    let mut made = false;
    for content in long {
        if surplus == 0 {
            break;
        }
        surplus = surplus.saturating_sub(content.len());
        LEFT_OUT.clone_into(content);
        made = true;
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::ToolResult;

    #[test]
    fn older_results_go_first_and_what_is_short_or_said_stays() {
        let tool = |content: String| {
            let results = vec![ToolResult { call_id: "c".into(), content, is_error: false, images: vec![] }];
            ChatMessage::Tool { results }
        };
        let said = ChatMessage::user("x".repeat(9000));
        let mut messages = vec![said.clone(), tool("short".into())];
        messages.extend((0..4).map(|_| tool("y".repeat(2000))));
        let lengths = |messages: &[ChatMessage]| -> Vec<usize> {
            let results = messages.iter().filter_map(|m| match m {
                ChatMessage::Tool { results } => Some(results[0].content.len()),
                _ => None,
            });
            results.collect()
        };
        let gone = LEFT_OUT.len();
        assert!(make(&mut messages));
        assert_eq!(lengths(&messages), [5, gone, gone, 2000, 2000]);
        assert!(make(&mut messages) && make(&mut messages));
        assert_eq!(lengths(&messages), [5, gone, gone, gone, gone]);
        assert!(!make(&mut messages), "there is an end to it");
        assert_eq!(messages[0], said);
    }
}
