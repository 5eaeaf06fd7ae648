//! The way of a call through the gate, and from there to a human.

use super::agent::{Agent, End};
use crate::{human::deny, tool::Tool};
use oz_core::request::{Answer, Request};
use serde_json::{Map, Value};

impl Agent {
    /// Why a call may not be done, if so. A human is asked where the permissions say it.
    pub(super) async fn denied(
        &self,
        tool: &dyn Tool,
        input: &Map<String, Value>,
        shown: &Map<String, Value>,
    ) -> Result<Option<String>, End> {
        let gate = &self.common.gate;
        let open = match gate.check(tool.asks(&self.desk, input)) {
            Ok(open) => open,
            Err(why) => return Ok(Some(why)),
        };
        if open.is_empty() {
            return Ok(None);
        }
        let answer = self.request(open.request(input, shown, &self.desk.redactor)).await?;
        Ok(gate.settle(&open, answer).map(|why| self.desk.redactor.string(why)))
    }

    /// Asks a human and waits for the answer. An interruption of the step is a denial.
    pub(super) async fn request(&self, request: Request) -> Result<Answer, End> {
        let step = self.steps.current();
        let answer = tokio::select! {
            biased;
            answer = self.bounded(self.common.human.request(request)) => Some(answer),
            () = step.cancelled() => None,
        };
        self.common.human.withdraw().await;
        answer.unwrap_or_else(|| Ok(deny("the user interrupted the step")))
    }
}
