//! Rust's documentation for who does not write Rust.

/// The text without its examples and its sections, and with the names of what it links to instead of the links.
pub(super) fn plain(doc: &str) -> String {
    let mut lines = Vec::new();
    let mut example = false;
    for line in doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)) {
        if line.starts_with("# ") {
            break;
        }
        if line.starts_with("```") {
            example = !example;
        } else if !(example || line.is_empty() && lines.last().is_some_and(|last: &&str| last.is_empty())) {
            lines.push(line);
        }
    }
    without_links(lines.join("\n").trim())
}

/// `` [`upload`](Artifacts::upload) `` becomes `` `upload` ``.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        plain += before;
        let link = after.split_once("`](").and_then(|(name, after)| Some((name, after.split_once(')')?.1)));
        let bare = || after.split_once("`]");
        let Some((name, after)) = link.filter(|(name, _)| !name.contains('`')).or_else(bare) else {
            plain += "[`";
            rest = after;
            continue;
        };
        plain += &format!("`{}`", name.rsplit("::").next().unwrap_or(name));
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn examples_sections_and_links_are_left_out() {
        let doc = " Does [`this`](X::this), then [`Client::that`](crate::Client::that).\n\n ```no_run\n code\n ```\n\n More.\n\n # Errors\n No.";
        assert_eq!(plain(doc), "Does `this`, then `that`.\n\nMore.");
    }
}
