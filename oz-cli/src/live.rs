//! The live view of a run: plain lines as things happen, and on a terminal a progress line below them. What a line says
//! is up to [`render`].

pub(crate) mod keys;
mod markdown;
pub(crate) mod render;
mod streaming;
pub(crate) mod typed;
mod width;

use crate::out;
use anstyle::{AnsiColor, Effects, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oz_core::{Timestamp, event::EventType, harness::HarnessEvent, transcript::LogItem};
use render::Long;
use std::{
    fmt::Display,
    io::IsTerminal as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use streaming::Blocks;

const PROMPT: Style = AnsiColor::Cyan.on_default().effects(Effects::BOLD);
const DIM: Style = Style::new().dimmed();
const CURSOR: Style = Style::new().invert();

/// Shows a run as it happens. Clones show the same.
#[derive(Clone)]
pub(crate) struct Live {
    bar: Option<ProgressBar>,
    doing: &'static str,
    /// What the agent is saying.
    saying: Arc<Mutex<Blocks>>,
    /// Where all of it can be read.
    run_id: Arc<OnceLock<String>>,
    /// Why the run waits, as it was told last.
    waits: Arc<Mutex<String>>,
    /// How what is below looks now.
    below: Arc<Mutex<&'static str>>,
}

/// How the lines below what happens look: while the agent works; while somebody types beside that; and while all wait for
/// what they type.
const WORKS: &str = "{spinner} {msg} {elapsed:.dim}";
const WORKS_AND_TYPES: &str = "{spinner} {msg} {elapsed:.dim}\n{prefix}";
const TYPES: &str = "{prefix}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Live {
    /// A view whose progress line begins with `doing`.
    pub(crate) fn new(doing: &'static str) -> Self {
        // The line would only be noise in a file or a pipe.
        let bar = (std::io::stderr().is_terminal() && std::io::stdout().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(style(WORKS));
            bar.set_message(doing);
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            doing,
            saying: Arc::default(),
            waits: Arc::default(),
            below: Arc::default(),
            run_id: Arc::default(),
        }
    }

    /// The run has this record, where all of it can be read.
    pub(crate) fn recorded(&self, run_id: impl Display) {
        let _ = self.run_id.set(run_id.to_string());
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
            let pending = saying.pending().lines().next_back().map(out::plain);
            let pending = pending.unwrap_or_else(|| self.doing.to_owned());
            // The spinner stands before it, and the time after it.
            bar.set_message(width::cut(&pending, width::columns().saturating_sub(12)));
            if let Some(blocks) = blocks {
                self.print(format!("{}\n", width::wrap(&markdown::render(&blocks), width::columns())));
            }
            return;
        }
        let long = self.run_id.get().map_or(Long::Cut, |id| Long::Elsewhere(id));
        if let Some(text) = render::event(event, long) {
            self.print(if self.bar.is_some() { width::wrap(&text, width::columns()) } else { text });
        }
    }

    /// Shows why the run waits for a worker.
    pub(crate) fn waits(&self, reason: &str) {
        let mut told = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == reason {
            return;
        }
        reason.clone_into(&mut told);
        match &self.bar {
            Some(bar) => {
                bar.set_message(width::cut(&out::plain(reason), width::columns().saturating_sub(12)));
            }
            None => out::note(out::plain(reason)),
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

    /// Shows what somebody types below everything else; `waits` when nothing else goes on meanwhile.
    pub(crate) fn types(&self, text: &str, waits: bool) {
        let Some(bar) = &self.bar else { return };
        let line = text.replace('\n', "⏎");
        // The end is where they are at.
        let shown = width::end(&line, width::columns().saturating_sub(4));
        bar.set_prefix(format!("{PROMPT}›{PROMPT:#} {shown}{CURSOR} {CURSOR:#}"));
        let look = match (waits, text.is_empty()) {
            (true, _) => TYPES,
            (false, false) => WORKS_AND_TYPES,
            (false, true) => WORKS,
        };
        let mut below = self.below.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *below, look) != look {
            bar.set_style(style(look));
        }
        bar.tick();
    }

    /// Shows a word to the person, which is no result.
    pub(crate) fn note(&self, text: impl Display) {
        let text = format!("{DIM}{text}{DIM:#}");
        match &self.bar {
            Some(bar) => bar.suspend(|| out::note(width::wrap(&text, width::columns()))),
            None => out::note(text),
        }
    }

    /// Shows what somebody said.
    pub(crate) fn said(&self, text: &str) {
        let text = out::plain(text).replace('\n', "\n  ");
        self.print(width::wrap(&format!("{PROMPT}› {text}{PROMPT:#}\n"), width::columns()));
    }

    /// Takes the progress line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
