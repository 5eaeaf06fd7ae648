//! The tools of Claude Code under our names.

use oz_core::harness::ActionCategory;

/// The category and our name of a tool; tools that we have none like keep theirs.
pub(super) fn ours(tool: &str) -> (ActionCategory, String) {
    use ActionCategory as C;
    let (category, name) = match tool {
        "Bash" | "BashOutput" | "KillShell" | "Monitor" => (C::Command, "run_command"),
        "Read" | "NotebookRead" => (C::Files, "read_files"),
        "Edit" | "MultiEdit" | "NotebookEdit" => (C::Files, "edit_files"),
        "Write" => (C::Files, "write_file"),
        "LS" => (C::Files, "list_files"),
        "Glob" => (C::Search, "file_glob"),
        "Grep" => (C::Search, "grep"),
        "WebFetch" => (C::Search, "fetch_page"),
        "WebSearch" => (C::Search, "web_search"),
        "Skill" => (C::Skill, "use_skill"),
        "Task" | "Agent" => (C::Integration, "sub_agent"),
        other if other.starts_with("mcp__") => {
            return (C::Integration, other.trim_start_matches("mcp__").replacen("__", "/", 1));
        }
        other => (C::Integration, other),
    };
    (category, name.to_owned())
}
