//! One container as a process. Its mounts are directories of this machine, whose paths stand in its words and variables
//! in place of the container's own.

use crate::{
    lists::list,
    processes::{Hook, Process},
    state::Shared,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

pub(super) enum End {
    Exited(i32),
    Waiting(String),
}

pub(super) struct Container {
    name: String,
    words: Vec<String>,
    variables: Vec<(String, String)>,
    directory: PathBuf,
    log: PathBuf,
    pre_stop: Vec<String>,
}

impl Container {
    /// # Errors
    /// What it waits for.
    pub(super) fn of(
        pod: &Value,
        spec: &Value,
        images: &BTreeMap<String, PathBuf>,
        root: &Path,
        secrets: &[Value],
    ) -> Result<Self, String> {
        let home = root.join("home");
        fs::create_dir_all(&home).map_err(|e| e.to_string())?;
        let mut mounts: Vec<(String, PathBuf)> = Vec::new();
        for mount in list(&spec["volumeMounts"]) {
            let volume = list(&pod["spec"]["volumes"]).find(|volume| volume["name"] == mount["name"]);
            let image = volume.and_then(|volume| volume["image"]["reference"].as_str());
            let directory = match image {
                Some(image) => images.get(image).cloned().ok_or(format!("no image {image}"))?,
                None => root.join("volumes").join(text(&mount["name"])),
            };
            fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
            mounts.push((text(&mount["mountPath"]).to_owned(), directory));
        }
        // The longest first, so that none is taken for the beginning of another.
        mounts.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        let mounted = |text: &str| {
            mounts.iter().fold(text.to_owned(), |text, (path, to)| text.replace(path, &to.to_string_lossy()))
        };
        let mut variables = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("HOME".to_owned(), home.to_string_lossy().into_owned()),
            ("TMPDIR".to_owned(), root.to_string_lossy().into_owned()),
        ];
        for variable in list(&spec["env"]) {
            let name = text(&variable["name"]).to_owned();
            let wanted = &variable["valueFrom"]["secretKeyRef"];
            let value = if wanted.is_null() {
                mounted(&expanded(text(&variable["value"]), &variables))
            } else {
                let secret = secrets.iter().find(|secret| secret["metadata"]["name"] == wanted["name"]);
                let secret = secret.ok_or(format!("secret {} not found", wanted["name"]))?;
                let value = secret["stringData"][text(&wanted["key"])].as_str();
                value.ok_or(format!("couldn't find key {} in secret", wanted["key"]))?.to_owned()
            };
            variables.retain(|(other, _)| *other != name);
            variables.push((name, value));
        }
        let image = images.get(text(&spec["image"]));
        let words = ["command", "args"].iter().flat_map(|part| list(&spec[part]));
        let mut words: Vec<String> = words.map(|word| mounted(&expanded(text(word), &variables))).collect();
        if let (Some(program), Some(image)) = (words.first_mut(), image) {
            let inside = image.join(program.trim_start_matches('/'));
            if inside.exists() {
                *program = inside.to_string_lossy().into_owned();
            }
        }
        let directory =
            spec["workingDir"].as_str().map_or_else(|| root.to_owned(), |path| mounted(path).into());
        let pre_stop =
            list(&spec["lifecycle"]["preStop"]["exec"]["command"]).map(|word| mounted(text(word))).collect();
        let name = text(&spec["name"]).to_owned();
        let log = root.join(format!("{name}.log"));
        Ok(Self { name, words, variables, directory, log, pre_stop })
    }

    pub(super) async fn run(self, shared: &Shared, pod: &str) -> End {
        let file = fs::File::create(&self.log).expect("log of a container");
        let mut command = Command::new(self.words.first().map_or("true", String::as_str));
        command
            .args(self.words.iter().skip(1))
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("log of a container"))
            .stderr(file)
            .process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return End::Waiting(format!("{}: {error}", self.words.join(" "))),
        };
        let key = format!("{pod}/{}", self.name);
        let hook = Hook { words: self.pre_stop, variables: self.variables, directory: self.directory };
        let process = Process::new(pod, child.id(), hook);
        shared.change(|state| state.processes.insert(key.clone(), process));
        let status = child.wait().await;
        let text =
            fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        shared.change(|state| {
            state.logs.insert(self.name, text);
            // Nothing of a container stays when its first process ends.
            if let Some(process) = state.processes.remove(&key) {
                process.kill();
            }
        });
        let signal =
            |status: std::process::ExitStatus| std::os::unix::process::ExitStatusExt::signal(&status);
        End::Exited(status.map_or(1, |status| status.code().or(signal(status).map(|n| 128 + n)).unwrap_or(1)))
    }
}

/// Replaces `$(NAME)` by variables and `$$` by `$`, as a kubelet does.
fn expanded(text: &str, variables: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match variables.iter().find(|(known, _)| known == name) {
                Some((_, value)) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
