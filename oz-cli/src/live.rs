//! The live view of a run: plain lines as things happen, and on a terminal a progress line below them. What a line says
//! is up to [`render`].

mod markdown;
pub(crate) mod render;
mod streaming;

use crate::out;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oz_core::{Timestamp, event::EventType, harness::HarnessEvent, transcript::LogItem};
use std::{
    fmt::Display,
    io::IsTerminal as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use streaming::Blocks;

/// Shows a run as it happens. Clones show the same.
#[derive(Clone)]
pub(crate) struct Live {
    bar: Option<ProgressBar>,
    doing: &'static str,
    /// What the agent is saying.
    saying: Arc<Mutex<Blocks>>,
}

impl Live {
    /// A view whose progress line begins with `doing`.
    pub(crate) fn new(doing: &'static str) -> Self {
        // The line would only be noise in a file or a pipe.
        let bar = (std::io::stderr().is_terminal() && std::io::stdout().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.set_message(doing);
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, doing, saying: Arc::default() }
    }

    /// Shows an item of a run's log.
    pub(crate) fn item(&self, item: &LogItem) {
        match item {
            LogItem::Event { index, event } => self.event(&event.event_type, *index, event.occurred_at),
            LogItem::Entry { entry } => {
                if let Some(event) = entry.event.known() {
                    self.harness(event);
                }
            }
        }
    }

    fn event(&self, event: &EventType, index: i64, occurred_at: Timestamp) {
        let Some(text) = render::state(event) else { return };
        let Some(bar) = &self.bar else { return out::line(render::aside(text)) };
        bar.set_message(text);
        if index == 1 {
            // The time counts for the run, not for who looks at it.
            let elapsed = Timestamp::now().duration_since(occurred_at);
            let _ = bar.clone().with_elapsed(elapsed.try_into().unwrap_or_default());
        }
    }

    /// Shows what an agent reports.
    pub(crate) fn harness(&self, event: &HarnessEvent) {
        if let Some(bar) = &self.bar
            && let HarnessEvent::Delta { text } | HarnessEvent::Text { text } = event
        {
            let mut saying = self.saying.lock().unwrap_or_else(PoisonError::into_inner);
            let blocks = match event {
                HarnessEvent::Delta { .. } => saying.push(text),
                _ => Some(saying.finish(text)).filter(|rest| !rest.is_empty()),
            };
            // The line below shows what is on its way.
            let pending = saying.pending().lines().next_back().map(|line| out::one_line(line, 60));
            bar.set_message(pending.unwrap_or_else(|| self.doing.to_owned()));
            if let Some(blocks) = blocks {
                self.print(format!("{}\n", markdown::render(&blocks)));
            }
            return;
        }
        if let Some(text) = render::event(event) {
            self.print(text);
        }
    }

    /// Shows that the control plane is away.
    pub(crate) fn lost(&self, error: &oz_client::Error) {
        match &self.bar {
            Some(bar) => bar.set_message("the control plane is away; trying again"),
            None => out::note(format!("The connection is lost, trying again: {error}")),
        }
    }

    /// Prints above the progress line.
    pub(crate) fn print(&self, text: impl Display) {
        match &self.bar {
            Some(bar) => bar.suspend(|| out::line(text)),
            None => out::line(text),
        }
    }

    /// Hides the progress line while somebody types, or shows it again.
    pub(crate) fn quiet(&self, quiet: bool) {
        if let Some(bar) = &self.bar {
            let hidden = ProgressDrawTarget::hidden();
            bar.set_draw_target(if quiet { hidden } else { ProgressDrawTarget::stderr_with_hz(10) });
        }
    }

    /// Takes the progress line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
