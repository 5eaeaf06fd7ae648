//! A harness's conversation from one execution to the next: saved at the control plane while the agent works, and taken
//! up again by a later harness of the same format.

use super::admission::persistently;
use futures_util::TryStreamExt as _;
use oz_client::{Client, Error};
use oz_core::{
    Redactor, RunId,
    api::{CreateExternalConversation, ResolvePrompt, StoredSession, UploadTranscript},
    config::HarnessType,
    harness::{Harness, SavedSession},
};
use std::{sync::Arc, time::Duration};

/// The format in which a harness keeps its conversations.
pub(super) fn format(harness: &HarnessType) -> &str {
    match harness {
        HarnessType::Claude => "claude_code",
        other => other.as_str(),
    }
}

/// An earlier conversation.
pub(super) struct Resumption {
    pub(super) session: SavedSession,
    /// What is new.
    pub(super) prompt: String,
    /// Whether it is of the same run, whose skills and files it knows already.
    pub(super) own: bool,
}

/// What a run may go on with. Without it, the agent is told all that was said.
pub(super) async fn find(
    client: &Client,
    run_id: RunId,
    format: &str,
    patience: Duration,
) -> Option<Resumption> {
    let resolved = persistently(client, &ResolvePrompt::default(), patience).await.ok()?;
    let (found, prompt) = (resolved.session?, resolved.resumption_prompt?);
    if found.format != format {
        return None;
    }
    match fetch(client, &found).await {
        Ok(content) => {
            let StoredSession { run_id: of, format, session_id, .. } = found;
            let session = SavedSession { format, session_id, content };
            Some(Resumption { session, prompt, own: of == run_id })
        }
        Err(error) => {
            tracing::warn!(%error, "the earlier conversation can't be had; the agent is told of it");
            None
        }
    }
}

async fn fetch(client: &Client, found: &StoredSession) -> Result<Vec<u8>, Error> {
    let chunks: Vec<_> = client.download(&found.download_url).await?.try_collect().await?;
    Ok(chunks.concat())
}

/// Saves the conversation of a harness without secrets, if there is one.
pub(super) async fn save(client: Client, harness: Arc<dyn Harness>, redactor: Redactor, patience: Duration) {
    let Some(known) = harness.save().await else { return };
    let saving = async {
        let format = known.format;
        let asked = CreateExternalConversation { format: format.clone() };
        let conversation_id = persistently(&client, &asked, patience).await?.conversation_id;
        let target = UploadTranscript {
            conversation_id,
            format: Some(format),
            session_id: Some(known.session_id).filter(|id| !id.is_empty()),
        };
        let target = persistently(&client, &target, patience).await?;
        // What the agent is told from here on may be in it or not; the control plane takes it that it is not.
        let Some(SavedSession { content, .. }) = harness.save().await else { return Ok(()) };
        let mut stream = redactor.stream();
        let mut clean = stream.push(&content);
        clean.extend(stream.finish());
        client.upload(&target, clean).await
    };
    if let Err(error) = saving.await {
        tracing::warn!(%error, "the conversation was not saved");
    }
}
