//! How hard a model should think, in the way that its generation is told: older ones get a number of tokens, newer ones
//! a word. Pure.

use oz_core::model::{ChatMessage, ModelError, ModelErrorKind, ModelRequest};
use serde_json::{Value, json};

/// The least number of tokens that the service takes.
const LEAST: u32 = 1024;

/// Asks for thinking when the request says how much.
pub(super) fn ask(body: &mut Value, request: &ModelRequest) -> Result<(), ModelError> {
    let level = request.reasoning_level.as_deref().map(str::trim).unwrap_or_default();
    if matches!(level, "" | "none") {
        return Ok(());
    }
    match way(&request.model) {
        Way::None => {}
        Way::Effort => {
            let effort = if level == "minimal" { "low" } else { level };
            body["thinking"] = json!({ "type": "adaptive" });
            body["output_config"] = json!({ "effort": effort });
        }
        Way::Budget => {
            let budget = budget(level)?.min(request.max_output_tokens / 4 * 3);
            if budget >= LEAST && !thoughtless(&request.messages) {
                body["thinking"] = json!({ "type": "enabled", "budget_tokens": budget });
            }
        }
    }
    Ok(())
}

/// How a model is told.
#[derive(Debug, PartialEq)]
enum Way {
    /// It does not think.
    None,
    /// By a number of tokens.
    Budget,
    /// By a word.
    Effort,
}

fn way(model: &str) -> Way {
    let name = model.rsplit('/').next().unwrap_or_default();
    let begins = |names: &[&str]| names.iter().any(|begin| name.starts_with(begin));
    if begins(&["claude-2", "claude-3-5", "claude-3-opus", "claude-3-sonnet", "claude-3-haiku"]) {
        Way::None
    } else if !name.starts_with("claude")
        || begins(&["claude-3-7", "claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"])
        || begins(&["claude-sonnet-4-0", "claude-opus-4-0", "claude-opus-4-1"])
        || begins(&["claude-sonnet-4-2025", "claude-opus-4-2025"])
        || matches!(name, "claude-sonnet-4" | "claude-opus-4")
    {
        Way::Budget
    } else {
        Way::Effort
    }
}

fn budget(level: &str) -> Result<u32, ModelError> {
    match level {
        "minimal" | "low" => Ok(4000),
        "medium" => Ok(10_000),
        "high" => Ok(16_000),
        "xhigh" | "max" => Ok(24_000),
        other => Err(ModelError::new(
            ModelErrorKind::InvalidRequest,
            format!("reasoning_level: '{other}' is not one of none, minimal, low, medium, high, xhigh, max"),
        )),
    }
}

/// Whether calls that another model made, or this one without thinking, have just been answered: the service refuses to
/// let such a turn go on with thinking.
fn thoughtless(messages: &[ChatMessage]) -> bool {
    let last = messages.iter().rev().find_map(|message| match message {
        ChatMessage::Assistant { reasoning, calls, .. } => Some(reasoning.is_empty() && !calls.is_empty()),
        _ => None,
    });
    last.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::conversation;

    fn asked(model: &str, level: &str, reasoning: Vec<Value>) -> Result<Value, ModelError> {
        let mut request = conversation(reasoning);
        request.model = model.into();
        request.max_output_tokens = 32_000;
        request.reasoning_level = Some(level.into());
        let mut body = json!({});
        ask(&mut body, &request).map(|()| body)
    }

    #[test]
    fn each_generation_is_told_in_its_way() {
        let thought = || vec![json!({ "type": "thinking" })];
        let budget = |tokens: u32| json!({ "thinking": { "type": "enabled", "budget_tokens": tokens } });
        let effort =
            |word: &str| json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": word } });
        for (model, level, expected) in [
            ("claude-3-5-haiku-latest", "high", json!({})),
            ("claude-sonnet-4-5", "high", budget(16_000)),
            ("claude-sonnet-4-20250514", "low", budget(4000)),
            ("eu/claude-opus-4-1", "max", budget(24_000)),
            ("claude-opus-4-6", "high", effort("high")),
            ("claude-sonnet-5", "minimal", effort("low")),
            ("claude-opus-4-6", "none", json!({})),
            ("claude-sonnet-4-5", "none", json!({})),
        ] {
            assert_eq!(asked(model, level, thought()).unwrap(), expected, "{model} {level}");
        }
        let error = asked("claude-sonnet-4-5", "very", thought()).unwrap_err();
        assert!(error.message.contains("reasoning_level: 'very' is not one of"), "{error}");
    }

    #[test]
    fn calls_without_thoughts_go_on_without() {
        assert_eq!(asked("claude-sonnet-4-5", "high", vec![]).unwrap(), json!({}));
        assert_ne!(asked("claude-opus-4-6", "high", vec![]).unwrap(), json!({}));
    }
}
