//! Codex. It is asked once, tells what it does in a JSON object a line, and takes no messages meanwhile.

mod config;
mod reader;
mod rollout;

use super::{Dialect, Launch, Reader, home::TEMPORARY};
use oz_core::{
    Error,
    harness::{HarnessTask, SavedSession},
};
use std::{collections::BTreeMap, path::PathBuf};

/// Codex.
pub(super) struct Codex;

/// Its own directory, below its home.
const HOME: &str = ".codex";
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

impl Dialect for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn format(&self) -> &'static str {
        "codex"
    }

    fn install_hint(&self, _: &HarnessTask) -> String {
        "install Codex, for instance with `npm install -g @openai/codex`".to_owned()
    }

    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        let mut words = vec!["codex".to_owned(), "exec".to_owned()];
        let mut files = BTreeMap::from([
            (PathBuf::from(HOME).join("config.toml"), config::config(task)?.into_bytes()),
            (PathBuf::from(TEMPORARY).join(".keep"), Vec::new()),
        ]);
        if let Some(saved) = &task.saved {
            words.push("resume".to_owned());
            files.insert(rollout::place(saved), saved.content.clone());
        }
        words.extend(["--json", "--skip-git-repo-check"].map(str::to_owned));
        if let Some(model) = task.model_id.as_deref().filter(|model| !model.is_empty() && *model != "default")
        {
            words.extend(["--model".to_owned(), model.to_owned()]);
        }
        for image in &task.images {
            words.push(format!("--image={}", image.display()));
        }
        words.extend(task.saved.iter().map(|saved| saved.session_id.clone()));
        words.push("-".to_owned());
        let directory = |name: &str| task.home.join(name).to_string_lossy().into_owned();
        Ok(Launch {
            words,
            env: BTreeMap::from([
                ("CODEX_HOME".to_owned(), directory(HOME)),
                // It makes no programs of its own below the directory for temporary files, where its home usually is.
                ("TMPDIR".to_owned(), directory(TEMPORARY)),
            ]),
            files,
            skills: Some(PathBuf::from(HOME).join("skills")),
            stdin: Some(task.prompt.clone()),
            listens: false,
        })
    }

    fn reader(&self, task: &HarnessTask) -> Box<dyn Reader> {
        let earlier = task.saved.as_ref().map(|saved| rollout::used(&saved.content)).unwrap_or_default();
        let model = task.model_id.clone().unwrap_or_else(|| "default".to_owned());
        let prefix = task.saved.as_ref().map(|saved| format!("{:x}-", saved.content.len()));
        Box::new(reader::CodexReader::new(model, prefix.unwrap_or_default(), earlier))
    }

    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        let content = rollout::find(&task.home.join(HOME), session_id)?;
        Some(SavedSession { format: self.format().to_owned(), session_id: session_id.to_owned(), content })
    }
}

#[cfg(test)]
mod tests;
