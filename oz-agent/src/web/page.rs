//! A page as text that a model can read.

use super::Page;

/// How wide text is.
const WIDTH: usize = 120;
/// How deep elements may lie in each other. To lay out deeper ones takes longer than anyone waits, and no page that is
/// meant to be read has them.
const DEEPEST: usize = 300;
/// Elements that have no end, or need none.
const OPEN: [&str; 24] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    "p", "li", "dt", "dd", "tr", "td", "th", "option", "tbody", "thead", "tfoot",
];

/// The text of a page.
///
/// # Errors
/// When it is none.
pub(crate) fn readable(page: &Page) -> Result<String, String> {
    match page.media_type.as_str() {
        "text/html" | "application/xhtml+xml" => {
            if depth(&page.body) > DEEPEST {
                return Err(format!("the page has elements more than {DEEPEST} deep; use run_command"));
            }
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

/// About how deep the elements of a page lie in each other.
fn depth(html: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split(|byte| *byte == b'<').skip(1) {
        let (is_end, tag) = tag.strip_prefix(b"/").map_or((false, tag), |tag| (true, tag));
        let length = tag.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = String::from_utf8_lossy(&tag[..length]).to_ascii_lowercase();
        if name.is_empty() || OPEN.contains(&name.as_str()) {
            continue;
        }
        depth = if is_end { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_without_what_closes_itself() {
        for (html, expected) in [
            ("<div><p>a<p>b<br><b>c</b></div>", 2),
            ("<ul><li>a<li>b<li>c</ul><!-- x --><!DOCTYPE html>", 1),
            ("</div></div><i>", 1),
            ("a < b", 0),
        ] {
            assert_eq!(depth(html.as_bytes()), expected, "{html}");
        }
    }
}
