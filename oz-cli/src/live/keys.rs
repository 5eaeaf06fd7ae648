//! The keys of a terminal while a run is shown there: they come one by one and are not echoed, so that what is typed
//! stands on its own line below what happens. Ctrl-C stays a signal. Whatever ends the process, the terminal is as it was.

use rustix::{
    process::getpgrp,
    stdio,
    termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios},
};
use std::{
    io::{IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
};

/// How the terminal was before.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Texts that are pasted come in marks, and the cursor is ours to draw.
const BEGIN: &str = "\x1b[?2004h\x1b[?25l";
const END: &str = "\x1b[?2004l\x1b[?25h";

/// Gives the terminal back when it is dropped.
pub(crate) struct Keys(());

impl Keys {
    /// Takes the keys, where a person sits at a terminal and this process is the one that they talk to.
    pub(crate) fn take() -> Option<Self> {
        let all = std::io::stdin().is_terminal()
            && std::io::stdout().is_terminal()
            && std::io::stderr().is_terminal();
        let ours = all && termios::tcgetpgrp(stdio::stdin()).is_ok_and(|group| group == getpgrp());
        if !ours {
            return None;
        }
        let before = termios::tcgetattr(stdio::stdin()).ok()?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        again();
        Some(Self(()))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        give_back();
    }
}

/// Takes the keys once more, after the process was stopped and the shell had them.
pub(crate) fn again() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut now) = before.clone() else { return };
    now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    now.special_codes[SpecialCodeIndex::VMIN] = 1;
    now.special_codes[SpecialCodeIndex::VTIME] = 0;
    let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &now);
    write(BEGIN);
}

/// Makes the terminal what it was. It does nothing where nobody took the keys.
pub(crate) fn give_back() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &before);
        write(END);
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
