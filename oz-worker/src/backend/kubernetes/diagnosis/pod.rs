//! What the state of one Pod means.

use super::{Failure, Finding, Seen, patience};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodCondition};
use oz_core::worker::FailureReason;

/// The code after SIGTERM.
const TERMINATED: i32 = 143;
const KILLED: i32 = 137;

/// The first thing that is wrong with a Pod; `over` is whether its Job has failed.
pub(super) fn finding(pod: &Pod, seen: &Seen, over: bool) -> Finding {
    let view = View { pod, seen };
    if let Some(text) = view.evicted() {
        return view.failed(FailureReason::Evicted, &format!("was evicted: {text}"));
    }
    let init = statuses(pod, true);
    let main = statuses(pod, false);
    let prepared = |status: &&ContainerStatus| !view.is_native_sidecar(&status.name);
    for status in init.iter().filter(prepared) {
        if let Some(end) = bad_end(status) {
            return view.exited(status, end, FailureReason::InitContainer);
        }
    }
    for (status, is_init) in init.iter().map(|s| (s, true)).chain(main.iter().map(|s| (s, false))) {
        if let Some(found) = view.waiting(status, is_init) {
            return found;
        }
    }
    // Who deletes a pod ends its containers; its Job tells why.
    let leaving = pod.metadata.deletion_timestamp.is_some() && !over;
    for status in main {
        match bad_end(status) {
            Some(end) if leaving && matches!(end.exit_code, TERMINATED | KILLED) => {}
            Some(end) if end.reason.as_deref() == Some("OOMKilled") => {
                return view.exited(status, end, FailureReason::ContainerOom);
            }
            Some(end) => return view.exited(status, end, FailureReason::ContainerExit),
            None => {}
        }
    }
    let mut again = None;
    if let Some(condition) = view.condition("PodScheduled", "False")
        && condition.reason.as_deref() == Some("Unschedulable")
    {
        let since = pod.metadata.creation_timestamp.as_ref().map_or(seen.now, |time| time.0);
        again = patience(seen, since);
        if again.is_some_and(|left| left.is_zero()) {
            let text = condition.message.as_deref().unwrap_or_default();
            return view.failed(FailureReason::Unschedulable, &format!("fits on no node: {text}"));
        }
    }
    if matches!(view.phase(), "Pending" | "Failed")
        && let Some(text) = view.mount_trouble()
    {
        return view.failed(FailureReason::VolumeMount, &format!("can't mount a volume: {text}"));
    }
    if view.phase() == "Failed" && !leaving {
        let texts = [view.status_text(|s| s.reason.as_deref()), view.status_text(|s| s.message.as_deref())];
        let late = texts.iter().any(|text| text.to_lowercase().contains("deadline"));
        let reason = if late { FailureReason::ActiveDeadline } else { FailureReason::JobFailed };
        return view.failed(reason, &format!("failed: {}: {}", texts[0], texts[1]));
    }
    Finding::Going(again)
}

struct View<'a> {
    pod: &'a Pod,
    seen: &'a Seen<'a>,
}

impl View<'_> {
    fn phase(&self) -> &str {
        self.status_text(|status| status.phase.as_deref())
    }

    fn status_text<'a>(
        &'a self,
        field: impl FnOnce(&'a k8s_openapi::api::core::v1::PodStatus) -> Option<&'a str>,
    ) -> &'a str {
        self.pod.status.as_ref().and_then(field).unwrap_or_default()
    }

    fn condition(&self, kind: &str, status: &str) -> Option<&PodCondition> {
        let conditions = self.pod.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|condition| condition.type_ == kind && condition.status == status)
    }

    /// Why the cluster took the pod off its node.
    fn evicted(&self) -> Option<String> {
        let message = self.status_text(|status| status.message.as_deref());
        if self.status_text(|status| status.reason.as_deref()) == "Evicted"
            || message.to_lowercase().contains("evict")
        {
            return Some(message.to_owned());
        }
        let disruption = self.condition("DisruptionTarget", "True")?;
        let [reason, message] =
            [&disruption.reason, &disruption.message].map(|t| t.as_deref().unwrap_or_default());
        Some(format!("{reason}: {message}"))
    }

    fn is_native_sidecar(&self, name: &str) -> bool {
        let containers = self.pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
        containers.into_iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
    }

    fn waiting(&self, status: &ContainerStatus, is_init: bool) -> Option<Finding> {
        let waiting = status.state.as_ref()?.waiting.as_ref()?;
        let why = waiting.reason.as_deref()?;
        let reason = match why {
            "ErrImagePull" | "ImagePullBackOff" => FailureReason::ImagePull,
            "InvalidImageName" => FailureReason::InvalidImage,
            "CreateContainerConfigError" | "CreateContainerError" if is_init => FailureReason::InitContainer,
            "CreateContainerConfigError" | "CreateContainerError" => FailureReason::ContainerCreate,
            _ => return None,
        };
        let text = waiting.message.as_deref().unwrap_or_default();
        let what =
            format!("container {} with image {} can't begin: {why}: {text}", status.name, status.image);
        Some(self.failed(reason, &what))
    }

    fn exited(
        &self,
        status: &ContainerStatus,
        end: &ContainerStateTerminated,
        reason: FailureReason,
    ) -> Finding {
        let code = end.exit_code;
        let mut what = format!("container {} exited with code {code}", status.name);
        if reason == FailureReason::ContainerOom {
            what.push_str(": it needed more memory than its limit");
        } else if let Some(why) = end.reason.as_deref().filter(|why| *why != "Error") {
            what.push_str(&format!(" ({why})"));
        }
        if code == TERMINATED {
            what.push_str(": somebody asked it to end; the pod may have been evicted or its node drained");
        }
        let name = self.pod.metadata.name.clone().unwrap_or_default();
        let culprit = Some((name, status.name.clone()));
        Finding::Failed(Failure { reason, message: self.told(&what), exit_code: Some(code), culprit })
    }

    fn failed(&self, reason: FailureReason, what: &str) -> Finding {
        Finding::Failed(Failure { reason, message: self.told(what), exit_code: None, culprit: None })
    }

    fn told(&self, what: &str) -> String {
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        let phase = if self.phase().is_empty() { "Unknown" } else { self.phase() };
        format!("pod {name} of {}, phase {phase}: {what}", super::job_name(self.seen.job))
    }

    fn mount_trouble(&self) -> Option<&str> {
        let uid = self.pod.metadata.uid.as_deref();
        let own = self.seen.events.iter().filter(|event| event.involved_object.uid.as_deref() == uid);
        own.rev().find_map(|event| {
            let text = event.message.as_deref().unwrap_or_default();
            let is =
                event.reason.as_deref() == Some("FailedMount") || text.contains("MountVolume.SetUp failed");
            is.then_some(text)
        })
    }
}

fn statuses(pod: &Pod, init: bool) -> &[ContainerStatus] {
    let status = pod.status.as_ref();
    let list = status
        .and_then(|s| if init { s.init_container_statuses.as_ref() } else { s.container_statuses.as_ref() });
    list.map_or(&[], Vec::as_slice)
}

fn bad_end(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref().filter(|end| end.exit_code != 0)
}
