//! Pictures that come with a task.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oz_core::{
    Error,
    model::{ChatMessage, Image, ModelError},
};
use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

/// The largest picture that services take, in bytes.
const MAX: u64 = 5 << 20;
/// How many pictures go with a task, and how many bytes they may have together: services take requests of 32 MiB, and
/// in one a picture is a third longer.
const MOST: usize = 20;
const TOGETHER: u64 = 16 << 20;
/// What a message says in the place of its pictures.
const LEFT_OUT: &str = "[There were pictures here, but this model takes none.]";

/// Reads a picture.
///
/// # Errors
/// `invalid_request` that names the file and what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Image, Error> {
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

/// Those of `files` that are pictures of a size that services take.
pub(crate) fn among(files: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut left = TOGETHER;
    let mut fits = |path: &PathBuf| {
        let mut bytes = Vec::new();
        let begins = File::open(path).and_then(|file| file.take(12).read_to_end(&mut bytes));
        let size = fs::metadata(path).map_or(u64::MAX, |about| about.len());
        let fits = begins.is_ok() && media_type(&bytes).is_some() && size <= MAX.min(left);
        if fits {
            left -= size;
        }
        fits
    };
    files.into_iter().filter(|path| fits(path)).take(MOST).collect()
}

/// Whether a service refuses a request for the pictures in it. There is no common code for that.
pub(crate) fn are_refused(error: &ModelError) -> bool {
    let text = error.message.to_lowercase();
    ["image", "vision", "multimodal"].iter().any(|word| text.contains(word))
}

/// Takes the pictures out of a conversation. Answers whether there were any.
pub(crate) fn leave_out(messages: &mut [ChatMessage]) -> bool {
    let mut any = false;
    let mut strip = |text: &mut String, images: &mut Vec<Image>| {
        if !images.is_empty() {
            images.clear();
            text.push_str(if text.is_empty() { "" } else { "\n\n" });
            text.push_str(LEFT_OUT);
            any = true;
        }
    };
    for message in messages {
        match message {
            ChatMessage::User { text, images } => strip(text, images),
            ChatMessage::Tool { results } => {
                results.iter_mut().for_each(|result| strip(&mut result.content, &mut result.images));
            }
            ChatMessage::Assistant { .. } => {}
        }
    }
    any
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
    fn only_pictures_that_fit_go_with_a_task() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, size: usize, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, [bytes, &vec![0; size - bytes.len()]].concat()).unwrap();
            path
        };
        let png = b"\x89PNG\r\n\x1a\n";
        let small = file("a.png", 100, png);
        let lies = file("b.png", 100, b"hello");
        let large = file("c.png", (5 << 20) + 1, png);
        let whole: Vec<PathBuf> =
            (0..4).map(|n| file(&format!("{n}.jpg"), 5 << 20, b"\xff\xd8\xff")).collect();
        let gone = dir.path().join("gone.png");
        let all = [vec![small.clone(), lies, large, gone], whole.clone(), vec![small.clone()]].concat();
        let expected = [vec![small.clone()], whole[..3].to_vec(), vec![small.clone()]].concat();
        assert_eq!(among(all), expected, "what is too much is passed over");
        assert_eq!(among(vec![small; 30]).len(), MOST);
    }

    #[test]
    fn pictures_that_a_model_refuses_are_left_out_everywhere() {
        let refused =
            |text: &str| are_refused(&ModelError::new(oz_core::model::ModelErrorKind::InvalidRequest, text));
        assert!(refused("openai answered 400: image_url is only supported by certain models"));
        assert!(refused("this model has no Vision") && !refused("openai answered 400: bad field"));
        let image = Image { media_type: "image/png".into(), data: "aGk=".into() };
        let result = oz_core::model::ToolResult { images: vec![image.clone()], ..Default::default() };
        let mut messages = [
            ChatMessage::User { text: "look".into(), images: vec![image] },
            ChatMessage::Tool { results: vec![result] },
        ];
        assert!(leave_out(&mut messages));
        assert_eq!(messages[0], ChatMessage::user(format!("look\n\n{LEFT_OUT}")));
        let ChatMessage::Tool { results } = &messages[1] else { panic!("{messages:?}") };
        assert_eq!((results[0].content.as_str(), results[0].images.len()), (LEFT_OUT, 0));
        assert!(!leave_out(&mut messages), "there are none left");
    }

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
