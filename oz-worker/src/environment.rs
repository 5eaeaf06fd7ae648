//! Which environment an agent and the worker's own commands get, as functions of values. Only
//! [`Environment::of_this_process`] reads the real one.

use crate::{job::Job, models_file, redact::Secrets};
use oz_core::env;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

const GIT_CONFIG: &str = "GIT_CONFIG_GLOBAL";
/// Tells `setup_command` where to write variables for the agent.
const ENVIRONMENT_FILE: &str = "OZ_ENVIRONMENT_FILE";
/// What the worker's own commands never get: the keys of the worker, of the run and of model providers.
const WITHHELD: &[&str] = &[env::API_KEY, env::WARP_API_KEY, env::BOOTSTRAP_API_KEY, env::WORKLOAD_TOKEN];

/// Environment variables.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub(crate) fn of_this_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// What only the agent gets: the variables of model providers, and those with the keys of model services.
    fn of_models(&self) -> impl Iterator<Item = String> {
        let keys = models_file::key_variables(self.get(env::MODELS_FILE));
        env::MODEL_PROVIDER.iter().chain(env::HARNESS_LOGIN).map(|name| (*name).to_owned()).chain(keys)
    }

    /// The names of what every agent gets of this environment, those that the operator lists included.
    fn passed_on(&self) -> impl Iterator<Item = String> {
        let plain = self.0.keys().filter_map(|name| name.to_str()).filter(|name| env::is_plain(name));
        plain.map(str::to_owned).chain(self.listed()).collect::<Vec<_>>().into_iter()
    }

    /// The names that the operator lists.
    fn listed(&self) -> impl Iterator<Item = String> {
        let listed = env::listed(self.get(env::AGENT_ENV_PASS).and_then(OsStr::to_str).unwrap_or_default());
        listed.filter(|name| !WITHHELD.contains(name)).map(str::to_owned)
    }

    /// The values to keep out of messages and logs.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::among(self.0.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?))))
    }
}

/// The environment entry that marks every process of this run.
pub(crate) fn mark(job: &Job) -> String {
    match job.assignment.execution_id {
        Some(execution) => format!("{}={execution}", env::EXECUTION_ID),
        None => format!("{}={}", env::RUN_ID, job.assignment.task_id),
    }
}

/// What is in the environment of the agent and of the worker's commands alike: the settings of the operator and what
/// names the run. Nothing of it is secret by nature.
pub(crate) struct Common {
    settings: Environment,
    identity: Environment,
}

/// Where a run works, as its own processes see it.
pub(crate) struct Place {
    /// The backend's name.
    pub(crate) backend: &'static str,
    /// The working directory; empty where nobody knows it here.
    pub(crate) workspace: PathBuf,
    /// Where a setup command writes variables for the agent; absent when there is none.
    pub(crate) environment_file: Option<PathBuf>,
    /// Git's configuration of this run alone; absent where everything is the run's own.
    pub(crate) git_config: Option<PathBuf>,
}

pub(crate) fn common(job: &Job, configured: &BTreeMap<String, String>, place: &Place) -> Common {
    let mut settings = Environment::default();
    for (name, value) in configured {
        settings.set(name, value);
    }
    let mut identity = Environment::default();
    if !place.workspace.as_os_str().is_empty() {
        identity.set(env::WORKSPACE_ROOT, &place.workspace);
    }
    identity.set(env::WORKER_BACKEND, place.backend);
    identity.set(env::RUN_ID, job.assignment.task_id.to_string());
    if let Some(execution) = job.assignment.execution_id {
        identity.set(env::EXECUTION_ID, execution.to_string());
    }
    if let Some(file) = &place.environment_file {
        identity.set(ENVIRONMENT_FILE, file);
    }
    if let Some(file) = &place.git_config {
        identity.set(GIT_CONFIG, file);
    }
    Common { settings, identity }
}

/// The environment of the worker's own commands: that of the worker without keys.
pub(crate) fn of_command(host: &Environment, job: &Job, common: &Common) -> Environment {
    let mut all = without_keys(host);
    for (name, value) in job.common_environment() {
        all.set(name, value);
    }
    all.extend(&common.settings);
    all.extend(&common.identity);
    all
}

