//! Pictures, told by their first bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oz_core::model::Image;
use std::{fs::File, io::Read as _};

/// The largest picture that a model is shown.
const MAX: u64 = 5 << 20;

/// The media type of a file that begins like this, when it is a picture that models understand.
pub(super) fn media_type(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The picture in a file.
pub(super) fn read(file: &File, media_type: &str) -> Result<Image, String> {
    let mut bytes = Vec::new();
    file.take(MAX + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX {
        return Err(format!("the picture is larger than {} MiB; make a smaller one of it", MAX >> 20));
    }
    Ok(Image { media_type: media_type.to_owned(), data: STANDARD.encode(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_beginning() {
        for (beginning, expected) in [
            (b"\x89PNG\r\n\x1a\n....".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(media_type(beginning), expected, "{beginning:?}");
        }
    }
}
