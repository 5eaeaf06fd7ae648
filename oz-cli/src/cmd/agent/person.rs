//! The person at the terminal of a local run: what its agent asks is shown, and the lines they type are answers, or more
//! for the agent to do.

use crate::{cmd::ask, live::Live, out};
use oz_agent::driver::Steer;
use oz_core::{
    harness::HarnessEvent,
    request::{Answer, Decision, Request, RequestKind},
};
use std::{
    collections::VecDeque,
    io::{self, BufRead as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Who is asked.
pub(super) struct Person {
    steer: UnboundedSender<Steer>,
    open: Open,
    reads: bool,
}

/// What waits for an answer, the oldest first.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<VecDeque<Request>>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Person {
    /// Whoever sits there, if anybody does, and what they will say.
    pub(super) fn present() -> Option<(Self, UnboundedReceiver<Steer>)> {
        if !ask::is_possible() {
            return None;
        }
        let (steer, said) = mpsc::unbounded_channel();
        Some((Self { steer, open: Open::default(), reads: false }, said))
    }

    /// Shows what concerns them of what happens.
    pub(super) fn sees(&mut self, event: &HarnessEvent, live: &Live) {
        match event {
            HarnessEvent::Request { request } => {
                self.open.lock().push_back(request.clone());
                live.quiet(true);
                out::note(how(request));
                if !self.reads {
                    self.reads = true;
                    let (steer, open, live) = (self.steer.clone(), self.open.clone(), live.clone());
                    thread::spawn(move || read(&steer, &open, &live));
                }
            }
            HarnessEvent::Answered { request_id, .. } => {
                let mut open = self.open.lock();
                open.retain(|request| request.request_id != *request_id);
                live.quiet(!open.is_empty());
            }
            _ => {}
        }
    }
}

/// Reads lines until there are none. The thread ends with the process at the latest.
fn read(steer: &UnboundedSender<Steer>, open: &Open, live: &Live) {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let asked = open.lock().front().cloned();
        let said = match asked {
            None if line.trim().is_empty() => continue,
            None => Steer::Message { text: line, interrupt: false },
            Some(request) => match understood(&request, line.trim()) {
                Some(answer) => {
                    open.lock().retain(|other| other.request_id != request.request_id);
                    Steer::Answer { request_id: request.request_id, answer }
                }
                None => {
                    out::note(how(&request));
                    continue;
                }
            },
        };
        live.quiet(!open.lock().is_empty());
        if steer.send(said).is_err() {
            return;
        }
    }
}

/// What to type.
fn how(request: &Request) -> String {
    match request.kind {
        RequestKind::Approval => {
            "Type y to allow it once, a to allow the like of it always, n to refuse, or what to do instead."
                .to_owned()
        }
        _ if request.options.is_empty() => "Type the answer.".to_owned(),
        _ => format!("Type a number from 1 to {}, or another answer.", request.options.len()),
    }
}

/// What a typed line means; nothing when it means nothing.
fn understood(request: &Request, line: &str) -> Option<Answer> {
    let answer = |decision, text: Option<&str>| Some(Answer { decision, text: text.map(str::to_owned) });
    if line.is_empty() {
        return None;
    }
    if request.kind != RequestKind::Approval {
        let number = line.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let chosen = number.and_then(|at| request.options.get(at)).map_or(line, String::as_str);
        return answer(Decision::Answer, Some(chosen));
    }
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" => answer(Decision::Approve, None),
        "a" | "always" => answer(Decision::ApproveAlways, None),
        "n" | "no" => answer(Decision::Deny, None),
        _ => answer(Decision::Deny, Some(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood() {
        let asked = |kind, options: &[&str]| Request {
            request_id: uuid::Uuid::nil(),
            kind,
            title: "t".into(),
            reason: None,
            detail: serde_json::Map::new(),
            options: options.iter().map(|o| (*o).to_owned()).collect(),
        };
        let approval = asked(RequestKind::Approval, &[]);
        for (line, decision, text) in [
            ("y", Decision::Approve, None),
            ("YES", Decision::Approve, None),
            ("a", Decision::ApproveAlways, None),
            ("n", Decision::Deny, None),
            ("not there", Decision::Deny, Some("not there")),
        ] {
            let text = text.map(str::to_owned);
            assert_eq!(understood(&approval, line), Some(Answer { decision, text }), "{line}");
        }
        let question = asked(RequestKind::Question, &["red", "blue"]);
        for (line, text) in [("2", "blue"), ("3", "3"), ("green", "green"), ("y", "y")] {
            assert_eq!(understood(&question, line).unwrap().text.as_deref(), Some(text), "{line}");
        }
        assert_eq!(understood(&approval, ""), None);
        assert!(how(&question).contains("1 to 2") && how(&approval).contains("y to allow"));
    }
}
