//! The end of a run: what is reported of it, and to whom.

use super::{DriverResult, admission, end::End, session::Session};
use oz_core::{
    RunState,
    api::{ReportShutdown, UpdateRun},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long the last words of a cancelled agent may take: its transcript, then its state.
const LAST_WORDS: Duration = Duration::from_millis(120);

impl Session<'_> {
    /// Reports how the run ended, as long as `patience` allows.
    pub(super) async fn finish(mut self, end: End, patience: Duration) -> DriverResult {
        if let Some(event) = self.curtain.rest() {
            self.tell(event).await;
        }
        let cancelled = self.stop.is_cancelled() || matches!(end, End::Cancelled);
        let superseded = self.record.as_ref().is_some_and(|(_, _, recorder)| recorder.is_superseded());
        let end = match end {
            _ if superseded => End::Superseded,
            // An agent that is stopped may notice it as a failure of what it was just doing.
            End::Failed(_) if cancelled => End::Cancelled,
            end => end,
        };
        let silent = matches!(end, End::Superseded);
        let left = matches!(end, End::Left(_));
        let (mut state, mut status) = end.report();
        status.message = self.redactor.string(status.message);
        let run_id = self.record.as_ref().map(|(run_id, _, _)| *run_id);
        if let Some((_, client, recorder)) = self.record
            && !silent
        {
            let (flush, patience) = if cancelled { (LAST_WORDS, LAST_WORDS) } else { (patience, patience) };
            // Who answered meanwhile has the last word on whether the run waits.
            let tells = !(left || (self.assigned && state == RunState::Cancelled));
            let report = UpdateRun {
                task_state: tells.then(|| state.clone()),
                status_message: tells.then(|| status.clone()),
                usage: Some(self.usage.clone()),
            };
            let mut heard = recorder.close(flush).await;
            if heard {
                let reporting = admission::patiently(&client, &report, patience);
                // The patience ends between two calls; a cancelled agent has no time for a whole one.
                let limit = if cancelled { patience } else { patience + admission::CALL };
                heard = match timeout(limit, reporting).await {
                    Ok(Err(End::Superseded)) => false,
                    Ok(Ok(_)) => true,
                    Ok(Err(_)) | Err(_) => {
                        tracing::error!(%state, "the end of the run could not be reported");
                        true
                    }
                };
            }
            if heard && state == RunState::Blocked {
                // The worker's word on it may be late or, on this machine, never comes.
                let _ = timeout(
                    patience + admission::CALL,
                    admission::patiently(&client, &ReportShutdown::default(), patience),
                )
                .await;
            }
            if !heard && state != RunState::Cancelled {
                (state, status) = End::Superseded.report();
            }
        }
        DriverResult { state, status, usage: self.usage, run_id }
    }
}
