//! The calls of one answer. Those that only read are done at once, the others one after the other; every call has a
//! result in the end, also when it was not begun.

use super::{
    agent::{Agent, End},
    guard::{Guard, Verdict, Went},
};
use crate::tool::Effect;
use futures_util::future::join_all;
use oz_core::{
    ErrorCode,
    model::{ToolCall, ToolResult},
};
use std::{ptr, time::Instant};

/// How many calls are done at once.
const AT_ONCE: usize = 8;

impl Agent {
    /// Does all calls; of an answer that was `cut` the last one may not be whole. Answers their results in order, and how
    /// the work ended if one of them ended it.
    pub(super) async fn act_all(
        &self,
        calls: &[ToolCall],
        cut: bool,
        guard: &mut Guard,
    ) -> Result<(Vec<ToolResult>, Option<End>), End> {
        let mut results = Vec::new();
        let mut end = None;
        let mut rest = calls;
        while !rest.is_empty() && end.is_none() && !self.steps.current().is_cancelled() {
            let together = rest.iter().take(AT_ONCE).take_while(|call| self.only_reads(call)).count().max(1);
            let (now, later) = rest.split_at(together);
            rest = later;
            let cut = |call| cut && calls.last().is_some_and(|last| ptr::eq(last, call));
            let act = async |call| {
                let begun = Instant::now();
                let done = self.act(call, cut(call)).await;
                (done, begun.elapsed())
            };
            let done = join_all(now.iter().map(act)).await;
            for (call, (done, took)) in now.iter().zip(done) {
                let (mut result, effect) = done?;
                let went = Went { failed: result.is_error, result: &result.content, took };
                match guard.called(call, went) {
                    Verdict::Fine => {}
                    Verdict::Warn(warning) => result.content = format!("{}\n\n{warning}", result.content),
                    Verdict::End(reason) => {
                        return Err(End::Failed(ErrorCode::InternalError, reason));
                    }
                }
                results.push(result);
                if let Effect::Finish { success, summary } = effect {
                    end = Some(if success { End::Done(summary) } else { End::GaveUp(summary) });
                }
            }
        }
        let why = if end.is_some() { "the work was said to be done" } else { "the user interrupted" };
        results.extend(rest.iter().map(|call| ToolResult {
            call_id: call.id.clone(),
            content: format!("this was not done, because {why} before"),
            is_error: true,
            images: Vec::new(),
        }));
        Ok((results, end))
    }

    fn only_reads(&self, call: &ToolCall) -> bool {
        let tool = self.tools.find(&call.name);
        tool.is_some_and(|tool| tool.parallel_call(&call.arguments))
    }
}
