//! An agent's conversation as it is kept for later: JSON Lines, first a line about the conversation, then one for each
//! message.

use super::notes::{Kept, Notes};
use oz_core::{
    Redactor,
    harness::SavedSession,
    model::{ChatMessage, ToolResult},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The name of the format.
pub(super) const FORMAT: &str = "oz";
const VERSION: u32 = 1;
/// The result of a call that was under way when the conversation was kept.
const CUT: &str =
    "[The session ended before this call had a result. Find out what it did before you call it again.]";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    session_id: String,
    /// The model for which the messages are shaped.
    model: String,
    #[serde(flatten)]
    kept: Kept,
}

/// A conversation that was taken up again.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) session_id: String,
    pub(super) model: String,
    pub(super) kept: Kept,
    pub(super) messages: Vec<ChatMessage>,
}

/// Takes up a conversation.
///
/// # Errors
/// Why it can't be taken up.
pub(super) fn load(saved: &SavedSession) -> Result<Loaded, String> {
    let SavedSession { format, content, .. } = saved;
    if format != FORMAT {
        return Err(format!("it is a conversation of the format '{format}', not '{FORMAT}'"));
    }
    let text = std::str::from_utf8(content).map_err(|e| format!("it is no text: {e}"))?;
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().ok_or("it is empty")?;
    let header: Header = serde_json::from_str(first).map_err(|e| format!("line 1: {e}"))?;
    let Header { format, version, session_id, model, kept } = header;
    if (format.as_str(), version) != (FORMAT, VERSION) {
        return Err(format!("line 1: it is '{format}' version {version}, not '{FORMAT}' version {VERSION}"));
    }
    let mut messages = Vec::new();
    for (n, line) in lines {
        let message = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", n + 1))?;
        take_up(message, &mut messages).map_err(|problem| format!("line {}: {problem}", n + 1))?;
    }
    settle(&mut messages);
    if messages.is_empty() {
        return Err("it has no messages".to_owned());
    }
    Ok(Loaded { session_id, model, kept, messages })
}

fn take_up(message: ChatMessage, messages: &mut Vec<ChatMessage>) -> Result<(), String> {
    if let ChatMessage::Tool { results } = &message {
        let Some(ChatMessage::Assistant { calls, .. }) = messages.last() else {
            return Err("there are results of tools without calls before".to_owned());
        };
        let asked: BTreeSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        if let Some(result) = results.iter().find(|result| !asked.contains(result.call_id.as_str())) {
            return Err(format!("the result of '{}' answers no call", result.call_id));
        }
    } else {
        settle(messages);
    }
    messages.push(message);
    if matches!(messages.last(), Some(ChatMessage::Tool { .. })) {
        settle(messages);
    }
    Ok(())
}

/// Gives a result to each of the last calls that has none.
fn settle(messages: &mut Vec<ChatMessage>) {
    let mut results = match messages.pop() {
        Some(ChatMessage::Tool { results }) => results,
        Some(other) => {
            messages.push(other);
            Vec::new()
        }
        None => return,
    };
    let Some(ChatMessage::Assistant { calls, .. }) = messages.last() else { return };
    for call in calls {
        if results.iter().all(|result| result.call_id != call.id) {
            let (call_id, content) = (call.id.clone(), CUT.to_owned());
            results.push(ToolResult { call_id, content, is_error: true, images: Vec::new() });
        }
    }
    if !results.is_empty() {
        messages.push(ChatMessage::Tool { results });
    }
}

/// The conversation of an agent that works.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Option<Record>>);

#[derive(Debug)]
struct Record {
    session_id: String,
    model: String,
    notes: Arc<Notes>,
    redactor: Redactor,
    messages: Vec<ChatMessage>,
}

impl Journal {
    /// The conversation begins.
    pub(super) fn open(&self, session_id: String, notes: Arc<Notes>, redactor: Redactor) {
        let record = Record { session_id, model: String::new(), notes, redactor, messages: Vec::new() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
    }

    /// The conversation has come this far, with this model.
    pub(super) fn keep(&self, model: &str, messages: &[ChatMessage]) {
        if let Some(record) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            model.clone_into(&mut record.model);
            record.messages = messages.to_vec();
        }
    }

