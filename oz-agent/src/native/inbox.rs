//! Messages for an agent that works. A message is either read by the agent or refused, never lost between the two.

use oz_core::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
enum State {
    #[default]
    New,
    Open(Vec<String>),
    Closed,
}

/// The messages that wait.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<State>);

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent begins.
    pub(super) fn open(&self) -> Result<(), Error> {
        let mut state = self.lock();
        match *state {
            State::New => *state = State::Open(Vec::new()),
            State::Open(_) | State::Closed => {
                return Err(Error::conflict(
                    "this agent was started before; one agent holds one conversation",
                ));
            }
        }
        Ok(())
    }

    /// Leaves a message.
    pub(super) fn put(&self, message: String) -> Result<(), Error> {
        self.open_messages(|messages| messages.push(message))
    }

    fn open_messages(&self, todo: impl FnOnce(&mut Vec<String>)) -> Result<(), Error> {
        match &mut *self.lock() {
            State::Open(messages) => {
                todo(messages);
                Ok(())
            }
            State::New => Err(Error::conflict("the agent has not started yet")),
            State::Closed => Err(Error::conflict("the agent has ended")),
        }
    }

    /// Whether somebody reads messages.
    pub(super) fn is_open(&self) -> Result<(), Error> {
        self.open_messages(|_| ())
    }

    /// Takes what is there.
    pub(super) fn take(&self) -> Vec<String> {
        match &mut *self.lock() {
            State::Open(messages) => std::mem::take(messages),
            State::New | State::Closed => Vec::new(),
        }
    }

    /// Closes the inbox unless something is in it. Answers whether it is closed.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        if matches!(&*state, State::Open(messages) if !messages.is_empty()) {
            return false;
        }
        *state = State::Closed;
        true
    }

    /// Closes the inbox whatever is in it.
    pub(super) fn shut(&self) {
        *self.lock() = State::Closed;
    }
}
