//! What servers answer, for the model: text, pictures, and a word about what is neither. Pure.

use crate::tool::{Done, Failed};
use oz_core::model::Image;
use rmcp::model::{CallToolResult, ContentBlock, ReadResourceResult, ResourceContents};
use serde_json::{Map, Value};

/// The most text of one answer, in bytes.
pub(super) const MOST: usize = 100 << 10;
/// The most pictures of one answer.
const IMAGES: usize = 10;
/// The largest picture, in bytes of Base64.
const IMAGE: usize = 5 << 20;
/// What models can see.
const SEEN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// An answer as it is put together.
#[derive(Default)]
struct Answer {
    parts: Vec<String>,
    images: Vec<Image>,
}

impl Answer {
    fn picture(&mut self, media_type: String, data: String) {
        let size = data.len() / 4 * 3;
        if !SEEN.contains(&media_type.as_str()) || data.len() > IMAGE || self.images.len() == IMAGES {
            self.parts.push(format!("[left out: a picture, {media_type}, {size} bytes]"));
        } else {
            self.images.push(Image { media_type, data });
        }
    }

    fn resource(&mut self, contents: ResourceContents) {
        match contents {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                self.parts.push(format!("[{uri}]\n{text}"));
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => match mime_type {
                Some(kind) if kind.starts_with("image/") => self.picture(kind, blob),
                kind => {
                    let kind = kind.unwrap_or_else(|| "of no known type".to_owned());
                    let size = blob.len() / 4 * 3;
                    self.parts.push(format!("[left out: {uri}, {kind}, {size} bytes]"));
                }
            },
            _ => self.parts.push("[left out: something that this version does not know]".to_owned()),
        }
    }

    fn block(&mut self, block: ContentBlock) {
        match block {
            ContentBlock::Text(text) => self.parts.push(text.text),
            ContentBlock::Image(image) => self.picture(image.mime_type, image.data),
            ContentBlock::Audio(audio) => {
                let size = audio.data.len() / 4 * 3;
                self.parts.push(format!("[left out: sound, {}, {size} bytes]", audio.mime_type));
            }
            ContentBlock::Resource(resource) => self.resource(resource.resource),
            ContentBlock::ResourceLink(link) => {
                let about = link.description.map(|text| format!(": {text}")).unwrap_or_default();
                self.parts.push(format!("[resource '{}' at {}{about}]", link.name, link.uri));
            }
            _ => self.parts.push("[left out: something that this version does not know]".to_owned()),
        }
    }

    fn done(self) -> Done {
        let content = cut(self.parts.join("\n"));
        let mut output = Map::from_iter([("output".to_owned(), content.as_str().into())]);
        if !self.images.is_empty() {
            output.insert("images".to_owned(), self.images.len().into());
        }
        let content = match (content.is_empty(), self.images.len()) {
            (false, _) => content,
            (true, 0) => "(nothing)".to_owned(),
            (true, _) => "(see the pictures)".to_owned(),
        };
        Done { content, output, images: self.images, ..Done::default() }
    }
}

/// What a call came to.
pub(super) fn called(result: CallToolResult) -> Result<Done, Failed> {
    let mut answer = Answer::default();
    let structured = result.structured_content;
    // Most servers say in a text what they say in the structure.
    let said = |value: &Value| {
        result.content.iter().any(|block| match block {
            ContentBlock::Text(text) => serde_json::from_str::<Value>(&text.text).is_ok_and(|v| v == *value),
            _ => false,
        })
    };
    let structured = structured.filter(|value| !said(value));
    for block in result.content {
        answer.block(block);
    }
    answer.parts.extend(structured.map(|value| value.to_string()));
    let done = answer.done();
    if result.is_error == Some(true) {
        return Err(Failed { message: done.content, output: done.output });
    }
    Ok(done)
}

/// What was read.
pub(super) fn read(result: ReadResourceResult) -> Done {
    let mut answer = Answer::default();
    for contents in result.contents {
        answer.resource(contents);
    }
    answer.done()
}

/// Cuts a text that is too long, with a word about it.
pub(super) fn cut(mut text: String) -> String {
    let size = text.len();
    if size > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push_str(&format!("\n[cut: the first {MOST} of {size} bytes; ask for less]"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(value: Value) -> Result<Done, Failed> {
        called(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn everything_becomes_text_or_a_picture() {
        let done = result(json!({ "content": [
            { "type": "text", "text": "a" },
            { "type": "image", "data": "AAAA", "mimeType": "image/png" },
            { "type": "image", "data": "AAAA", "mimeType": "image/tiff" },
            { "type": "audio", "data": "AAAA", "mimeType": "audio/wav" },
            { "type": "resource", "resource": { "uri": "x://1", "text": "t" } },
            { "type": "resource", "resource": { "uri": "x://2", "blob": "AAAA", "mimeType": "image/jpeg" } },
            { "type": "resource", "resource": { "uri": "x://3", "blob": "AAAA" } },
            { "type": "resource_link", "name": "n", "uri": "x://4", "description": "d" },
        ] }))
        .unwrap();
        let expected = "a\n[left out: a picture, image/tiff, 3 bytes]\n[left out: sound, audio/wav, 3 bytes]\n[x://1]\nt\n\
                        [left out: x://3, of no known type, 3 bytes]\n[resource 'n' at x://4: d]";
        assert_eq!(done.content, expected);
        let kinds: Vec<_> = done.images.iter().map(|image| image.media_type.as_str()).collect();
        assert_eq!(kinds, ["image/png", "image/jpeg"]);
        assert_eq!(done.output["images"], 2);
    }

    #[test]
    fn structure_is_told_once() {
        let told = |text: &str| {
            let content = json!([{ "type": "text", "text": text }]);
            result(json!({ "content": content, "structuredContent": { "a": 1 } })).unwrap().content
        };
        assert_eq!(told("{ \"a\": 1 }"), "{ \"a\": 1 }");
        assert_eq!(told("one"), "one\n{\"a\":1}");
        assert_eq!(result(json!({ "content": [] })).unwrap().content, "(nothing)");
    }

    #[test]
    fn errors_are_errors_and_long_texts_are_cut() {
        let failed = result(json!({ "content": [{ "type": "text", "text": "no" }], "isError": true }));
        assert_eq!(failed.unwrap_err().message, "no");
        let long = "ä".repeat(MOST);
        let done = result(json!({ "content": [{ "type": "text", "text": long }] })).unwrap();
        assert!(done.content.len() < MOST + 100, "{}", done.content.len());
        let note = format!("\n[cut: the first {MOST} of {} bytes; ask for less]", 2 * MOST);
        assert!(done.content.ends_with(&note));
    }
}