    /// All of it, without secrets; nothing before it began.
    pub(super) fn save(&self) -> Option<SavedSession> {
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Record { session_id, model, notes, redactor, messages } = record.as_ref()?;
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            session_id: session_id.clone(),
            model: model.clone(),
            kept: notes.kept(),
        };
        let header = serde_json::to_value(header).ok()?;
        let mut content = Vec::new();
        for line in std::iter::once(Some(header)).chain(messages.iter().map(|m| serde_json::to_value(m).ok()))
        {
            content.extend_from_slice(redactor.value(line?).to_string().as_bytes());
            content.push(b'\n');
        }
        Some(SavedSession { format: FORMAT.to_owned(), session_id: session_id.clone(), content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::ToolCall;
    use serde_json::json;

    fn saved(content: &str) -> SavedSession {
        SavedSession { format: "oz".into(), session_id: "s".into(), content: content.into() }
    }

    fn messages() -> Vec<ChatMessage> {
        let call = |id: &str| ToolCall { id: id.into(), name: "x".into(), arguments: "{}".into() };
        let results = vec![ToolResult { call_id: "a".into(), content: "r".into(), ..ToolResult::default() }];
        vec![
            ChatMessage::user("do it; the key is hunter22secret"),
            ChatMessage::Assistant {
                text: "t".into(),
                reasoning: vec![json!({ "s": 1 })],
                calls: vec![call("a"), call("b")],
            },
            ChatMessage::Tool { results },
        ]
    }

    #[test]
    fn a_conversation_comes_back_without_secrets_and_every_call_has_a_result() {
        let journal = Journal::default();
        assert_eq!(journal.save(), None);
        let notes = Arc::new(Notes::default());
        notes.set_plan("P".into(), "plan".into());
        journal.open("s1".into(), Arc::clone(&notes), Redactor::new(["hunter22secret"]));
        for length in 1..=3 {
            journal.keep("m", &messages()[..length]);
            let saved = journal.save().unwrap();
            assert_eq!((saved.format.as_str(), saved.session_id.as_str()), ("oz", "s1"));
            let text = String::from_utf8(saved.content.clone()).unwrap();
            assert_eq!(text.lines().count(), 1 + length);
            assert!(!text.contains("hunter22secret"));
            let loaded = load(&saved).unwrap();
            assert_eq!((loaded.session_id.as_str(), loaded.model.as_str()), ("s1", "m"));
            assert_eq!(loaded.kept, notes.kept());
            if let Some(ChatMessage::Tool { results }) = loaded.messages.get(2) {
                let ids: Vec<_> = results.iter().map(|r| r.call_id.as_str()).collect();
                assert_eq!(ids, ["a", "b"]);
                assert!(results[1].is_error);
                assert_eq!(loaded.messages[1], messages()[1]);
            } else {
                assert_eq!(length, 1);
            }
        }
    }

    #[test]
    fn what_can_t_be_taken_up_says_why() {
        let header = r#"{"format":"oz","version":1,"session_id":"s","model":"m"}"#;
        let newer = header.replace("1", "2");
        for (content, expected) in [
            ("".to_owned(), "it is empty"),
            ("nonsense".to_owned(), "line 1: expected"),
            (newer, "version 2, not 'oz' version 1"),
            (header.to_owned(), "no messages"),
            (format!("{header}\n{{\"role\":\"user\""), "line 2: EOF"),
            (format!("{header}\n{{\"role\":\"tool\",\"results\":[]}}"), "line 2: there are results"),
        ] {
            let error = load(&saved(&content)).unwrap_err();
            assert!(error.contains(expected), "{content}: {error}");
        }
        let foreign = SavedSession { format: "codex".into(), ..saved("") };
        assert!(load(&foreign).unwrap_err().contains("'codex'"));
        let binary = SavedSession { content: vec![0xff], ..saved("") };
        assert!(load(&binary).unwrap_err().contains("no text"));
    }
}