/// The environment of a command that has runs done elsewhere: that of the worker without keys, what the operator sets, and
/// what names the run.
pub(crate) fn of_script(
    host: &Environment,
    configured: &BTreeMap<String, String>,
    identity: &[(&str, String)],
) -> Environment {
    let mut all = without_keys(host);
    for (name, value) in configured {
        all.set(name, value);
    }
    for (name, value) in identity {
        all.set(*name, value);
    }
    all
}

fn without_keys(host: &Environment) -> Environment {
    let mut all = host.clone();
    for name in WITHHELD.iter().map(|name| (*name).to_owned()).chain(host.of_models()) {
        all.0.remove(OsStr::new(&name));
    }
    all
}

/// The environment of an agent on this machine. Later entries win: what names the run can't be changed by anybody.
pub(crate) fn of_agent(
    host: &Environment,
    job: &Job,
    common: &Common,
    from_setup: Vec<(String, String)>,
) -> Environment {
    let names = host.passed_on().chain(host.of_models());
    assembled(host, names, job, common, from_setup)
}

/// The environment of an agent in a container or elsewhere: of this machine's, only what concerns models and what the
/// operator lists. Files that those variables name must be brought there by other means.
pub(crate) fn of_container(host: &Environment, job: &Job, common: &Common) -> Environment {
    let names = host.listed().chain(host.of_models());
    assembled(host, names, job, common, Vec::new())
}

