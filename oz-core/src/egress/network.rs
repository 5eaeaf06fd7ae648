//! The network of a run, as whoever starts processes or fetches something for its agent knows it.

use super::Allowlist;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a run may reach. The default is everything.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Words that come before those of every program that the agent starts; they put it where only the list can be reached.
    pub launcher: Vec<String>,
    list: Option<Arc<Allowlist>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Network {
    /// The network of this list.
    #[must_use]
    pub fn of(list: Allowlist, launcher: Vec<String>) -> Self {
        Self { launcher, list: Some(Arc::new(list)), refused: Arc::default() }
    }

    /// Whether this host may be reached. Who may not is told so, and it is remembered.
    ///
    /// # Errors
    /// The sentence that says so.
    pub fn check(&self, host: &str, port: u16) -> Result<(), String> {
        match &self.list {
            Some(list) if !list.covers(host, port) => {
                let text = format!("host {host} is not in config.sandbox.egress_allowlist");
                self.refuse(text.clone());
                Err(text)
            }
            _ => Ok(()),
        }
    }

    /// Remembers that something was refused.
    pub fn refuse(&self, text: String) {
        self.lock().push(text);
    }

    /// How much was refused until now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// What was refused after the first `count`, each once.
    #[must_use]
    pub fn refused(&self, count: usize) -> Vec<String> {
        let mut all: Vec<String> = self.lock().iter().skip(count).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A program and its arguments as they are to be started.
    pub fn words<'a>(&'a self, words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        self.launcher.iter().map(String::as_str).chain(words).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
