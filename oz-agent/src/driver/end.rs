//! How a run ends: a pure table from what happened to the state and message of its record.

use oz_core::{
    Error, ErrorCode, RunState,
    harness::{AgentState, Outcome},
    run::StatusMessage,
};

/// What ended a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The agent ended it.
    Agent(Outcome),
    /// It could not be prepared or driven.
    Failed(Error),
    /// It waits for a human who did not answer; another agent will go on. Says what it asked.
    Left(String),
    /// Whoever started this process wants it to end.
    Cancelled,
    /// The control plane has ended it already or given it to somebody else; there is nothing to report.
    Superseded,
}

impl End {
    /// The run can't be prepared.
    pub(super) fn unprepared(message: impl Into<String>) -> Self {
        Self::Failed(Error::new(ErrorCode::EnvironmentSetupFailed, message))
    }

    /// The state and message of the run's record.
    pub(super) fn report(self) -> (RunState, StatusMessage) {
        let said = |message: Option<String>, otherwise: &str| message.unwrap_or_else(|| otherwise.to_owned());
        match self {
            Self::Cancelled => (RunState::Cancelled, StatusMessage::info("The agent was stopped.")),
            Self::Superseded => (
                RunState::Cancelled,
                StatusMessage::info("The control plane ended this execution of the run."),
            ),
            Self::Left(asked) => (RunState::Blocked, StatusMessage::info(asked)),
            Self::Failed(Error { code, detail, .. }) => failed(code, detail),
            Self::Agent(Outcome { state, message, code }) => match (state, code) {
                (AgentState::Succeeded, _) => (
                    RunState::Succeeded,
                    StatusMessage::info(said(message, "The agent ended without a summary.")),
                ),
                (AgentState::Blocked, _) => {
                    (RunState::Blocked, StatusMessage::info(said(message, "The agent waits for a human.")))
                }
                (AgentState::Cancelled, _) => {
                    (RunState::Cancelled, StatusMessage::info(said(message, "The agent was stopped.")))
                }
                (_, Some(code)) => failed(code, said(message, "The agent failed.")),
                (_, None) => (RunState::Failed, StatusMessage::info(said(message, "The agent gave up."))),
            },
        }
    }
}

/// A wrong or missing key of a model provider is its user's to fix, unlike one of the platform.
fn failed(code: ErrorCode, message: String) -> (RunState, StatusMessage) {
    let state = match code {
        ErrorCode::AuthenticationRequired => RunState::Failed,
        _ => code.terminal_state(),
    };
    (state, StatusMessage::error(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::ErrorCode as C;

    #[test]
    fn the_table() {
        let agent = |state, code| End::Agent(Outcome { state, message: Some("m".into()), code });
        let error = |code| End::Failed(Error::new(code, "m"));
        for (end, state, code) in [
            (agent(AgentState::Succeeded, None), RunState::Succeeded, None),
            (agent(AgentState::Blocked, None), RunState::Blocked, None),
            (agent(AgentState::Cancelled, None), RunState::Cancelled, None),
            (agent(AgentState::Failed, None), RunState::Failed, None),
            (agent(AgentState::Failed, Some(C::BudgetExceeded)), RunState::Failed, Some(C::BudgetExceeded)),
            (
                agent(AgentState::Failed, Some(C::InsufficientCredits)),
                RunState::Failed,
                Some(C::InsufficientCredits),
            ),
            (
                agent(AgentState::Failed, Some(C::ResourceUnavailable)),
                RunState::Error,
                Some(C::ResourceUnavailable),
            ),
            (
                agent(AgentState::Failed, Some(C::AuthenticationRequired)),
                RunState::Failed,
                Some(C::AuthenticationRequired),
            ),
            (agent(AgentState::Failed, Some(C::InternalError)), RunState::Error, Some(C::InternalError)),
            (agent(AgentState::Unknown("odd".into()), None), RunState::Failed, None),
            (error(C::EnvironmentSetupFailed), RunState::Failed, Some(C::EnvironmentSetupFailed)),
            (error(C::InternalError), RunState::Error, Some(C::InternalError)),
            (End::Left("m".into()), RunState::Blocked, None),
            (End::Cancelled, RunState::Cancelled, None),
            (End::Superseded, RunState::Cancelled, None),
        ] {
            let shown = format!("{end:?}");
            let (got, status) = end.report();
            assert_eq!((got, status.error_code), (state, code), "{shown}");
            assert!(!status.message.is_empty());
        }
    }
}
