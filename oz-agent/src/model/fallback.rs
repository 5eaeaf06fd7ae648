//! The models of a run in the order in which they are asked, and what is known of their availability. It decides and
//! remembers; it neither calls nor waits.

use super::price::{Price, Prices};
use oz_core::{
    model::{Model, ModelError},
    usage::Usage,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// For how long a model that was not available is left alone.
const COOL_DOWN: Duration = Duration::from_secs(60);
/// The same when its provider asks for more.
const LONGEST: Duration = Duration::from_secs(3600);

/// A model that can be asked.
#[derive(Clone)]
pub struct Link {
    pub(super) model: Arc<dyn Model>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) price: Option<Price>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Link {
    /// What calls it.
    #[must_use]
    pub fn model(&self) -> &dyn Model {
        &*self.model
    }

    /// Its name at its service.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How transcripts name it: `SERVICE/MODEL` at a configured service, the bare id at the environment's providers.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An error of it, with the name of its service where that is a configured one.
    #[must_use]
    pub fn in_words(&self, error: &ModelError) -> String {
        if self.name == self.id { error.to_string() } else { format!("{}: {error}", self.name) }
    }

    /// What `usage` of it costs: by the price of its service's configuration, or else by `prices`.
    #[must_use]
    pub fn cost(&self, prices: &Prices, usage: &Usage) -> Option<f64> {
        match self.price {
            Some(price) => Some(price.of(usage)),
            None => prices.cost(self.model.provider(), &self.id, usage),
        }
    }
}

/// How patiently a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Nobody else would answer.
    Last,
    /// Others wait behind it.
    Others,
    /// It was not available before, and others wait behind it.
    Probe,
}

/// The models of a run.
#[derive(Debug, Clone)]
pub struct Chain {
    links: Vec<Link>,
    /// Until when each is left alone; present from its failure to its next answer.
    down: Vec<Option<Instant>>,
    /// The one in use, as the transcript has it.
    current: usize,
}

impl Chain {
    /// A chain of these, of which there is at least one.
    pub(super) fn new(links: Vec<Link>) -> Self {
        Self { down: vec![None; links.len()], links, current: 0 }
    }

    /// The model at a place.
    ///
    /// # Panics
    /// When there is no such place; all places come from [`order`](Self::order).
    #[must_use]
    pub fn link(&self, at: usize) -> &Link {
        &self.links[at]
    }

    /// The model in use.
    #[must_use]
    pub fn current(&self) -> &Link {
        self.link(self.current)
    }

    /// The places to ask now, each at most once: first what is not left alone, then, rather than to give up, the rest.
    #[must_use]
    pub fn order(&self, now: Instant) -> Vec<usize> {
        let alone = |at: &usize| self.down[*at].is_some_and(|until| until > now);
        let (rest, ready): (Vec<usize>, Vec<usize>) = (0..self.links.len()).partition(alone);
        [ready, rest].concat()
    }

    /// How patiently to ask a place when `others` come after it.
    #[must_use]
    pub fn patience(&self, at: usize, others: bool) -> Patience {
        match (others, self.down[at]) {
            (false, _) => Patience::Last,
            (true, None) => Patience::Others,
            (true, Some(_)) => Patience::Probe,
        }
    }

    /// A place was not available, and `next` is asked in its stead. Answers what the transcript should say, if it is
    /// news.
    pub fn failed(&mut self, at: usize, error: &ModelError, next: usize, now: Instant) -> Option<String> {
        let wait = error.retry_after.unwrap_or_default().clamp(COOL_DOWN, LONGEST);
        self.down[at] = Some(now + wait);
        if at != self.current {
            return None;
        }
        self.current = next;
        let (this, next) = (self.link(at).name(), self.link(next).name());
        Some(format!("{this} is not available ({error}); going on with {next}"))
    }

    /// A place answered. Answers what the transcript should say, if it is news.
    pub fn answered(&mut self, at: usize) -> Option<String> {
        self.down[at] = None;
        let news = at != self.current;
        self.current = at;
        news.then(|| format!("{} is available again", self.link(at).name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chat::Chat;
    use oz_core::model::ModelErrorKind;

    fn chain(names: [&str; 3]) -> Chain {
        let link = |name: &str| {
            let model = Chat::new("test", "http://localhost", None, COOL_DOWN).unwrap();
            Link { model: Arc::new(model), id: name.into(), name: name.into(), price: None }
        };
        Chain::new(names.map(link).into())
    }

    fn busy(retry_after: Option<u64>) -> ModelError {
        let retry_after = retry_after.map(Duration::from_secs);
        ModelError { retry_after, ..ModelError::new(ModelErrorKind::Unavailable, "busy") }
    }

    #[test]
    fn it_goes_on_and_comes_back_and_says_each_once() {
        let mut chain = chain(["a", "b", "c"]);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(chain.order(start), [0, 1, 2]);
        assert_eq!((chain.patience(0, true), chain.patience(2, false)), (Patience::Others, Patience::Last));
        let said = chain.failed(0, &busy(None), 1, start).unwrap();
        assert_eq!(said, "a is not available (busy); going on with b");
        assert_eq!(chain.answered(1), None);
        assert_eq!(chain.order(after(59)), [1, 2, 0], "left alone");
        assert_eq!(chain.order(after(60)), [0, 1, 2], "tried again");
        assert_eq!(chain.patience(0, true), Patience::Probe);
        assert_eq!(chain.failed(0, &busy(None), 1, after(60)), None, "said before");
        assert_eq!((chain.answered(1), chain.current().name()), (None, "b"));
        assert_eq!(chain.answered(0).unwrap(), "a is available again");
        assert_eq!((chain.patience(0, true), chain.current().name()), (Patience::Others, "a"));
    }

    #[test]
    fn nothing_is_left_untried_and_a_provider_may_ask_for_more_rest() {
        let mut chain = chain(["a", "b", "c"]);
        let start = Instant::now();
        assert!(chain.failed(0, &busy(Some(u64::MAX)), 1, start).is_some());
        assert!(chain.failed(1, &busy(Some(1)), 2, start).unwrap().ends_with("going on with c"));
        assert_eq!(chain.order(start), [2, 0, 1]);
        assert_eq!(chain.order(start + COOL_DOWN), [1, 2, 0]);
        assert_eq!(chain.order(start + LONGEST), [0, 1, 2]);
    }
}
