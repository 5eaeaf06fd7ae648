//! opencode: `opencode run` tells its work as JSON lines. Its conversations lie in a database, so they are taken out and put
//! back with its own `export` and `import`.

mod config;
mod reader;
mod session;

use super::{
    Dialect, Launch, Reader,
    home::{SHELL, of_bash, shell_environment},
    rules::instructions,
};
use oz_core::{
    Error,
    harness::{HarnessTask, SavedSession},
    run::RunMode,
};
use std::{collections::BTreeMap, path::PathBuf};

/// Where its configuration for the run lies in the home.
const CONFIG: &str = ".oz/opencode.json";
/// Where the instructions of the run lie in the home.
const INSTRUCTIONS: &str = ".oz/instructions.md";
/// Where the conversation to go on with lies in the home.
const RESTORED: &str = ".oz/conversation.json";

/// Takes the conversation in `$0` in before the work.
const TAKE_UP: &str = r#"opencode import "$0" </dev/null >/dev/null && exec opencode "$@""#;

/// What a shell ends with that does not find a program.
const NOT_FOUND: i32 = 127;

/// What keeps it from fetching things beside its work.
const QUIET: [&str; 5] = [
    "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS",
    "OPENCODE_DISABLE_LSP_DOWNLOAD",
    "OPENCODE_DISABLE_MODELS_FETCH",
    "OPENCODE_DISABLE_SHARE",
];

/// opencode.
pub(super) struct Opencode;

impl Dialect for Opencode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn format(&self) -> &'static str {
        "opencode"
    }

    fn install_hint(&self, _: &HarnessTask) -> String {
        "install it with `npm install -g opencode-ai`".to_owned()
    }

    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        let config = config::of(task, &task.home.join(INSTRUCTIONS));
        let mut words: Vec<String> = ["opencode", "run", "--format", "json", "--thinking", "--title", "oz"]
            .map(str::to_owned)
            .to_vec();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        if let Some(model) = &task.model_id {
            option("--model", config::qualified(model));
        }
        if let Some(level) = &task.reasoning_level {
            option("--variant", level.clone());
        }
        if task.mode == RunMode::Plan {
            option("--agent", "plan".to_owned());
        }
        for image in &task.images {
            option("--file", image.to_string_lossy().into_owned());
        }
        let mut files = BTreeMap::from([(PathBuf::from(CONFIG), config.to_string().into_bytes())]);
        files.extend(config::nothing_to_install());
        let text = instructions(task, &config::RULES).unwrap_or_default();
        files.insert(INSTRUCTIONS.into(), text.into_bytes());
        if let Some(saved) = &task.saved {
            option("--session", saved.session_id.clone());
            files.insert(RESTORED.into(), saved.content.clone());
            let file = task.home.join(RESTORED).to_string_lossy().into_owned();
            let shell = ["sh".to_owned(), "-c".to_owned(), TAKE_UP.to_owned(), file];
            words.splice(..1, shell);
        }
        let mut env: BTreeMap<String, String> = QUIET.map(|name| (name.to_owned(), "1".to_owned())).into();
        env.extend(config::without_keys(task));
        env.extend([of_bash(task)]);
        files.insert(SHELL.into(), shell_environment(task).into_bytes());
        env.insert("OPENCODE_CONFIG".to_owned(), task.home.join(CONFIG).to_string_lossy().into_owned());
        Ok(Launch {
            words,
            env,
            files,
            skills: Some(".config/opencode/skills".into()),
            stdin: Some(task.prompt.clone()),
            ..Launch::default()
        })
    }

    fn reader(&self, task: &HarnessTask) -> Box<dyn Reader> {
        Box::new(reader::Lines::new(task.model_id.clone().unwrap_or_default()))
    }

    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        let launch = self.launch(&HarnessTask { saved: None, ..task.clone() }).ok()?;
        let content = session::exported(task, &launch, session_id)?;
        Some(SavedSession { format: self.format().to_owned(), session_id: session_id.to_owned(), content })
    }
}

#[cfg(test)]
mod tests;
