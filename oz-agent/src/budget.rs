//! How much an agent may use, and how much it has used. It measures and answers; the loop decides what follows.

use oz_core::{config::Limits, usage::Usage};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many model calls a run may make that names no limit, so that no loop is endless.
const MAX_TURNS: u32 = 200;

/// Limits, and what counts against them. An agent and its helpers share one.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    started: Instant,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    turns: u32,
    used: Usage,
}

impl Budget {
    /// A budget from now on.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, started: Instant::now(), spent: Mutex::default() }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more turn begins.
    pub(crate) fn begin_turn(&self) {
        self.spent().turns += 1;
    }

    /// A model call used this.
    pub(crate) fn count(&self, usage: &Usage) {
        self.spent().used.add(usage);
    }

    /// Why there may be no further turn, if so.
    pub(crate) fn exceeded(&self) -> Option<String> {
        let Limits { max_turns, max_tokens, max_cost_usd, .. } = self.limits;
        let turns = max_turns.unwrap_or(MAX_TURNS);
        let spent = self.spent();
        if spent.turns >= turns {
            return Some(format!(
                "the run made {turns} model calls, which is its limit (max_turns), before it was done"
            ));
        }
        if let Some(max) = max_tokens.filter(|max| spent.used.total_tokens() >= *max) {
            let used = spent.used.total_tokens();
            return Some(format!(
                "the run used {used} tokens of the {max} that it may (max_tokens) before it was done"
            ));
        }
        if let (Some(cost), Some(max)) = (spent.used.cost_usd, max_cost_usd)
            && cost >= max
        {
            return Some(format!(
                "the run cost {cost:.2} of the {max} US dollars that it may (max_cost_usd) before it was done"
            ));
        }
        None
    }

    /// Why the time is up.
    pub(crate) fn out_of_time(&self) -> String {
        let max = self.limits.max_seconds.unwrap_or_default();
        format!("the run took longer than {max} s, which is its limit (max_seconds)")
    }

    /// Waits until the time is up.
    pub(crate) async fn time_up(&self) {
        match self.limits.max_seconds {
            Some(seconds) => tokio::time::sleep_until(self.started + Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceeded(limits: Limits, turns: u32, tokens: u64, cost_usd: Option<f64>) -> Option<String> {
        let budget = Budget::new(limits);
        (0..turns).for_each(|_| budget.begin_turn());
        budget.count(&Usage { input_tokens: tokens, cost_usd, ..Usage::default() });
        budget.exceeded()
    }

    #[test]
    fn the_table() {
        let turns = Limits { max_turns: Some(2), ..Limits::default() };
        let tokens = Limits { max_tokens: Some(100), ..Limits::default() };
        let cost = Limits { max_cost_usd: Some(0.5), ..Limits::default() };
        for (limits, used, word) in [
            (&turns, (1, 1 << 40, Some(1e9)), None),
            (&turns, (2, 0, None), Some("max_turns")),
            (&tokens, (9, 99, None), None),
            (&tokens, (0, 100, None), Some("max_tokens")),
            (&cost, (9, 9, Some(0.49)), None),
            (&cost, (9, 9, None), None),
            (&cost, (0, 9, Some(0.5)), Some("max_cost_usd")),
            (&Limits::default(), (199, 1 << 40, Some(1e9)), None),
            (&Limits::default(), (200, 0, None), Some("200 model calls")),
        ] {
            let reason = exceeded(limits.clone(), used.0, used.1, used.2);
            assert_eq!(reason.is_some(), word.is_some(), "{limits:?} {used:?}: {reason:?}");
            assert!(reason.unwrap_or_default().contains(word.unwrap_or_default()));
        }
    }
}
