//! `oz artifact upload`: adds a file to a run.

use super::{name::media_type, transfer};
use crate::{cli::Format, cmd::Outcome, error::CliError, out};
use clap::Args;
use oz_client::Client;
use oz_core::{
    ConversationId, RunId,
    api::{CreateArtifact, MAX_FILE_BYTES},
    artifact::ArtifactType,
    env,
};
use std::path::{Component, Path, PathBuf};
use tokio::fs::File;

/// Add a file to a run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz artifact upload report.pdf --run-id 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz artifact upload coverage.html --description \"Coverage of the tests\"")]
pub(crate) struct UploadArgs {
    /// The file
    path: PathBuf,
    /// The run it belongs to [env: OZ_RUN_ID]
    #[arg(long, value_name = "RUN_ID", conflicts_with = "conversation_id")]
    run_id: Option<String>,
    /// The conversation it belongs to
    #[arg(long, value_name = "ID")]
    conversation_id: Option<String>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

pub(super) async fn run(client: &Client, args: UploadArgs, format: Format) -> Outcome {
    let (run_id, conversation_id) = owner(&args, std::env::var(env::RUN_ID).ok().as_deref())?;
    let shown = args.path.display();
    let unreadable = |e| CliError::new(format!("'{shown}' can't be read: {e}"));
    let file = File::open(&args.path).await.map_err(unreadable)?;
    let about = file.metadata().await.map_err(unreadable)?;
    if !about.is_file() {
        return Err(CliError::new(format!("'{shown}' is not a file")));
    }
    let size = about.len();
    if size > MAX_FILE_BYTES as u64 {
        let most = MAX_FILE_BYTES >> 20;
        return Err(CliError::new(format!("'{shown}' has {size} bytes; at most {most} MiB are allowed")));
    }
    let filepath = relative(&args.path)?;
    let mime_type = media_type(&filepath).to_owned();
    let request = CreateArtifact {
        artifact_type: ArtifactType::File,
        run_id,
        conversation_id,
        filepath: Some(filepath.clone()),
        title: None,
        description: args.description.clone(),
        mime_type: Some(mime_type.clone()),
        content: None,
    };
    let created = client.send(&request).await?;
    let target =
        created.upload_target.ok_or_else(|| CliError::new("the server does not say where to upload to"))?;
    transfer::upload(client, &target, file, size).await?;
    let uid = created.artifact_uid;
    match format {
        Format::Json | Format::Ndjson => out::json_line(&serde_json::json!({
            "artifact_uid": uid, "filepath": filepath, "description": args.description, "mime_type": mime_type,
            "size_bytes": size,
        }))?,
        Format::Text => {
            let description = args.description.as_deref().unwrap_or("-").replace(['\t', '\n'], " ");
            out::line("ARTIFACT UID\tFILEPATH\tDESCRIPTION\tMIME TYPE\tSIZE BYTES");
            out::line(format!("{}\t{filepath}\t{description}\t{mime_type}\t{size}", out::plain(&uid)));
        }
        Format::Pretty => out::line(format!("Uploaded '{filepath}' as artifact {}.", out::plain(&uid))),
    }
    Ok(true)
}

/// What the file belongs to: flags, then the run that this is called in.
fn owner(args: &UploadArgs, here: Option<&str>) -> Result<(Option<RunId>, Option<ConversationId>), CliError> {
    if let Some(id) = &args.conversation_id {
        return Ok((None, Some(id.parse()?)));
    }
    match args.run_id.as_deref().or(here) {
        Some(id) => Ok((Some(id.parse()?), None)),
        None => Err(CliError::new("a run is needed: pass --run-id or --conversation-id, or set OZ_RUN_ID")),
    }
}

/// The path as it is recorded: as given when it leads down from here, else the file's name.
fn relative(path: &Path) -> Result<String, CliError> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            // From elsewhere: only the name tells something.
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => parts.clear(),
        }
    }
    let down = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let name = parts.last().ok_or_else(|| CliError::new(format!("'{}' names no file", path.display())))?;
    Ok(if down { parts.join("/") } else { name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_down() {
        for (path, expected) in
            [("a/b.txt", "a/b.txt"), ("./a", "a"), ("../a/b", "b"), ("/tmp/x/y", "y"), ("a/../b", "b")]
        {
            assert_eq!(relative(Path::new(path)).unwrap(), expected, "{path}");
        }
        assert!(relative(Path::new("..")).is_err());
    }

    #[test]
    fn flags_win_over_the_run_around_us() {
        let id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
        let args = |run_id: Option<&str>, conversation_id: Option<&str>| UploadArgs {
            path: "x".into(),
            run_id: run_id.map(str::to_owned),
            conversation_id: conversation_id.map(str::to_owned),
            description: None,
        };
        let got = |args: &UploadArgs, here: Option<&str>| {
            owner(args, here).map(|(run, conversation)| (run.is_some(), conversation.is_some()))
        };
        assert_eq!(got(&args(None, Some(id)), Some(id)).unwrap(), (false, true));
        assert_eq!(got(&args(None, None), Some(id)).unwrap(), (true, false));
        assert_eq!(got(&args(Some(id), None), Some("bad")).unwrap(), (true, false));
        assert!(got(&args(None, None), None).is_err());
        assert!(got(&args(Some("bad"), None), None).unwrap_err().to_string().contains("run_id"));
    }
}
