//! `oz artifact download`: downloads an artifact into a file.

use super::name::file_name;
use crate::{cli::Format, cmd::Outcome, error::CliError, out};
use clap::Args;
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::api::{ArtifactBody, GetArtifact};
use std::{
    fs,
    io::Write as _,
    path::{self, Path, PathBuf},
    pin::pin,
};
use tempfile::NamedTempFile;

/// Download an artifact into a file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz artifact download 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz artifact download 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e -o out/report.pdf")]
pub(crate) struct DownloadArgs {
    /// The artifact
    uid: String,
    /// The file to write, or the directory to write it into; by default the artifact's own name, which must be free
    #[arg(short, long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) async fn run(client: &Client, args: DownloadArgs, format: Format) -> Outcome {
    let artifact = client.send(&GetArtifact { artifact_uid: args.uid }).await?;
    let body = &artifact.content;
    let place = place(args.out, &file_name(&artifact.artifact_uid, body))?;
    let mut file = place.start()?;
    let kind = match body {
        ArtifactBody::Plan { content, .. } => {
            file.write_all(content.as_bytes())?;
            "PLAN"
        }
        ArtifactBody::Screenshot { download_url, .. } => {
            fetch(client, download_url, &mut file).await?;
            "SCREENSHOT"
        }
        ArtifactBody::File { download_url, .. } => {
            fetch(client, download_url, &mut file).await?;
            "FILE"
        }
    };
    let path = place.finish(file)?;
    let uid = artifact.artifact_uid;
    match format {
        Format::Json | Format::Ndjson => {
            let value = serde_json::json!({ "artifact_uid": uid, "artifact_type": kind, "path": path });
            out::json_line(&value)?;
        }
        Format::Text => {
            out::line("ARTIFACT UID\tTYPE\tPATH");
            out::line(format!("{}\t{kind}\t{}", out::plain(&uid), path.display()));
        }
        Format::Pretty => out::line(format!("Downloaded to {}", path.display())),
    }
    Ok(true)
}

async fn fetch(client: &Client, address: &str, file: &mut NamedTempFile) -> Result<(), CliError> {
    let mut chunks = pin!(client.download(address).await?);
    while let Some(chunk) = chunks.next().await {
        file.write_all(&chunk?)?;
    }
    Ok(())
}

/// Where a download goes.
struct Place {
    path: PathBuf,
    /// Whether a file that is there may be replaced: only when the caller has named it.
    replace: bool,
}

/// A directory takes the file under its own name.
fn place(out: Option<PathBuf>, name: &str) -> Result<Place, CliError> {
    let (path, replace) = match out {
        Some(out) if out.is_dir() || out.to_string_lossy().ends_with('/') => (out.join(name), false),
        Some(out) => (out, true),
        None => (PathBuf::from(name), false),
    };
    let path = path::absolute(path)?;
    if !replace && path.exists() {
        return Err(taken(&path));
    }
    Ok(Place { path, replace })
}

impl Place {
    /// A file beside the final one, so that nobody meets half a file under the final name.
    fn start(&self) -> Result<NamedTempFile, CliError> {
        let parent = self.path.parent().ok_or_else(|| CliError::new("the path has no directory"))?;
        fs::create_dir_all(parent)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".oz-download-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(builder.tempfile_in(parent)?)
    }

    fn finish(self, mut file: NamedTempFile) -> Result<PathBuf, CliError> {
        file.flush()?;
        let done = if self.replace { file.persist(&self.path) } else { file.persist_noclobber(&self.path) };
        match done {
            Ok(_) => Ok(self.path),
            Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => Err(taken(&self.path)),
            Err(e) => Err(CliError::new(format!("{} can't be written: {}", self.path.display(), e.error))),
        }
    }
}

fn taken(path: &Path) -> CliError {
    CliError::new(format!("{} exists already", path.display())).hint("name a file with --out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_caller_names_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let write = |out: PathBuf, name: &str| {
            let place = place(Some(out), name)?;
            let mut file = place.start()?;
            file.write_all(b"new")?;
            place.finish(file)
        };
        let old = dir.path().join("old");
        fs::write(&old, "old").unwrap();
        assert!(write(dir.path().into(), "old").unwrap_err().to_string().contains("exists already"));
        assert_eq!(fs::read(&old).unwrap(), b"old");
        assert_eq!(write(old.clone(), "x").unwrap(), old);
        assert_eq!(fs::read(&old).unwrap(), b"new");
        let deep = dir.path().join("a/b/");
        assert_eq!(write(deep.clone(), "c").unwrap(), deep.join("c"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
