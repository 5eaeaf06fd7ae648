//! A page as text that a model can read.

use super::Page;

/// How wide text is.
const WIDTH: usize = 120;

/// The text of a page.
///
/// # Errors
/// When it is none.
pub(crate) fn readable(page: &Page) -> Result<String, String> {
    match page.media_type.as_str() {
        "text/html" | "application/xhtml+xml" => {
            // Its addresses stand beneath the text, so that it can be read without them.
            let config = html2text::config::plain().link_footnotes(true).allow_width_overflow();
            let text = config.string_from_read(page.body.as_slice(), WIDTH);
            text.map_err(|e| format!("the page could not be read as HTML: {e}"))
        }
        other if is_text(other) => Ok(String::from_utf8_lossy(&page.body).into_owned()),
        other => Err(format!("it is '{other}', which is no text; use run_command to download it")),
    }
}

fn is_text(media_type: &str) -> bool {
    let (kind, format) = media_type.split_once('/').unwrap_or((media_type, ""));
    kind == "text"
        || matches!(format, "json" | "xml" | "javascript" | "yaml" | "x-yaml" | "toml" | "x-sh")
        || format.ends_with("+json")
        || format.ends_with("+xml")
}
