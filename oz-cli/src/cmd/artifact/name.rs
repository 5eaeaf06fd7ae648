//! Names of files: safe ones for what comes from a server, and the media types that they stand for.

use oz_core::api::ArtifactBody;

const MEDIA_TYPES: [(&str, &str); 20] = [
    ("md", "text/markdown"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("yaml", "application/yaml"),
    ("xml", "application/xml"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("tar", "application/x-tar"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
    ("mp4", "video/mp4"),
];

/// The media type that a name stands for.
pub(in crate::cmd) fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    let known = |wanted: &str| MEDIA_TYPES.iter().find(|(e, _)| *e == wanted).map(|(_, media)| *media);
    match extension.as_str() {
        "jpeg" => known("jpg"),
        "yml" => known("yaml"),
        other => known(other),
    }
    .unwrap_or("application/octet-stream")
}

/// What to call an artifact's file: one component of a path, whatever the server says.
pub(super) fn file_name(uid: &str, body: &ArtifactBody) -> String {
    let (given, media) = match body {
        ArtifactBody::File { filename, content_type, .. } => (Some(filename), content_type),
        ArtifactBody::Plan { content_type, .. } | ArtifactBody::Screenshot { content_type, .. } => {
            (None, content_type)
        }
    };
    if let Some(name) = given.map(|name| sanitized(name)).filter(|name| !name.is_empty()) {
        return name;
    }
    let essence = media.split(';').next().unwrap_or_default().trim();
    let extension = MEDIA_TYPES.iter().find(|(_, media)| *media == essence).map_or("bin", |(e, _)| e);
    format!("artifact-{}.{extension}", sanitized(uid))
}

/// The last component of a path, without what is special to file systems, shells and terminals. A name that begins with
/// a dot could be one that a program reads unasked, and one with a dash an option.
fn sanitized(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String =
        last.chars().map(|c| if c.is_control() || "<>:\"|?*".contains(c) { '_' } else { c }).collect();
    let mut safe = safe.trim().trim_start_matches(['.', '-']).trim_end_matches(['.', ' ']).to_owned();
    while safe.len() > 200 {
        safe.pop();
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for (name, expected) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/etc/cron.d/", ""),
            ("..", ""),
            (".bashrc", "bashrc"),
            ("--force", "force"),
            ("a\u{1b}[2J\n.txt", "a_[2J_.txt"),
            ("C:x", "C_x"),
            ("über uns.md", "über uns.md"),
        ] {
            assert_eq!(sanitized(name), expected, "{name}");
        }
        assert!(sanitized(&"ü".repeat(500)).len() <= 200);
    }

    #[test]
    fn an_artifact_without_a_name_is_named_for_itself() {
        let body = |filename: &str, content_type: &str| -> ArtifactBody {
            serde_json::from_value(serde_json::json!({ "artifact_type": "FILE", "data": {
                "download_url": "/x", "expires_at": "2026-03-02T08:00:00Z", "content_type": content_type,
                "filename": filename, "filepath": filename } }))
            .unwrap()
        };
        assert_eq!(file_name("u", &body("a.txt", "text/plain")), "a.txt");
        assert_eq!(file_name("u", &body("..", "image/png")), "artifact-u.png");
        assert_eq!(file_name("../u", &body("", "text/plain; charset=utf-8")), "artifact-u.txt");
        assert_eq!(file_name("u", &body("", "x/y")), "artifact-u.bin");
    }

    #[test]
    fn media_types_go_by_the_extension() {
        for (name, media) in
            [("a.PNG", "image/png"), ("a.jpeg", "image/jpeg"), ("a", "application/octet-stream")]
        {
            assert_eq!(media_type(name), media);
        }
    }
}
