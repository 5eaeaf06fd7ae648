//! Which secrets a run gets: a pure choice over who may use which and who asks for which.
//!
//! Three layers narrow one another (seed "Cloud agent secrets"). What started the run says which secrets are in scope at
//! all: the team's, and for a run that a person started, that person's own. An environment with a list narrows these to
//! its list and what the run's agent adds; a list of the run itself replaces both.

use crate::{
    config::{AgentConfig, HarnessType, SecretRef},
    principal::PrincipalType,
    run::RunSource,
};
use std::collections::BTreeSet;

/// Whether a run has a person behind it, so that the person's own secrets are in its scope. Runs of schedules and of
/// agents' keys have none.
#[must_use]
pub fn has_user_context(source: Option<&RunSource>, creator: &PrincipalType) -> bool {
    *creator == PrincipalType::User && source != Some(&RunSource::ScheduledAgent)
}

/// What the choice depends on.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Names of the secrets in scope of what started the run.
    pub in_scope: &'a BTreeSet<String>,
    /// The list of the run: absent means no choice, empty means none at all.
    pub run: Option<&'a [SecretRef]>,
    /// The list of its environment, with the same meaning.
    pub environment: Option<&'a [SecretRef]>,
    /// What its agent adds.
    pub agent: &'a [SecretRef],
    /// What its configuration names for one purpose each, such as the secret that logs its harness in.
    pub named: &'a [String],
}

/// What was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Secrets that become variables.
    pub injected: BTreeSet<String>,
    /// Secrets that were asked for by name and are not in scope.
    pub missing: BTreeSet<String>,
    /// Secrets that serve one purpose only and become no variables.
    pub reserved: BTreeSet<String>,
}

impl Grant<'_> {
    /// Makes the choice.
    #[must_use]
    pub fn decide(&self) -> Granted {
        let names = |list: &[SecretRef]| list.iter().map(|s| s.name.clone()).collect::<BTreeSet<String>>();
        let (wanted, listed) = match (self.run, self.environment) {
            (Some(run), _) => (names(run), names(run)),
            (None, Some(environment)) => {
                let all: BTreeSet<String> = names(environment).union(&names(self.agent)).cloned().collect();
                (all.clone(), all)
            }
            (None, None) => (self.in_scope.clone(), names(self.agent)),
        };
        let named: BTreeSet<String> = self.named.iter().cloned().collect();
        let injected: BTreeSet<String> = wanted.intersection(self.in_scope).cloned().collect();
        let reserved =
            named.intersection(self.in_scope).filter(|name| !injected.contains(*name)).cloned().collect();
        let missing = listed.union(&named).filter(|name| !self.in_scope.contains(*name)).cloned().collect();
        Granted { injected, missing, reserved }
    }
}

impl AgentConfig {
    /// The secret that logs this configuration's harness in, if it names one.
    #[must_use]
    pub fn harness_auth_secret(&self) -> Option<&str> {
        let secrets = self.harness_auth_secrets.as_ref()?;
        match self.harness_type() {
            HarnessType::Claude => secrets.claude_auth_secret_name.as_deref(),
            HarnessType::Codex => secrets.codex_auth_secret_name.as_deref(),
            HarnessType::Gemini => secrets.gemini_auth_secret_name.as_deref(),
            HarnessType::Opencode => secrets.opencode_auth_secret_name.as_deref(),
            _ => None,
        }
        .filter(|name| !name.is_empty())
    }
}

/// The names in `{{NAME}}` in a text.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| {
        let name = rest.split_once("}}")?.0.trim();
        let legal =
            !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c));
        legal.then_some(name)
    })
}
