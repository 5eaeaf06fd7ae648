//! Messages for an agent that works. A message is either read by the agent or refused, never lost between the two.

use oz_core::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug, Default)]
enum State {
    #[default]
    New,
    Open(Vec<String>),
    Closed,
}

/// What is in an inbox, and how its agent is to go about it.
#[derive(Debug, Default)]
struct Contents {
    state: State,
    /// Whether the agent does nothing until it is sent something.
    held: bool,
    /// Whether nothing more will be sent.
    dismissed: bool,
}

/// The messages that wait.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
    changed: Notify,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent begins.
    pub(super) fn open(&self) -> Result<(), Error> {
        let state = &mut self.lock().state;
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

    /// Leaves a message. Whoever was held goes on with it.
    pub(super) fn put(&self, message: String) -> Result<(), Error> {
        self.change(|held, messages| {
            messages.push(message);
            *held = false;
        })
    }

    /// The agent is to do nothing until it is sent something.
    pub(super) fn hold(&self) -> Result<(), Error> {
        self.change(|held, messages| *held = messages.is_empty())
    }

    fn change(&self, todo: impl FnOnce(&mut bool, &mut Vec<String>)) -> Result<(), Error> {
        let mut contents = self.lock();
        let Contents { state, held, .. } = &mut *contents;
        match state {
            State::Open(messages) => todo(held, messages),
            State::New => return Err(Error::conflict("the agent has not started yet")),
            State::Closed => return Err(Error::conflict("the agent has ended")),
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Nothing more will be sent.
    pub(super) fn dismiss(&self) {
        self.lock().dismissed = true;
        self.changed.notify_one();
    }

    /// Waits while the agent is held. Answers whether it is to go on; it is not where nothing more will be sent.
    pub(super) async fn released(&self) -> bool {
        loop {
            {
                let contents = self.lock();
                if !contents.held || contents.dismissed {
                    return !contents.held;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Whether somebody reads messages.
    pub(super) fn is_open(&self) -> Result<(), Error> {
        self.change(|_, _| ())
    }

    /// Takes what is there.
    pub(super) fn take(&self) -> Vec<String> {
        match &mut self.lock().state {
            State::Open(messages) => std::mem::take(messages),
            State::New | State::Closed => Vec::new(),
        }
    }

    /// Closes the inbox unless something is in it. Answers whether it is closed.
    pub(super) fn close(&self) -> bool {
        let state = &mut self.lock().state;
        if matches!(&*state, State::Open(messages) if !messages.is_empty()) {
            return false;
        }
        *state = State::Closed;
        true
    }

    /// Closes the inbox whatever is in it.
    pub(super) fn shut(&self) {
        self.lock().state = State::Closed;
    }
}
