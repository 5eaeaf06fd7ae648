//! What everybody else sees of a run: its events without secrets. A text that comes in several events may have a secret
//! across them, so what may be the beginning of one waits for the next event.

use oz_core::{Redactor, harness::HarnessEvent, redact::Stream};
use std::mem;

/// How much text waits at most for the end of what may be a secret.
const WAITS: usize = 64 << 10;

/// Takes secrets out of events.
pub(super) struct Curtain {
    redactor: Redactor,
    open: Option<Open>,
}

/// A text that may go on.
struct Open {
    /// An event of its kind.
    like: HarnessEvent,
    /// What may be shown, and waits for what follows.
    ready: String,
    stream: Stream,
}

impl Curtain {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, open: None }
    }

    /// The events that may be shown now that this one has come.
    pub(super) fn pass(&mut self, event: HarnessEvent) -> Vec<HarnessEvent> {
        let Some(text) = text(&event).filter(|_| !self.redactor.is_empty()) else {
            let event = self.redactor.event(event);
            return self.rest().into_iter().chain([event]).collect();
        };
        let mut events = Vec::new();
        if !self.open.as_ref().is_some_and(|open| alike(&open.like, &event)) {
            events.extend(self.rest());
        }
        let stream = || Open {
            like: with(&event, String::new()),
            ready: String::new(),
            stream: self.redactor.stream(),
        };
        let open = self.open.get_or_insert_with(stream);
        open.ready.push_str(&String::from_utf8_lossy(&open.stream.push(text.as_bytes())));
        if !open.ready.is_empty() && (!open.stream.holds() || open.ready.len() > WAITS) {
            events.push(with(&open.like, mem::take(&mut open.ready)));
        }
        events
    }

    /// What still waits, when nothing comes that it could go on with.
    pub(super) fn rest(&mut self) -> Option<HarnessEvent> {
        let Open { like, mut ready, mut stream } = self.open.take()?;
        ready.push_str(&String::from_utf8_lossy(&stream.finish()));
        (!ready.is_empty()).then(|| with(&like, ready))
    }
}

/// The text of an event of a kind that comes in pieces.
fn text(event: &HarnessEvent) -> Option<&str> {
    match event {
        HarnessEvent::Text { text }
        | HarnessEvent::Delta { text }
        | HarnessEvent::Reasoning { text }
        | HarnessEvent::Output { text, .. } => Some(text),
        _ => None,
    }
}

/// The same event with another text.
fn with(event: &HarnessEvent, new: String) -> HarnessEvent {
    let mut event = event.clone();
    if let HarnessEvent::Text { text }
    | HarnessEvent::Delta { text }
    | HarnessEvent::Reasoning { text }
    | HarnessEvent::Output { text, .. } = &mut event
    {
        *text = new;
    }
    event
}

/// Whether the text of one event goes on in the other.
fn alike(one: &HarnessEvent, other: &HarnessEvent) -> bool {
    with(one, String::new()) == with(other, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> HarnessEvent {
        HarnessEvent::Text { text: text.into() }
    }

    fn output(text: &str) -> HarnessEvent {
        HarnessEvent::Output { stage: "s".into(), text: text.into() }
    }

    #[test]
    fn a_secret_across_events_is_not_seen() {
        let mut curtain = Curtain::new(Redactor::new(["hunter-2-hunter"]));
        assert_eq!(curtain.pass(text("as it is")), [text("as it is")]);
        assert_eq!(curtain.pass(text("it is hunter")), []);
        assert_eq!(curtain.pass(text("-2-hunter, yes")), [text("it is ***, yes")]);
        assert_eq!(curtain.pass(text("the hunt")), []);
        let reasoning = HarnessEvent::Reasoning { text: "x".into() };
        assert_eq!(curtain.pass(reasoning.clone()), [text("the hunt"), reasoning]);
        assert_eq!(curtain.pass(output("hunter-2")), []);
        let prompt = |text: &str| HarnessEvent::Prompt { text: text.into() };
        assert_eq!(curtain.pass(prompt("hunter-2-hunter")), [output("hunter-2"), prompt("***")]);
        assert_eq!(curtain.pass(text("hunter-")), []);
        assert_eq!(curtain.rest(), Some(text("hunter-")));
        assert_eq!(curtain.rest(), None);
    }

    #[test]
    fn without_secrets_nothing_waits() {
        let mut curtain = Curtain::new(Redactor::default());
        for event in [text(""), text("x"), output("y")] {
            assert_eq!(curtain.pass(event.clone()), [event]);
        }
    }
}
