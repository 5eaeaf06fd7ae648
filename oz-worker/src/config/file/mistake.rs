//! What is wrong in a file: where it is, which field, and what was probably meant.

use serde::{Deserialize, de::Error as _};
use serde_saphyr::Error;

/// What people look for in the file, and what it is instead.
const FLAGS: &[(&str, &str)] = &[
    ("api_key", "the key is no setting of the file; set OZ_API_KEY, or pass --api-key"),
    ("log_level", "the level of the log is the flag --log-level"),
    ("log_format", "the format of the log is the flag --log-format"),
    ("web_socket_url", "the address of the socket is the flag --web-socket-url"),
    ("session_sharing_server_url", "that address is the flag --session-sharing-server-url"),
    ("metrics", "metrics are set up by OTEL_METRICS_EXPORTER and its like in the environment"),
];

/// Reads a YAML text.
///
/// # Errors
/// One line that names the place, the field and what is wrong with it.
pub(super) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    let mut told = None;
    let read = serde_saphyr::with_deserializer_from_str(text, |from| {
        serde_path_to_error::deserialize(from).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            told = Some(explain(&path, error.without_snippet()));
            // Only its being there counts: the answer is the text above.
            Error::custom("")
        })
    });
    read.map_err(|error| told.unwrap_or_else(|| explain(".", error.without_snippet())))
}

fn explain(path: &str, error: &Error) -> String {
    let place = error.location().map_or_else(String::new, |location| {
        format!("line {}, column {}: ", location.line(), location.column())
    });
    // The path ends in `?` where the reader does not say at which key it failed.
    let path = path.trim_end_matches(['?', '.']);
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        let parent = path.strip_suffix(field.as_str()).unwrap_or(path).trim_end_matches('.');
        let full = if parent.is_empty() { field.clone() } else { format!("{parent}.{field}") };
        return format!("{place}{full}: there is no such key; {}", meant(field, expected));
    }
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    // The reader's own way of telling the place.
    let text = text.split_once(" at line ").map_or(text, |(before, _)| before);
    let text =
        text.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).map_or(text, |(_, rest)| rest);
    if path.is_empty() { format!("{place}{text}") } else { format!("{place}{path}: {text}") }
}

fn meant(key: &str, known: &[&'static str]) -> String {
    if let Some((_, instead)) = FLAGS.iter().find(|(name, _)| *name == key.replace('-', "_")) {
        return (*instead).to_owned();
    }
    let likeness = |other: &str| strsim::jaro_winkler(&key.to_ascii_lowercase(), other);
    match known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(near) if likeness(near) > 0.82 => format!("did you mean '{near}'?"),
        _ => format!("expected one of {}", known.join(", ")),
    }
}
