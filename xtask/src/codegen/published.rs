//! The paths by which the published SDK calls what this client calls otherwise, for who comes from there. Each language's
//! aliases are made from this one table.

/// A path of the published SDK, and the method that it is here. A path through a noun of the same methods, such as
/// `agent.runs.cancel`, need not stand here: `agent.runs` has all methods of `runs`.
pub(crate) const METHODS: &[(&str, &str)] = &[
    ("agent.run", "runs.create"),
    ("agent.list", "skills.list"),
    ("agent.get_artifact", "artifacts.get"),
    ("agent.list_environments", "environments.list"),
    ("agent.runs.retrieve", "runs.get"),
    ("agent.runs.submit_followup", "runs.follow_up"),
    ("agent.runs.list_handoff_attachments", "runs.handoff_attachments"),
    ("agent.schedules.retrieve", "schedules.get"),
    ("agent.conversations.check_redirect", "conversations.session_of"),
    ("agent.sessions.check_redirect", "conversations.of_session"),
];

/// The nouns of the published SDK, and the noun that each is here.
pub(crate) const NOUNS: &[(&str, &str)] = &[
    ("agent.runs", "runs"),
    ("agent.schedules", "schedules"),
    ("agent.agent", "identities"),
    ("agent.conversations", "conversations"),
    ("agent.sessions", "conversations"),
];

/// The aliases that stand directly at a path, such as those at `agent.runs`: the last name, and the method.
pub(crate) fn at(path: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    METHODS.iter().filter_map(move |(alias, method)| {
        let (before, name) = alias.rsplit_once('.')?;
        (before == path).then_some((name, *method))
    })
}
