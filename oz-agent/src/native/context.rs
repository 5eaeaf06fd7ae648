//! How long a conversation is and may become, in tokens. Nobody but the service can count them; it is estimated from what
//! the service counted last and the length of what came since. Pure.

use oz_core::{
    model::{ChatMessage, Image, ModelRequest},
    usage::Usage,
};
use serde_json::Value;

/// How many bytes of text or code are a token, at least.
const BYTES: usize = 4;
/// What a picture counts.
const PICTURE: usize = 1600 * BYTES;
/// The most turns that stay as they are when a conversation is shortened.
const TURNS: usize = 3;

/// How many tokens a model can read, by its name after whoever serves and made it.
pub(super) fn window(model: &str) -> u64 {
    let name = model.rsplit('/').next().unwrap_or_default();
    let begins = |names: &[&str]| names.iter().any(|begin| name.starts_with(begin));
    if begins(&["gpt-4.1", "gemini"]) {
        1_000_000
    } else if begins(&["gpt-5", "codex"]) {
        272_000
    } else if begins(&["claude", "o1", "o3", "o4"]) {
        200_000
    } else {
        128_000
    }
}

/// From how many tokens on a conversation is shortened, so that an answer still fits.
pub(super) fn limit(window: u64, max_output_tokens: u32) -> u64 {
    let beside = window.saturating_sub(max_output_tokens.into());
    (window * 4 / 5).min(beside.max(window / 2))
}

/// What the service counted last.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// The tokens of so many messages with all around them.
    counted: Option<(usize, u64)>,
}

impl Gauge {
    /// A request of `messages` messages and its answer, which becomes the next message, used this.
    pub(super) fn measured(&mut self, usage: &Usage, messages: usize) {
        let read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
        self.counted = (read > 0).then(|| (messages + 1, usage.total_tokens()));
    }

    /// The conversation is not what it was.
    pub(super) fn forget(&mut self) {
        self.counted = None;
    }

    /// How many tokens a request has.
    pub(super) fn estimate(&self, request: &ModelRequest) -> u64 {
        let ModelRequest { system, messages, tools, .. } = request;
        if let Some((known, tokens)) = self.counted.filter(|(known, _)| *known <= messages.len()) {
            return tokens + tokens_of(&messages[known..]);
        }
        let tool = |t: &oz_core::model::ToolSpec| t.description.len() + t.input_schema.to_string().len();
        let around = system.len() + tools.iter().map(tool).sum::<usize>();
        tokens(around) + tokens_of(messages)
    }
}

/// How many tokens messages have.
pub(super) fn tokens_of(messages: &[ChatMessage]) -> u64 {
    tokens(messages.iter().map(length).sum())
}

fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES).try_into().unwrap_or(u64::MAX)
}

fn length(message: &ChatMessage) -> usize {
    let pictures = |images: &[Image]| images.len() * PICTURE;
    match message {
        ChatMessage::User { text, images } => text.len() + pictures(images),
        ChatMessage::Assistant { text, reasoning, calls } => {
            let thought: usize = reasoning.iter().map(Value::to_string).map(|text| text.len()).sum();
            text.len() + thought + calls.iter().map(|c| c.name.len() + c.arguments.len()).sum::<usize>()
        }
        ChatMessage::Tool { results } => {
            results.iter().map(|result| result.content.len() + pictures(&result.images)).sum()
        }
    }
}

/// Where the last few turns begin, which stay as they are: at most three, and of `room` tokens unless it is only one. A
/// turn is an answer with all that follows until the next. `None` when there is nothing before them but the prompt.
pub(super) fn last_turns(messages: &[ChatMessage], room: u64) -> Option<usize> {
    let answers = |messages: &[ChatMessage]| {
        messages.iter().rposition(|message| matches!(message, ChatMessage::Assistant { .. }))
    };
    let mut from = answers(messages)?;
    for _ in 1..TURNS {
        match answers(&messages[..from]) {
            Some(before)
                if answers(&messages[..before]).is_some() && tokens_of(&messages[before..]) <= room =>
            {
                from = before;
            }
            _ => break,
        }
    }
    answers(&messages[..from]).is_some().then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::{ToolCall, ToolResult};

    fn turn(n: usize, length: usize) -> [ChatMessage; 2] {
        let id = format!("c{n}");
        let call = ToolCall { id: id.clone(), name: "x".into(), arguments: String::new() };
        let result = ToolResult { call_id: id, content: "y".repeat(length), ..ToolResult::default() };
        [
            ChatMessage::Assistant { text: String::new(), reasoning: vec![], calls: vec![call] },
            ChatMessage::Tool { results: vec![result] },
        ]
    }

    fn conversation(lengths: &[usize]) -> Vec<ChatMessage> {
        let mut messages = vec![ChatMessage::user("do it")];
        messages.extend(lengths.iter().enumerate().flat_map(|(n, length)| turn(n, *length)));
        messages
    }

    #[test]
    fn windows_and_limits() {
        for (model, tokens) in [
            ("claude-sonnet-4-6", 200_000),
            ("anthropic/claude-opus-4", 200_000),
            ("gpt-4.1-mini", 1_000_000),
            ("gpt-5.1", 272_000),
            ("qwen3", 128_000),
        ] {
            assert_eq!(window(model), tokens, "{model}");
        }
        assert_eq!(limit(200_000, 32_000), 160_000);
        assert_eq!(limit(128_000, 32_000), 96_000, "the answer must fit, too");
        assert_eq!(limit(4000, 8192), 2000);
    }

    #[test]
    fn what_was_counted_is_taken_and_what_came_since_is_estimated() {
        let mut gauge = Gauge::default();
        let mut request = ModelRequest {
            model: String::new(),
            system: "s".repeat(400),
            messages: conversation(&[399]),
            tools: vec![],
            max_output_tokens: 1,
            reasoning_level: None,
        };
        assert_eq!(gauge.estimate(&request), 100 + (5 + 1 + 399_u64).div_ceil(4));
        gauge.measured(&Usage { input_tokens: 1000, output_tokens: 50, ..Usage::default() }, 1);
        assert_eq!(gauge.estimate(&request), 1050 + 100);
        gauge.measured(&Usage { output_tokens: 50, ..Usage::default() }, 1);
        assert!(gauge.estimate(&request) < 300, "a service that counts nothing is not believed");
        gauge.measured(&Usage { input_tokens: 1000, ..Usage::default() }, 2);
        request.messages.truncate(1);
        assert!(gauge.estimate(&request) < 300, "a count of more than there is means nothing");
    }

    #[test]
    fn the_last_turns_stay_whole() {
        assert_eq!(last_turns(&conversation(&[]), 100), None);
        assert_eq!(last_turns(&conversation(&[9]), 100), None, "there is nothing to shorten");
        assert_eq!(last_turns(&conversation(&[9, 9]), 100), Some(3));
        assert_eq!(last_turns(&conversation(&[9, 9, 9, 9, 9]), 100), Some(5));
        assert_eq!(last_turns(&conversation(&[9, 9, 9, 9, 9]), 6), Some(7));
        assert_eq!(last_turns(&conversation(&[9, 9, 900]), 6), Some(5), "one stays, however long");
        let mut messages = conversation(&[9, 9, 9, 9]);
        messages.push(ChatMessage::user("and hurry"));
        assert_eq!(last_turns(&messages, 100), Some(3));
    }
}
