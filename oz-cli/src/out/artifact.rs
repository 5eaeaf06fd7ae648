//! Artifacts that can be fetched, as people read them.

use super::table::{self, Listing, short, time, utc};
use oz_core::api::{ArtifactBody, ArtifactContent};

/// A list of artifacts.
pub(crate) const LIST: Listing<ArtifactContent, 8> = Listing {
    header: [
        "ARTIFACT UID",
        "TYPE",
        "CREATED",
        "CONTENT TYPE",
        "FILE",
        "SIZE",
        "DESCRIPTION",
        "DOWNLOAD URL",
    ],
    whole: 1,
    row: |artifact| {
        let facts = Facts::of(&artifact.content);
        [
            artifact.artifact_uid.clone(),
            facts.kind.to_owned(),
            time(artifact.created_at),
            facts.content_type.to_owned(),
            short(facts.file),
            facts.size_bytes.map_or_else(|| "-".to_owned(), |size| size.to_string()),
            short(facts.description),
            facts.download_url.unwrap_or("-").to_owned(),
        ]
    },
    none: "No artifacts found.",
};

/// An artifact as a card. A plan is shown as a whole.
pub(crate) fn card(artifact: &ArtifactContent) -> String {
    let facts = Facts::of(&artifact.content);
    let mut rows = vec![
        ("Artifact", artifact.artifact_uid.clone()),
        ("Type", facts.kind.to_owned()),
        ("Created", utc(artifact.created_at)),
        ("Media type", facts.content_type.to_owned()),
    ];
    let texts = [
        ("Title", facts.title),
        ("File", facts.file),
        ("Description", facts.description),
        ("Download", facts.download_url),
    ];
    rows.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))));
    rows.extend(facts.size_bytes.map(|size| ("Size", format!("{size} bytes"))));
    let card = table::card(&rows);
    match &artifact.content {
        ArtifactBody::Plan { content, .. } => format!("{card}\n\n{}", super::plain(content.trim_end())),
        _ => card,
    }
}

/// What the kinds of artifact have in common.
#[derive(Default)]
struct Facts<'a> {
    kind: &'static str,
    content_type: &'a str,
    title: Option<&'a str>,
    file: Option<&'a str>,
    description: Option<&'a str>,
    size_bytes: Option<i64>,
    download_url: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(body: &'a ArtifactBody) -> Self {
        match body {
            ArtifactBody::Plan { content_type, title, url, .. } => Self {
                kind: "PLAN",
                content_type,
                title: title.as_deref(),
                download_url: url.as_deref(),
                ..Self::default()
            },
            ArtifactBody::Screenshot { download_url, content_type, description, .. } => Self {
                kind: "SCREENSHOT",
                content_type,
                description: description.as_deref(),
                download_url: Some(download_url),
                ..Self::default()
            },
            ArtifactBody::File {
                download_url,
                content_type,
                filepath,
                description,
                size_bytes,
                title,
                ..
            } => Self {
                kind: "FILE",
                content_type,
                title: title.as_deref(),
                file: Some(filepath),
                description: description.as_deref(),
                size_bytes: *size_bytes,
                download_url: Some(download_url),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{Value, from_value, json};

    fn artifact(kind: &str, data: &Value) -> ArtifactContent {
        from_value(json!({ "artifact_uid": "a1", "created_at": "2026-03-02T08:00:00Z", "artifact_type": kind,
            "data": data }))
        .unwrap()
    }

    #[test]
    fn files_and_plans() {
        let file = artifact(
            "FILE",
            &json!({ "download_url": "https://x/blobs/1?s=2", "content_type": "text/html",
            "expires_at": "2026-03-02T09:00:00Z", "filename": "a.html", "filepath": "out/a.html", "size_bytes": 12 }),
        );
        insta::assert_snapshot!(card(&file), @"
        Artifact    a1
        Type        FILE
        Created     2026-03-02 08:00:00 UTC
        Media type  text/html
        File        out/a.html
        Download    https://x/blobs/1?s=2
        Size        12 bytes
        ");
        insta::assert_snapshot!(LIST.text(&[file], Format::Text), @"
        ARTIFACT UID	TYPE	CREATED	CONTENT TYPE	FILE	SIZE	DESCRIPTION	DOWNLOAD URL
        a1	FILE	2026-03-02 08:00:00	text/html	out/a.html	12	-	https://x/blobs/1?s=2
        ");
        let plan = artifact(
            "PLAN",
            &json!({ "document_uid": "d1", "notebook_uid": "d1", "title": "The plan",
            "content": "# Do\u{1b}[2J it\n\n1. Now\n", "content_type": "text/markdown" }),
        );
        insta::assert_snapshot!(card(&plan), @"
        Artifact    a1
        Type        PLAN
        Created     2026-03-02 08:00:00 UTC
        Media type  text/markdown
        Title       The plan

        # Do it

        1. Now
        ");
    }
}