fn assembled(
    host: &Environment,
    names: impl Iterator<Item = String>,
    job: &Job,
    common: &Common,
    from_setup: Vec<(String, String)>,
) -> Environment {
    let mut all = Environment::default();
    for name in names {
        if let Some(value) = host.get(&name) {
            all.set(name, value);
        }
    }
    for (name, value) in job.common_environment() {
        all.set(name, value);
    }
    for (name, value) in &job.assignment.env_vars {
        all.set(name, value);
    }
    // What somebody has named for agents is for their commands, too, which get nothing else of what has no usual name.
    let listed = host.get(env::AGENT_ENV_PASS).and_then(OsStr::to_str).unwrap_or_default();
    let settings = common.settings.0.keys().filter_map(|name| name.to_str());
    let set_up = from_setup.iter().map(|(name, _)| name.as_str());
    let named: Vec<&str> = env::listed(listed).chain(settings).chain(set_up).collect();
    let named = named.join(",");
    all.extend(&common.settings);
    for (name, value) in from_setup {
        all.set(name, value);
    }
    all.extend(&common.identity);
    all.set(env::AGENT_ENV_PASS, named);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::example;
    use serde_json::json;

    fn environment(entries: &[(&str, &str)]) -> Environment {
        Environment(entries.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    fn job() -> Job {
        let id = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";
        let task = json!({ "id": id, "title": "t", "task_definition": { "prompt": "p" },
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" });
        let assignment = json!({ "task_id": id, "execution_id": "e1c2a7d0-11aa-4f5e-8d7b-55f0c0ffee01", "task": task,
            "env_vars": { "WARP_API_KEY": "of-the-run", "A": "assigned", "OZ_RUN_ID": "forged" } });
        Job::new(serde_json::from_value(assignment).unwrap(), &example())
    }

    fn place() -> Place {
        Place {
            backend: "direct",
            workspace: "/w".into(),
            environment_file: Some("/w/.oz-environment".into()),
            git_config: Some("/w/.gitconfig".into()),
        }
    }

    fn host() -> Environment {
        environment(&[
            ("HOME", "/home/me"),
            ("PATH", "/bin"),
            ("LANG", "C"),
            ("LC_ALL", "C"),
            ("SECRET_OF_THE_WORKER", "canary"),
            ("MINE", "passed"),
            ("OZ_AGENT_ENV_PASS", "MINE, WARP_API_KEY"),
            ("WARP_API_KEY", "of-the-worker"),
            ("ANTHROPIC_API_KEY", "sk-of-the-provider"),
        ])
    }

    fn text<'a>(all: &'a Environment, name: &str) -> Option<&'a str> {
        all.get(name).and_then(OsStr::to_str)
    }

    #[test]
    fn an_agent_gets_what_it_needs_and_its_identity_is_not_forged() {
        let place = place();
        let configured =
            [("A".to_owned(), "configured".to_owned()), ("B".to_owned(), "configured".to_owned())].into();
        let common = common(&job(), &configured, &place);
        let from_setup =
            vec![("B".to_owned(), "set up".to_owned()), ("GIT_CONFIG_GLOBAL".to_owned(), "x".to_owned())];
        let all = of_agent(&host(), &job(), &common, from_setup);
        for (name, value) in [
            ("HOME", "/home/me"),
            ("PATH", "/bin"),
            ("ANTHROPIC_API_KEY", "sk-of-the-provider"),
            ("WARP_API_KEY", "of-the-run"),
            ("TASK_ID", "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GH_PROMPT_DISABLED", "1"),
            ("WARP_SERVER_ROOT_URL", "http://127.0.0.1:7700"),
            ("A", "configured"),
            ("B", "set up"),
            ("OZ_WORKSPACE_ROOT", "/w"),
            ("OZ_WORKER_BACKEND", "direct"),
            ("OZ_RUN_ID", "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11"),
            ("OZ_EXECUTION_ID", "e1c2a7d0-11aa-4f5e-8d7b-55f0c0ffee01"),
            ("GIT_CONFIG_GLOBAL", "/w/.gitconfig"),
        ] {
            assert_eq!(text(&all, name), Some(value), "{name}");
        }
        assert_eq!(
            (text(&all, "LANG"), text(&all, "LC_ALL"), text(&all, "MINE")),
            (Some("C"), Some("C"), Some("passed"))
        );
        assert_eq!(
            (text(&all, "SECRET_OF_THE_WORKER"), text(&all, "OZ_AGENT_ENV_PASS")),
            (None, Some("MINE,WARP_API_KEY,A,B,B,GIT_CONFIG_GLOBAL"))
        );
        assert_eq!(all.secrets().hide("of-the-run sk-of-the-provider"), "[redacted] [redacted]");
    }

    #[test]
    fn commands_of_the_worker_get_no_keys() {
        let common = common(&job(), &BTreeMap::new(), &place());
        let all = of_command(&host(), &job(), &common);
        assert_eq!((text(&all, "LANG"), text(&all, "OZ_WORKSPACE_ROOT")), (Some("C"), Some("/w")));
        for name in ["WARP_API_KEY", "ANTHROPIC_API_KEY", "A"] {
            assert_eq!(text(&all, name), None, "{name}");
        }
    }

    #[test]
    fn keys_of_model_services_are_for_the_agent_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("models.yaml");
        std::fs::write(&path, "endpoints: [{ name: a, api_key_env: ROUTER }]").unwrap();
        let host =
            environment(&[("ROUTER", "canary"), ("OTHER", "x"), ("OZ_MODELS_FILE", path.to_str().unwrap())]);
        let common = common(&job(), &BTreeMap::new(), &place());
        let agent = of_agent(&host, &job(), &common, vec![]);
        assert_eq!(text(&agent, "ROUTER"), Some("canary"));
        assert_eq!(text(&agent, "OZ_MODELS_FILE"), path.to_str());
        assert_eq!(text(&agent, "OTHER"), None);
        let command = of_command(&host, &job(), &common);
        assert_eq!((text(&command, "ROUTER"), text(&command, "OTHER")), (None, Some("x")));
    }

    #[test]
    fn a_container_gets_nothing_of_this_machine_but_what_concerns_models() {
        let place = Place { environment_file: None, git_config: None, ..place() };
        let all = of_container(&host(), &job(), &common(&job(), &BTreeMap::new(), &place));
        for name in
            ["HOME", "PATH", "LANG", "SECRET_OF_THE_WORKER", "GIT_CONFIG_GLOBAL", "OZ_ENVIRONMENT_FILE"]
        {
            assert_eq!(text(&all, name), None, "{name}");
        }
        for (name, value) in [
            ("ANTHROPIC_API_KEY", "sk-of-the-provider"),
            ("MINE", "passed"),
            ("WARP_API_KEY", "of-the-run"),
            ("OZ_WORKSPACE_ROOT", "/w"),
        ] {
            assert_eq!(text(&all, name), Some(value), "{name}");
        }
    }
}
