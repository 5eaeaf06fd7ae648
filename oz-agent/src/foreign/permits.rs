//! What a program asks before it does something: the gate decides, or a human whom the gate wants to be asked.

use crate::{gate::Gate, human::Human};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use oz_core::{Redactor, permission::Ask};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// A call that a program wants to make.
#[derive(Debug, PartialEq)]
pub(crate) struct Wish {
    /// The program's name for the question.
    pub(crate) id: String,
    /// What the call would do.
    pub(crate) asks: Vec<Ask>,
    /// Its arguments.
    pub(crate) input: Map<String, Value>,
}

/// The word on a call.
#[derive(Debug)]
pub(crate) struct Permit {
    /// The program's name for the question.
    pub(crate) id: String,
    /// Why it may not be made, if so.
    pub(crate) denied: Option<String>,
}

/// The questions of a program.
pub(super) struct Permits {
    gate: Arc<Gate>,
    human: Arc<Human>,
    redactor: Redactor,
    /// Those that wait for a human; one that is taken back ends without a word.
    open: FuturesUnordered<BoxFuture<'static, Option<Permit>>>,
    /// How to take each of them back.
    back: BTreeMap<String, CancellationToken>,
    /// Since when there are some.
    since: Option<Instant>,
}

impl Permits {
    pub(super) fn new(gate: Gate, human: Human, redactor: Redactor) -> Self {
        let (gate, human) = (Arc::new(gate), Arc::new(human));
        Self { gate, human, redactor, open: FuturesUnordered::new(), back: BTreeMap::new(), since: None }
    }

    /// The word on a call, unless a human has to say it.
    pub(super) fn ask(&mut self, wish: Wish) -> Option<Permit> {
        let Wish { id, asks, input } = wish;
        let open = match self.gate.check(asks) {
            Err(why) => return Some(Permit { id, denied: Some(self.redactor.string(why)) }),
            Ok(open) if open.is_empty() => return Some(Permit { id, denied: None }),
            Ok(open) => open,
        };
        let request = open.request(&input, &input, &self.redactor);
        let (gate, human, redactor) =
            (Arc::clone(&self.gate), Arc::clone(&self.human), self.redactor.clone());
        let back = CancellationToken::new();
        self.back.insert(id.clone(), back.clone());
        self.since.get_or_insert_with(Instant::now);
        let asking = async move {
            let Some(answer) = back.run_until_cancelled(human.request(request)).await else {
                human.withdraw().await;
                return None;
            };
            let denied = gate.settle(&open, answer).map(|why| redactor.string(why));
            Some(Permit { id, denied })
        };
        self.open.push(asking.boxed());
        None
    }

    /// The program does not want to know any more.
    pub(super) fn take_back(&mut self, id: &str) {
        if let Some(back) = self.back.remove(id) {
            back.cancel();
        }
    }

    /// Whether a human is asked.
    pub(super) fn wait(&self) -> bool {
        !self.open.is_empty()
    }

    /// The next answer of a human; and how long the program waited for humans, when it waits for none any more.
    pub(super) async fn next(&mut self) -> (Option<Permit>, Duration) {
        let permit = self.open.next().await.flatten();
        if let Some(Permit { id, .. }) = &permit {
            self.back.remove(id);
        }
        let waited = if self.open.is_empty() { self.since.take() } else { None };
        (permit, waited.map(|since| since.elapsed()).unwrap_or_default())
    }
}
