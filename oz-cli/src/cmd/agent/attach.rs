//! Files that go with a run.

use crate::{cmd::artifact::media_type, error::CliError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oz_core::api::{AttachmentInput, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS};
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Reads the files, of which there may be few and none may be large: they travel with the request.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<AttachmentInput>, CliError> {
    if paths.len() > MAX_ATTACHMENTS {
        let count = paths.len();
        return Err(CliError::new(format!("{count} attachments are too many; at most {MAX_ATTACHMENTS} go")));
    }
    paths.iter().map(|path| attachment(path)).collect()
}

fn attachment(path: &Path) -> Result<AttachmentInput, CliError> {
    let shown = path.display();
    let bytes =
        head(path).map_err(|e| CliError::new(format!("the attachment '{shown}' can't be read: {e}")))?;
    if bytes.len() > MAX_ATTACHMENT_BYTES {
        let most = MAX_ATTACHMENT_BYTES >> 20;
        return Err(CliError::new(format!("the attachment '{shown}' is too large; at most {most} MiB go")));
    }
    let name = path.file_name().ok_or_else(|| CliError::new(format!("'{shown}' names no file")))?;
    let file_name = name.to_string_lossy().into_owned();
    let mime_type = media_type(&file_name).to_owned();
    Ok(AttachmentInput { file_name, mime_type, data: STANDARD.encode(bytes) })
}

/// What is in a file, though never much more than an attachment may have.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_ATTACHMENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_named_and_typed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("plan.md"), "hi").unwrap();
        fs::write(path("blob"), [0, 255]).unwrap();
        let read = read(&[path("plan.md"), path("blob")]).unwrap();
        let of = |file_name: &str, mime_type: &str, data: &str| AttachmentInput {
            file_name: file_name.into(),
            mime_type: mime_type.into(),
            data: data.into(),
        };
        assert_eq!(
            read,
            [of("plan.md", "text/markdown", "aGk="), of("blob", "application/octet-stream", "AP8=")]
        );
    }

    #[test]
    fn what_can_not_go_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = |paths: &[PathBuf]| read(paths).unwrap_err().to_string();
        let large = dir.path().join("large.bin");
        File::create(&large).unwrap().set_len(MAX_ATTACHMENT_BYTES as u64 + 1).unwrap();
        assert!(error(std::slice::from_ref(&large)).contains("large.bin' is too large; at most 10 MiB go"));
        File::create(&large).unwrap().set_len(MAX_ATTACHMENT_BYTES as u64).unwrap();
        assert!(read(&[large]).is_ok());
        assert!(error(&[dir.path().join("none")]).contains("none' can't be read"));
        assert!(error(&[dir.path().to_owned()]).contains("can't be read"));
        let many = vec![dir.path().join("none"); MAX_ATTACHMENTS + 1];
        assert_eq!(error(&many), "Error: 6 attachments are too many; at most 5 go");
    }
}
