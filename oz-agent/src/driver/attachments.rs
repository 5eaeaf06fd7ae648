//! The files that came with a run: fetched from their signed addresses into the workspace, where git does not see them.

use super::verdict::{self, Verdict};
use crate::tool::Workspace;
use futures_util::StreamExt as _;
use oz_client::{Client, Error};
use oz_core::api::{Attachment, MAX_FILE_BYTES};
use std::{io, path::Path, pin::pin, time::Duration};
use tokio::{
    fs,
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

/// Where the files go, in the workspace.
const DIRECTORY: &str = ".warp/attachments";
/// A file that is not whole yet.
const PART: &str = ".part";
/// The longest name, in bytes.
const NAME: usize = 200;

/// Fetches files into a workspace. Answers with their paths in it, and with what was done.
pub(super) async fn fetch(
    client: &Client,
    files: &[Attachment],
    workspace: &Path,
    patience: Duration,
) -> Result<(Vec<String>, String), String> {
    let until = Instant::now() + patience;
    let within = Workspace::new(workspace).map_err(|e| format!("the workspace can't be opened: {e}"))?;
    let directory = within.resolve(DIRECTORY)?;
    fs::create_dir_all(&directory).await.map_err(|e| format!("'{DIRECTORY}' can't be made: {e}"))?;
    hide_from_git(within.root()).await.map_err(|e| format!("'{DIRECTORY}' can't be kept out of git: {e}"))?;
    let names = names(files);
    for (file, name) in files.iter().zip(&names) {
        let part = directory.join(PART);
        let fetched = patiently(client, file, &part, until).await;
        fetched.map_err(|problem| format!("the attachment '{name}' could not be fetched: {problem}"))?;
        // A link of that name is replaced, not followed.
        let moved = fs::rename(&part, directory.join(name)).await;
        moved.map_err(|e| format!("the attachment '{name}' can't be written: {e}"))?;
    }
    let paths: Vec<String> = names.iter().map(|name| format!("{DIRECTORY}/{name}")).collect();
    let detail = paths.join(", ");
    Ok((paths, detail))
}

/// Fetches one file, for as long as its server is only away.
async fn patiently(client: &Client, file: &Attachment, target: &Path, until: Instant) -> Result<(), String> {
    let mut attempt = 1;
    loop {
        let error = match download(client, &file.download_url, target).await {
            Ok(()) => return Ok(()),
            Err(Failure::Local(problem)) => return Err(problem),
            Err(Failure::Remote(error)) => error,
        };
        if verdict::judge(&error) != Verdict::Again || Instant::now() >= until {
            return Err(error.to_string());
        }
        tracing::info!(%error, attempt, "an attachment could not be fetched; trying again");
        sleep(verdict::wait(attempt, oz_client::retry::jitter())).await;
        attempt += 1;
    }
}

enum Failure {
    Remote(Error),
    Local(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Local(format!("it can't be written: {error}"))
    }
}

async fn download(client: &Client, url: &str, target: &Path) -> Result<(), Failure> {
    let mut bytes = pin!(client.download(url).await.map_err(Failure::Remote)?);
    // Whatever lies there, such as a link, must not be written through.
    match fs::remove_file(target).await {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(target).await?;
    let mut size = 0;
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(Failure::Remote)?;
        size += chunk.len();
        if size > MAX_FILE_BYTES {
            return Err(Failure::Local(format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20)));
        }
        file.write_all(&chunk).await?;
    }
    Ok(file.flush().await?)
}

/// A safe name for each file, no two the same.
fn names(files: &[Attachment]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for file in files {
        let base = safe(&file.filename);
        let (stem, end) = match base.rfind('.') {
            Some(dot) if dot > 0 => base.split_at(dot),
            _ => (base.as_str(), ""),
        };
        let others = (2..).map(|n| format!("{stem}-{n}{end}"));
        // Some file systems can't tell capital letters from small ones.
        let taken = |name: &String| names.iter().any(|other| other.to_lowercase() == name.to_lowercase());
        let name = std::iter::once(base.clone()).chain(others).find(|name| !taken(name));
        names.extend(name);
    }
    names
}

/// A name as one path component that is no way out and fits every file system.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim();
    // The end tells what kind of file it is.
    let start = (clean.len().saturating_sub(NAME)..=clean.len()).find(|at| clean.is_char_boundary(*at));
    match &clean[start.unwrap_or_default()..] {
        "" | "." | ".." | PART => "attachment".to_owned(),
        name => name.to_owned(),
    }
}

/// Keeps the files out of what the repository in a directory sees, if there is one.
async fn hide_from_git(root: &Path) -> io::Result<()> {
    let git = root.join(".git");
    if !fs::symlink_metadata(&git).await.is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    let (info, rule) = (git.join("info"), format!("/{DIRECTORY}/"));
    fs::create_dir_all(&info).await?;
    let exclude = info.join("exclude");
    let mut rules = match fs::read_to_string(&exclude).await {
        Ok(rules) if rules.lines().any(|line| line == rule) => return Ok(()),
        Ok(rules) => rules,
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(e),
    };
    if !rules.is_empty() && !rules.ends_with('\n') {
        rules.push('\n');
    }
    fs::write(&exclude, format!("{rules}{rule}\n")).await
}

#[cfg(test)]
mod tests;
