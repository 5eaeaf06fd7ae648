//! Docstrings.

/// Columns that text is wrapped at.
const WIDTH: usize = 120;

/// A docstring, indented.
pub(super) fn docstring(doc: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let doc = doc.trim().replace('\\', "\\\\").replace("\"\"\"", "'''");
    if doc.is_empty() {
        return String::new();
    }
    if !doc.contains('\n') && doc.len() + indent + 6 <= WIDTH && !doc.ends_with('"') {
        return format!("{pad}\"\"\"{doc}\"\"\"\n");
    }
    let mut text = format!("{pad}\"\"\"");
    for (i, line) in doc.lines().flat_map(|line| wrapped(line, WIDTH - indent - 3)).enumerate() {
        if i > 0 && !line.is_empty() {
            text += &pad;
        }
        text += line.trim_end();
        text.push('\n');
    }
    text + &pad + "\"\"\"\n"
}

/// A line as several, broken between words; lines after the first keep its indentation and four more where it names a field.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut lines = vec![" ".repeat(indent)];
    for word in line.split_whitespace() {
        let last = lines.last().map_or(0, String::len);
        if last + 1 + word.len() > width {
            lines.push(" ".repeat(if indent > 0 { indent + 4 } else { 0 }));
        }
        if let Some(line) = lines.last_mut() {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_docstring_is_one_line_when_it_fits() {
        assert_eq!(docstring("Its id.", 4), "    \"\"\"Its id.\"\"\"\n");
        assert_eq!(docstring("", 4), "");
        let long = docstring(&"word ".repeat(60), 4);
        assert!(long.lines().all(|line| line.len() <= WIDTH), "{long}");
        assert!(long.ends_with("    \"\"\"\n"));
    }
}
