//! What the state of a Job and its Pods means for its run, as a function of values.

mod pod;

use jiff::Timestamp;
use k8s_openapi::api::{
    batch::v1::{Job, JobCondition},
    core::v1::{Event, Pod},
};
use oz_core::worker::FailureReason;
use std::time::Duration;

/// What was seen of a run.
pub(super) struct Seen<'a> {
    pub(super) job: &'a Job,
    pub(super) pods: &'a [Pod],
    /// About the Job and its Pods.
    pub(super) events: &'a [Event],
    pub(super) now: Timestamp,
    /// How long a Pod may fit on no node; absent means any time.
    pub(super) unschedulable: Option<Duration>,
}

/// What it means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finding {
    /// Nothing yet; when to look again though nothing changes.
    Going(Option<Duration>),
    /// The agent ended well.
    Finished,
    /// It did not, or never will.
    Failed(Failure),
}

/// Why a run can't end well.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) reason: FailureReason,
    pub(super) message: String,
    pub(super) exit_code: Option<i32>,
    /// The pod and the container whose output tells more.
    pub(super) culprit: Option<(String, String)>,
}

/// The verdict.
pub(super) fn of(seen: &Seen) -> Finding {
    if condition(seen.job, "Complete").is_some() {
        return Finding::Finished;
    }
    let failed = condition(seen.job, "Failed");
    // The deadline ends the containers; how they ended tells nothing then.
    let late = |c: &&JobCondition| c.reason.as_deref() == Some("DeadlineExceeded") || mentions(c, "deadline");
    if let Some(condition) = failed.filter(late) {
        return job_failed(seen, condition, FailureReason::ActiveDeadline);
    }
    let mut again = None;
    for pod in seen.pods {
        match pod::finding(pod, seen, failed.is_some()) {
            Finding::Going(when) => again = again.into_iter().chain(when).min(),
            found => return found,
        }
    }
    match failed {
        Some(condition) => job_failed(seen, condition, FailureReason::JobFailed),
        None if seen.pods.is_empty() => not_created(seen),
        None => Finding::Going(again),
    }
}

/// Whether the Job has ended.
pub(super) fn is_over(job: &Job) -> bool {
    condition(job, "Complete").or(condition(job, "Failed")).is_some()
}

/// When the Job ended.
pub(super) fn ended_at(job: &Job) -> Option<Timestamp> {
    let condition = condition(job, "Complete").or(condition(job, "Failed"))?;
    condition.last_transition_time.as_ref().map(|time| time.0)
}

fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
}

fn mentions(condition: &JobCondition, word: &str) -> bool {
    let texts = [&condition.reason, &condition.message];
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(word))
}

fn job_failed(seen: &Seen, condition: &JobCondition, reason: FailureReason) -> Finding {
    let [why, text] = [&condition.reason, &condition.message].map(|t| t.as_deref().unwrap_or_default());
    let what = match reason {
        FailureReason::ActiveDeadline => "took longer than its active_deadline_seconds",
        _ => "failed",
    };
    let message = format!("{} {what}: {why}: {text}", job_name(seen.job));
    Finding::Failed(Failure { reason, message, exit_code: None, culprit: None })
}

/// What is known when there is no Pod: the cluster may refuse to make one, again and again.
fn not_created(seen: &Seen) -> Finding {
    let refusal = seen.events.iter().rev().find(|event| event.reason.as_deref() == Some("FailedCreate"));
    let Some(text) = refusal.and_then(|event| event.message.as_deref()) else { return Finding::Going(None) };
    // A quota may have room later; a policy will not change its mind.
    let passing = text.contains("exceeded quota") || !text.contains("forbidden");
    let since = seen.job.status.as_ref().and_then(|status| status.start_time.as_ref());
    let since = since.or(seen.job.metadata.creation_timestamp.as_ref()).map_or(seen.now, |time| time.0);
    let left = patience(seen, since);
    if passing && left.is_none_or(|left| !left.is_zero()) {
        return Finding::Going(left);
    }
    let message = format!("the cluster makes no pod for {}: {text}", job_name(seen.job));
    Finding::Failed(Failure { reason: FailureReason::JobCreate, message, exit_code: None, culprit: None })
}

/// How much longer something may last that began then; absent means forever.
fn patience(seen: &Seen, since: Timestamp) -> Option<Duration> {
    let age = Duration::try_from(seen.now.duration_since(since)).unwrap_or_default();
    seen.unschedulable.map(|limit| limit.saturating_sub(age))
}

fn job_name(job: &Job) -> String {
    let [name, namespace] =
        [&job.metadata.name, &job.metadata.namespace].map(|t| t.as_deref().unwrap_or_default());
    format!("job {name} in namespace {namespace}")
}

#[cfg(test)]
mod tests;
