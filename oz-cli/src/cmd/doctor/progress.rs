//! What is still being checked, as a line at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{cell::RefCell, io::IsTerminal as _, time::Duration};

/// A line with the groups that are under way.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    left: RefCell<Vec<&'static str>>,
}

impl Progress {
    pub(super) fn new(groups: Vec<&'static str>) -> Self {
        // The line would only be noise in a file or a pipe.
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let progress = Self { bar, left: RefCell::new(groups) };
        progress.show();
        progress
    }

    /// A group has its answer.
    pub(super) fn done(&self, group: &str) {
        self.left.borrow_mut().retain(|name| *name != group);
        self.show();
    }

    fn show(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("checking {}", self.left.borrow().join(", ")));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
