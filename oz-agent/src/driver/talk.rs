//! A run that a person at this machine talks with: what is said next after the agent has ended what it was at.

use super::{
    drive::{self, Manners},
    end::End,
    session::Session,
    steer::Steer,
};
use oz_core::{
    ErrorCode,
    config::Limits,
    harness::{AgentState, HarnessTask, Outcome, SavedSession},
    usage::Usage,
};
use tokio::time::Instant;

/// Where the talk stands.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Whether the person goes on talking when the agent is done.
    goes_on: bool,
    /// Whether anybody is there.
    present: bool,
    /// The agent was told to leave what it was at.
    pub(super) paused: bool,
    /// There is nothing more to say.
    pub(super) over: bool,
    /// What was said that the agent could not take while it worked.
    pub(super) unread: Vec<String>,
    /// How many calls of models there were.
    pub(super) calls: u32,
    limits: Limits,
    began: Option<Instant>,
}

impl Talk {
    pub(super) fn new(task: &HarnessTask, present: bool) -> Self {
        let (limits, began) = (task.limits.clone(), Some(Instant::now()));
        Self { goes_on: task.talks, present, limits, began, ..Self::default() }
    }

    /// Makes the next task of the conversation. The limits of a run are for all of it.
    pub(super) fn go_on(
        &self,
        task: &mut HarnessTask,
        saved: Option<SavedSession>,
        text: String,
        used: &Usage,
    ) {
        // An agent that kept nothing is told again what it was asked.
        task.prompt = if saved.is_some() { text } else { format!("{}\n\n{text}", task.prompt) };
        task.saved = saved;
        let Limits { max_turns, max_tokens, max_seconds, max_cost_usd } = self.limits;
        let took = self.began.map_or(0, |began| began.elapsed().as_secs());
        task.limits = Limits {
            max_turns: max_turns.map(|most| most.saturating_sub(self.calls)),
            max_tokens: max_tokens.map(|most| most.saturating_sub(used.total_tokens())),
            max_seconds: max_seconds.map(|most| most.saturating_sub(took)),
            max_cost_usd: max_cost_usd.map(|most| (most - used.cost_usd.unwrap_or_default()).max(0.0)),
        };
    }

    /// Whether more can be said after this end.
    fn is_open(&self, end: &End) -> bool {
        let End::Agent(Outcome { state, code, .. }) = end else { return false };
        match state {
            _ if self.over || !self.present => false,
            AgentState::Cancelled => self.paused,
            // What it may cost is used up.
            _ if *code == Some(ErrorCode::BudgetExceeded) => false,
            _ => self.goes_on || !self.unread.is_empty(),
        }
    }
}

impl Session<'_> {
    /// What the person says next, after an agent has ended; nothing when that was all.
    pub(super) async fn more(&mut self, end: &End, manners: &mut Manners, talk: &mut Talk) -> Option<String> {
        if self.stop.is_cancelled() || !talk.is_open(end) {
            return None;
        }
        if !talk.unread.is_empty() {
            talk.paused = false;
            return Some(std::mem::take(&mut talk.unread).join("\n\n"));
        }
        self.listens();
        let stop = self.stop.clone();
        loop {
            match stop.run_until_cancelled(drive::heard(&mut manners.steer)).await? {
                Steer::Message { text, .. } => {
                    talk.paused = false;
                    return Some(text);
                }
                Steer::End => {
                    talk.over = true;
                    return None;
                }
                Steer::Answer { .. } | Steer::Pause => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::Error;

    fn ended(state: AgentState, code: Option<ErrorCode>) -> End {
        End::Agent(Outcome { state, message: None, code })
    }

    #[test]
    fn when_more_can_be_said() {
        let talks = HarnessTask { talks: true, ..HarnessTask::default() };
        let once = HarnessTask::default();
        let unread = |task| Talk { unread: vec!["x".into()], ..Talk::new(task, true) };
        for (talk, end, open) in [
            (Talk::new(&talks, true), ended(AgentState::Succeeded, None), true),
            (Talk::new(&talks, true), ended(AgentState::Failed, Some(ErrorCode::ResourceUnavailable)), true),
            (Talk::new(&talks, true), ended(AgentState::Failed, Some(ErrorCode::BudgetExceeded)), false),
            (Talk::new(&talks, true), ended(AgentState::Cancelled, None), false),
            (Talk::new(&talks, true), End::Failed(Error::unsupported("x")), false),
            (Talk::new(&talks, false), ended(AgentState::Succeeded, None), false),
            (Talk::new(&once, true), ended(AgentState::Succeeded, None), false),
            (unread(&once), ended(AgentState::Succeeded, None), true),
            (Talk { paused: true, ..Talk::new(&once, true) }, ended(AgentState::Cancelled, None), true),
            (Talk { over: true, ..unread(&talks) }, ended(AgentState::Succeeded, None), false),
        ] {
            assert_eq!(talk.is_open(&end), open, "{talk:?} {end:?}");
        }
    }

    #[test]
    fn limits_are_for_all_of_it() {
        let limits =
            Limits { max_turns: Some(5), max_tokens: Some(10), max_cost_usd: Some(1.0), ..Limits::default() };
        let mut task = HarnessTask { limits, prompt: "first".into(), ..HarnessTask::default() };
        let talk = Talk { calls: 2, ..Talk::new(&task, true) };
        let used = Usage { input_tokens: 30, cost_usd: Some(0.25), ..Usage::default() };
        for prompt in ["first\n\nmore", "first\n\nmore\n\nmore"] {
            talk.go_on(&mut task, None, "more".into(), &used);
            let Limits { max_turns, max_tokens, max_cost_usd, .. } = task.limits;
            assert_eq!((max_turns, max_tokens, max_cost_usd), (Some(3), Some(0), Some(0.75)));
            assert_eq!(task.prompt, prompt);
        }
    }
}
