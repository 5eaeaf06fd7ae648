//! Pictures that come with a task.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oz_core::{Error, model::Image};
use std::{fs::File, io::Read as _, path::Path};

/// The largest picture that services take.
const MAX: u64 = 5 << 20;

/// Reads a picture.
///
/// # Errors
/// `invalid_request` that names the file and what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Image, Error> {
    let refuse = |right: &str| Error::invalid_field("images", &path.display().to_string(), right);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| refuse(&format!("a file that can be read ({e})")))?;
    file.take(MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| refuse(&format!("a file that can be read ({e})")))?;
    if bytes.len() as u64 > MAX {
        return Err(refuse("a picture of at most 5 MiB"));
    }
    let media_type = media_type(&bytes).ok_or_else(|| refuse("a picture in PNG, JPEG, GIF or WebP"))?;
    Ok(Image { media_type: media_type.to_owned(), data: STANDARD.encode(bytes) })
}

/// The media type by the first bytes; names of files lie.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes_and_have_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let write = |bytes: &[u8]| std::fs::write(&path, bytes).unwrap();
        write(b"\x89PNG\r\n\x1a\n");
        let expected = Image { media_type: "image/png".into(), data: "iVBORw0KGgo=".into() };
        assert_eq!(read(&path).unwrap(), expected);
        for (bytes, media) in [
            (&b"\xff\xd8\xff\xe0"[..], "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        ] {
            write(bytes);
            assert_eq!(read(&path).unwrap().media_type, media);
        }
        write(b"hello");
        assert!(read(&path).unwrap_err().detail.contains("PNG, JPEG, GIF or WebP"));
        write(&[&b"\x89PNG"[..], &vec![0; 5 << 20]].concat());
        assert!(read(&path).unwrap_err().detail.contains("at most 5 MiB"));
        let missing = read(&dir.path().join("gone")).unwrap_err();
        assert!(missing.detail.contains("images") && missing.detail.contains("gone"), "{missing}");
    }
}
