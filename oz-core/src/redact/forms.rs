//! The forms in which a secret is looked for. What can be undone in the text instead, such as percent-encoding, is not
//! here but in `view`.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// Values and lines with fewer bytes are not replaced.
pub const MIN_BYTES: usize = 6;
/// Texts inside of JSON that are shorter say rather what something is than what is secret about it.
const MIN_LEAF_BYTES: usize = 16;

/// A form of a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    pub(super) bytes: Vec<u8>,
    /// Whether a character that the secret shares with what follows, and padding, may come after it.
    pub(super) base64: bool,
}

/// All forms of a value.
pub(super) fn of(value: &str) -> BTreeSet<Form> {
    parts(value).iter().flat_map(|part| forms(part)).collect()
}

/// What is secret about a value: itself, its lines, and the texts in it when it is JSON.
fn parts(value: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    add_parts(value, &mut parts);
    if let Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) =
        serde_json::from_str(value)
    {
        add_leaves(&json, &mut parts);
    }
    parts
}

fn add_parts(value: &str, parts: &mut BTreeSet<String>) {
    // The lines around a key in PEM are the same for all keys.
    let lines = value.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let long = std::iter::once(value.trim()).chain(lines).filter(|part| part.len() >= MIN_BYTES);
    parts.extend(long.map(str::to_owned));
}

fn add_leaves(json: &serde_json::Value, parts: &mut BTreeSet<String>) {
    match json {
        serde_json::Value::String(text) if text.len() >= MIN_LEAF_BYTES => add_parts(text, parts),
        serde_json::Value::Array(list) => list.iter().for_each(|value| add_leaves(value, parts)),
        serde_json::Value::Object(map) => map.values().for_each(|value| add_leaves(value, parts)),
        _ => {}
    }
}

fn forms(part: &str) -> Vec<Form> {
    let plain = |bytes: Vec<u8>| Form { bytes, base64: false };
    let hex = |upper: bool| -> String {
        part.bytes().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect()
    };
    let mut forms = vec![plain(part.into()), plain(hex(true).into()), plain(hex(false).into())];
    for before in 0..3 {
        forms.push(Form { bytes: base64(part.as_bytes(), before, &STANDARD_NO_PAD), base64: true });
        forms.push(Form { bytes: base64(part.as_bytes(), before, &URL_SAFE_NO_PAD), base64: true });
    }
    forms
}

/// The characters of base64 that depend on nothing but `bytes` when as many others as `before` stand before them in
/// their group of three.
fn base64(bytes: &[u8], before: usize, engine: &impl base64::Engine) -> Vec<u8> {
    let mut group = vec![0; before];
    group.extend_from_slice(bytes);
    let mut text = engine.encode(&group).into_bytes();
    if !group.len().is_multiple_of(3) {
        text.pop();
    }
    // One other byte fills a character and a part of the next; two fill two and a part of the third.
    text.drain(..if before == 0 { 0 } else { before + 1 });
    text
}
