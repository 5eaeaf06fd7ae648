//! What the worker has to be allowed in the namespace of its Jobs.

use std::fmt;

/// A right in the words of a Role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) subresource: &'static str,
    pub(super) verb: &'static str,
}

impl Rule {
    const fn of(group: &'static str, resource: &'static str, verb: &'static str) -> Self {
        Self { group, resource, subresource: "", verb }
    }
}

pub(super) const CREATE_JOBS: Rule = Rule::of("batch", "jobs", "create");
pub(super) const GET_JOBS: Rule = Rule::of("batch", "jobs", "get");
pub(super) const LIST_JOBS: Rule = Rule::of("batch", "jobs", "list");
pub(super) const WATCH_JOBS: Rule = Rule::of("batch", "jobs", "watch");
pub(super) const DELETE_JOBS: Rule = Rule::of("batch", "jobs", "delete");
pub(super) const PATCH_JOBS: Rule = Rule::of("batch", "jobs", "patch");
pub(super) const LIST_PODS: Rule = Rule::of("", "pods", "list");
pub(super) const WATCH_PODS: Rule = Rule::of("", "pods", "watch");
pub(super) const GET_LOGS: Rule = Rule { subresource: "log", ..Rule::of("", "pods", "get") };
pub(super) const LIST_EVENTS: Rule = Rule::of("", "events", "list");
pub(super) const CREATE_SECRETS: Rule = Rule::of("", "secrets", "create");

/// What every worker needs.
pub(super) const ALWAYS: &[Rule] = &[
    CREATE_JOBS,
    GET_JOBS,
    LIST_JOBS,
    WATCH_JOBS,
    DELETE_JOBS,
    LIST_PODS,
    WATCH_PODS,
    GET_LOGS,
    LIST_EVENTS,
];
/// What it needs to keep credentials in Secrets.
pub(super) const WITH_SECRETS: &[Rule] = &[CREATE_SECRETS, PATCH_JOBS];

/// As a rule of a Role, in one line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        write!(
            f,
            "{{apiGroups: [\"{}\"], resources: [\"{}{slash}{}\"], verbs: [\"{}\"]}}",
            self.group, self.resource, self.subresource, self.verb
        )
    }
}
