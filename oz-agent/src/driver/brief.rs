//! What an agent is told to do, put together from what its run brings along: a pure function.

use super::skills::Instructions;

/// What a transcript shows as the task of a run that names skills instead of a prompt.
pub(super) fn shown(prompt: &str, skills: &[&str]) -> String {
    if !prompt.trim().is_empty() || skills.is_empty() {
        return prompt.to_owned();
    }
    skills.iter().map(|skill| format!("/{skill}")).collect::<Vec<_>>().join("\n")
}

/// What the agent is told first, in one message or more: what is remembered and the skills to follow; what was asked,
/// which is a message of its own where there are skills; and the files that came with it.
pub(super) fn messages(
    memories: Option<&str>,
    skills: &[Instructions],
    asked: &str,
    files: &[String],
) -> Vec<String> {
    let mut messages = Vec::new();
    let mut parts: Vec<String> = memories.map(str::to_owned).into_iter().collect();
    for Instructions { name, text, directory } in skills {
        let files = directory.as_ref().map_or(String::new(), |directory| {
            format!("\n\nThe other files of this skill are in {}.", directory.display())
        });
        parts.push(format!("Follow the skill '{name}':\n\n{text}{files}"));
    }
    if !asked.trim().is_empty() {
        if !skills.is_empty() {
            messages.push(std::mem::take(&mut parts).join("\n\n"));
        }
        parts.push(asked.to_owned());
    }
    if !files.is_empty() {
        let paths: Vec<String> = files.iter().map(|path| format!("- {path}")).collect();
        parts.push(format!("These files came with the task:\n{}", paths.join("\n")));
    }
    messages.push(parts.join("\n\n"));
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_run_brings_is_told() {
        let skill = |name: &str| Instructions {
            name: name.into(),
            text: format!("Do {name}."),
            directory: (name == "b").then(|| "/s/b".into()),
        };
        let file = "d/f".to_owned();
        assert_eq!(messages(None, &[], "ask", &[]), ["ask"]);
        assert_eq!(messages(None, &[], "", &[]), [""]);
        assert_eq!(messages(None, &[skill("a")], "", &[]), ["Follow the skill 'a':\n\nDo a."]);
        assert_eq!(
            messages(Some("before"), &[], "ask", std::slice::from_ref(&file)),
            ["before\n\nask\n\nThese files came with the task:\n- d/f"]
        );
        assert_eq!(
            messages(Some("before"), &[skill("a"), skill("b")], "ask", &[file]),
            [
                "before\n\nFollow the skill 'a':\n\nDo a.\n\nFollow the skill 'b':\n\nDo b.\n\n\
                 The other files of this skill are in /s/b.",
                "ask\n\nThese files came with the task:\n- d/f"
            ]
        );
        assert_eq!((shown("p", &["a"]), shown(" ", &["r:a", "b"])), ("p".into(), "/r:a\n/b".into()));
    }
}
