//! The state machine of a run: one pure table. Every change of state in the whole system asks [`next`].

use super::RunState;
use crate::{Error, ErrorCode};

/// Why a run changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The dispatcher offers the run to a worker.
    Offer,
    /// The worker accepts the offer.
    Claim,
    /// The worker is full, or did not answer the offer in time.
    Decline,
    /// The agent begins to work.
    Start,
    /// The worker that had the run was lost; another may try.
    Lose,
    /// The agent waits for a human.
    Block,
    /// A human answered.
    Unblock,
    /// The agent is done.
    Succeed,
    /// It went wrong in a way that its user can fix.
    Fail,
    /// It went wrong on our side.
    Break,
    /// Somebody cancels it.
    Cancel,
    /// Somebody gives an ended run more to do.
    FollowUp,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 12] = [
        Self::Offer,
        Self::Claim,
        Self::Decline,
        Self::Start,
        Self::Lose,
        Self::Block,
        Self::Unblock,
        Self::Succeed,
        Self::Fail,
        Self::Break,
        Self::Cancel,
        Self::FollowUp,
    ];

    /// The cause that ends a run in `state`, if `state` is one in which runs end.
    #[must_use]
    pub fn ending_in(state: &RunState) -> Option<Self> {
        match state {
            RunState::Succeeded => Some(Self::Succeed),
            RunState::Failed => Some(Self::Fail),
            RunState::Error => Some(Self::Break),
            RunState::Cancelled => Some(Self::Cancel),
            RunState::Blocked => Some(Self::Block),
            _ => None,
        }
    }
}

/// An illegal change of state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run in state {from} can't {}", verb(*.cause))]
pub struct IllegalTransition {
    /// The state the run is in.
    pub from: RunState,
    /// What was to happen.
    pub cause: Cause,
}

fn verb(cause: Cause) -> &'static str {
    match cause {
        Cause::Offer => "be offered to a worker",
        Cause::Claim => "be claimed",
        Cause::Decline => "be declined",
        Cause::Start => "start",
        Cause::Lose => "lose its worker",
        Cause::Block => "become blocked",
        Cause::Unblock => "be unblocked",
        Cause::Succeed => "succeed",
        Cause::Fail => "fail",
        Cause::Break => "end in an error",
        Cause::Cancel => "be cancelled",
        Cause::FollowUp => "take a follow-up",
    }
}

impl From<IllegalTransition> for Error {
    /// Cancelling a run that is being handed to a worker is a passing conflict; cancelling an ended one is the
    /// caller's mistake (rest-api: 409 while PENDING, 400 once terminal).
    fn from(e: IllegalTransition) -> Self {
        match (e.cause, &e.from) {
            (Cause::Cancel, RunState::Pending) => {
                Self::conflict("the run is just being handed to a worker; try again in a moment")
            }
            (Cause::Cancel, state) => {
                Self::invalid(format!("run: it is already {state} and can't be cancelled"))
            }
            _ => Self::new(ErrorCode::Conflict, e.to_string()),
        }
    }
}

/// The state that follows `from` when `cause` happens.
///
/// # Errors
/// [`IllegalTransition`] when the table has no such row.
pub fn next(from: &RunState, cause: Cause) -> Result<RunState, IllegalTransition> {
    use RunState as S;
    let to = match (from, cause) {
        (S::Queued, Cause::Offer) => S::Pending,
        (S::Pending, Cause::Claim) => S::Claimed,
        (S::Pending, Cause::Decline) => S::Queued,
        (S::Claimed | S::InProgress, Cause::Lose) => S::Queued,
        (S::Claimed, Cause::Start) | (S::Blocked, Cause::Unblock) => S::InProgress,
        (S::InProgress, Cause::Block) => S::Blocked,
        (S::Claimed | S::InProgress | S::Blocked, Cause::Succeed) => S::Succeeded,
        (S::Queued | S::Pending | S::Claimed | S::InProgress | S::Blocked, Cause::Fail) => S::Failed,
        (S::Queued | S::Pending | S::Claimed | S::InProgress | S::Blocked, Cause::Break) => S::Error,
        (S::Queued | S::Claimed | S::InProgress | S::Blocked, Cause::Cancel) => S::Cancelled,
        (S::Blocked | S::Succeeded | S::Failed | S::Error | S::Cancelled, Cause::FollowUp) => S::Queued,
        _ => return Err(IllegalTransition { from: from.clone(), cause }),
    };
    Ok(to)
}

/// Whether anything can bring a run from one state directly to the other.
#[must_use]
pub fn can_transition(from: &RunState, to: &RunState) -> bool {
    Cause::ALL.iter().any(|cause| next(from, *cause).as_ref() == Ok(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever happens, in whatever order: a terminal state is left only by a follow-up, the agent never starts
        /// without a claim, and at most one end is recorded per life of the run.
        #[test]
        fn any_history_keeps_the_invariants(causes in proptest::collection::vec(0..Cause::ALL.len(), 0..200)) {
            let mut state = RunState::Queued;
            let (mut claimed, mut ends) = (false, 0);
            for cause in causes.into_iter().map(|i| Cause::ALL[i]) {
                let before = state.clone();
                match next(&state, cause) {
                    Ok(after) => {
                        prop_assert_ne!(&before, &after);
                        if before.is_terminal() { prop_assert_eq!(cause, Cause::FollowUp); }
                        if after == RunState::Queued { claimed = false; }
                        if cause == Cause::FollowUp { ends = 0; }
                        if cause == Cause::Claim { claimed = true; }
                        if after == RunState::InProgress && cause == Cause::Start { prop_assert!(claimed); }
                        if after.is_terminal() { ends += 1; }
                        prop_assert!(ends <= 1);
                        state = after;
                    }
                    Err(e) => prop_assert_eq!(e, IllegalTransition { from: before, cause }),
                }
            }
        }
    }

    #[test]
    fn every_live_state_can_end_and_every_end_can_be_reached() {
        for state in RunState::ALL.iter().filter(|s| !s.is_terminal()) {
            assert!(next(state, Cause::Break).is_ok(), "{state} has no way out");
        }
        for end in RunState::ALL.iter().filter(|s| s.is_terminal()) {
            let cause = Cause::ending_in(end).unwrap();
            assert!(RunState::ALL.iter().any(|from| next(from, cause).as_ref() == Ok(end)));
        }
    }

    #[test]
    fn what_can_follow_is_what_the_table_says() {
        assert!(can_transition(&RunState::Queued, &RunState::Pending));
        assert!(!can_transition(&RunState::Queued, &RunState::Succeeded));
        assert!(!can_transition(&RunState::Unknown("X".into()), &RunState::Queued));
        for state in &RunState::ALL {
            assert!(!can_transition(state, state), "{state} follows itself");
        }
    }

    #[test]
    fn cancelling_says_whether_to_try_again() {
        let error = |state| Error::from(next(&state, Cause::Cancel).unwrap_err());
        assert_eq!(error(RunState::Pending).http_status(), 409);
        assert_eq!(error(RunState::Succeeded).http_status(), 400);
    }

    #[test]
    fn a_state_of_a_newer_server_goes_nowhere_but_survives() {
        let state: RunState = serde_json::from_str("\"HIBERNATING\"").unwrap();
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"HIBERNATING\"");
        assert!(Cause::ALL.iter().all(|cause| next(&state, *cause).is_err()));
    }
}
