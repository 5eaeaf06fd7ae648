//! Patches in the envelope that many models know: `*** Begin Patch`, a section for each file, `*** End Patch`. Pure.

/// What a patch does to one file.
#[derive(Debug, PartialEq)]
pub(super) struct Section<'a> {
    pub(super) path: &'a str,
    pub(super) action: Action<'a>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Action<'a> {
    /// Makes it, with this text.
    Add(String),
    /// Removes it.
    Delete,
    /// Changes it, and moves it if there is another path.
    Update { to: Option<&'a str>, hunks: Vec<Hunk<'a>> },
}

impl Section<'_> {
    /// The paths that it names.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let to = match &self.action {
            Action::Update { to, .. } => *to,
            Action::Add(_) | Action::Delete => None,
        };
        [self.path].into_iter().chain(to)
    }
}

/// A change of some lines.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hunk<'a> {
    /// Lines that come before it somewhere, from the outermost on.
    pub(super) headers: Vec<&'a str>,
    pub(super) lines: Vec<Line<'a>>,
    /// Whether it is at the end of the file.
    pub(super) at_end: bool,
    /// The line of the patch where it begins.
    pub(super) number: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// What a patch says.
///
/// # Errors
/// When it is no patch; the text names the line.
pub(super) fn parse(patch: &str) -> Result<Vec<Section<'_>>, String> {
    let mut lines = patch.lines().enumerate().map(|(i, line)| (i + 1, line)).peekable();
    while lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
    if lines.next().is_none_or(|(_, line)| line.trim() != "*** Begin Patch") {
        return Err("it must begin with the line `*** Begin Patch`".to_owned());
    }
    let mut sections: Vec<Section<'_>> = Vec::new();
    loop {
        let Some((number, line)) = lines.next() else {
            return Err("it must end with the line `*** End Patch`".to_owned());
        };
        let is_body = |line: &str| !line.starts_with("*** ") || line.trim() == "*** End of File";
        if line.trim() == "*** End Patch" {
            break;
        } else if line.trim().is_empty() {
            continue;
        } else if let Some(path) = line.strip_prefix("*** Delete File: ") {
            sections.push(Section { path: path.trim(), action: Action::Delete });
        } else if let Some(path) = line.strip_prefix("*** Add File: ") {
            let mut text = String::new();
            while let Some((number, line)) = lines.next_if(|(_, line)| is_body(line)) {
                let Some(line) = line.strip_prefix('+') else {
                    return Err(format!(
                        "line {number}: each line of a file to add begins with `+`, not '{line}'"
                    ));
                };
                text.push_str(line);
                text.push('\n');
            }
            sections.push(Section { path: path.trim(), action: Action::Add(text) });
        } else if let Some(path) = line.strip_prefix("*** Update File: ") {
            let to = lines.next_if(|(_, line)| line.starts_with("*** Move to: "));
            let to = to.and_then(|(_, line)| line.strip_prefix("*** Move to: ")).map(str::trim);
            let mut hunks: Vec<Hunk<'_>> = Vec::new();
            while let Some((number, line)) = lines.next_if(|(_, line)| is_body(line)) {
                body(&mut hunks, number, line)?;
            }
            if hunks.is_empty() && to.is_none() {
                return Err(format!("line {number}: nothing is to change in '{}'", path.trim()));
            }
            if let Some(empty) = hunks.iter().find(|hunk| hunk.lines.is_empty()) {
                return Err(format!("line {}: nothing follows it", empty.number));
            }
            sections.push(Section { path: path.trim(), action: Action::Update { to, hunks } });
        } else {
            return Err(format!(
                "line {number}: there must be `*** Add File: `, `*** Update File: ` or `*** Delete File: ` with a path, not \
                 '{line}'"
            ));
        }
    }
    match sections.is_empty() {
        true => Err("it changes no file".to_owned()),
        false => Ok(sections),
    }
}

/// One line of a file's changes.
fn body<'a>(hunks: &mut Vec<Hunk<'a>>, number: usize, line: &'a str) -> Result<(), String> {
    if line == "@@" || line.starts_with("@@ ") {
        let header = line[2..].trim();
        if hunks.last().is_none_or(|hunk| !hunk.lines.is_empty()) {
            hunks.push(Hunk { number, ..Hunk::default() });
        }
        // Numbers of lines, as in a unified diff, are not relied on.
        if let Some(hunk) = hunks.last_mut().filter(|_| !header.is_empty() && !header.starts_with('-')) {
            hunk.headers.push(header);
        }
        return Ok(());
    }
    if hunks.last().is_none_or(|hunk| hunk.at_end) {
        hunks.push(Hunk { number, ..Hunk::default() });
    }
    let Some(hunk) = hunks.last_mut() else { return Ok(()) };
    if line.trim() == "*** End of File" {
        hunk.at_end = true;
        return Ok(());
    }
    let line = match (line.chars().next(), line.get(1..)) {
        (None, _) => Line::Same(""),
        (Some(' '), Some(text)) => Line::Same(text),
        (Some('-'), Some(text)) => Line::Old(text),
        (Some('+'), Some(text)) => Line::New(text),
        _ => {
            return Err(format!(
                "line {number}: a line of a change begins with a space, `-`, `+` or `@@`, not '{line}'"
            ));
        }
    };
    hunk.lines.push(line);
    Ok(())
}

#[cfg(test)]
mod tests;
