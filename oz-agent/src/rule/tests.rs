use super::*;
use oz_core::harness::ActionCategory;
use serde_json::json;
use std::os::unix::fs::symlink;

struct Room(tempfile::TempDir);

impl Room {
    fn new(files: &[(&str, &str)]) -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let file = room.path(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        room
    }
    fn path(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(path)
    }
    /// Where the rules are that apply, and what they say.
    fn found(&self, home: Option<&str>, roots: &[&str], workspace: &str) -> Vec<(String, String)> {
        let roots: Vec<PathBuf> = roots.iter().map(|root| self.path(root)).collect();
        let home = home.map(|home| self.path(home));
        let found = find(home.as_deref(), &roots, &self.path(workspace));
        assert_eq!(found.problems, [""; 0]);
        let base = self.path("");
        let shown = |rule: Rule| (rule.path.strip_prefix(&base).unwrap().display().to_string(), rule.text);
        found.rules.into_iter().map(shown).collect()
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn root_and_directory_apply_and_nothing_between_or_beside() {
    let room = Room::new(&[
        ("p/AGENTS.md", "root"),
        ("p/ui/AGENTS.md", "ui"),
        ("p/ui/app/AGENTS.md", "app"),
        ("p/api/AGENTS.md", "api"),
    ]);
    assert_eq!(room.found(None, &["p"], "p/ui"), pairs(&[("p/AGENTS.md", "root"), ("p/ui/AGENTS.md", "ui")]));
    let app = pairs(&[("p/AGENTS.md", "root"), ("p/ui/app/AGENTS.md", "app")]);
    assert_eq!(room.found(None, &["p"], "p/ui/app"), app);
    assert_eq!(room.found(None, &["p"], "p"), pairs(&[("p/AGENTS.md", "root")]));
    assert_eq!(room.found(None, &[], "p/api"), pairs(&[("p/api/AGENTS.md", "api")]));
}

#[test]
fn of_one_directory_the_first_name_counts_in_capitals() {
    let room = Room::new(&[
        ("all/AGENTS.md", "a"),
        ("all/WARP.md", "w"),
        ("all/CLAUDE.md", "c"),
        ("two/CLAUDE.md", "c"),
        ("two/AGENTS.md", "a"),
        ("one/CLAUDE.md", "c"),
        ("small/agents.md", "a"),
        ("small/Agents.md", "a"),
        ("empty/WARP.md", " \n"),
        ("empty/AGENTS.md", "\u{feff}a"),
        ("odd/WARP.md/x", "x"),
        ("odd/AGENTS.md", "a"),
    ]);
    for (directory, expected) in [
        ("all", Some(("WARP.md", "w"))),
        ("two", Some(("AGENTS.md", "a"))),
        ("one", Some(("CLAUDE.md", "c"))),
        ("small", None),
        ("empty", Some(("AGENTS.md", "a"))),
        ("odd", Some(("AGENTS.md", "a"))),
    ] {
        let expected: Vec<_> =
            expected.iter().map(|(f, t)| (format!("{directory}/{f}"), (*t).to_owned())).collect();
        assert_eq!(room.found(None, &[directory], directory), expected, "{directory}");
    }
}

#[test]
fn the_weakest_come_first() {
    let room = Room::new(&[
        ("home/.oz/AGENTS.md", "oz"),
        ("home/.agents/AGENTS.md", "agents"),
        ("home/.warp/WARP.md", "warp"),
        ("w/AGENTS.md", "around"),
        ("w/one/AGENTS.md", "one"),
        ("w/two/CLAUDE.md", "two"),
    ]);
    let expected = pairs(&[
        ("home/.warp/WARP.md", "warp"),
        ("home/.agents/AGENTS.md", "agents"),
        ("home/.oz/AGENTS.md", "oz"),
        ("w/one/AGENTS.md", "one"),
        ("w/two/CLAUDE.md", "two"),
        ("w/AGENTS.md", "around"),
    ]);
    assert_eq!(room.found(Some("home"), &["w/one", "w/two"], "w"), expected);
    assert_eq!(room.found(None, &["w/one", "w/two"], "w"), expected[3..]);
}

#[test]
fn links_stay_inside_and_what_is_unreadable_is_told() {
    let room = Room::new(&[("secret", "s"), ("p/docs/rules", "shared"), ("p/sub/x", "x")]);
    symlink("docs/rules", room.path("p/CLAUDE.md")).unwrap();
    assert_eq!(room.found(None, &["p"], "p"), pairs(&[("p/CLAUDE.md", "shared")]));
    symlink("../secret", room.path("p/AGENTS.md")).unwrap();
    symlink("nothing", room.path("p/sub/WARP.md")).unwrap();
    let found = find(None, &[room.path("p")], &room.path("p/sub"));
    assert_eq!(found.rules, []);
    let [outside, broken] = found.problems.as_slice() else { panic!("{found:?}") };
    assert!(outside.contains("p/AGENTS.md") && outside.contains("outside"), "{outside}");
    assert!(broken.contains("WARP.md") && broken.contains("broken link"), "{broken}");
}

#[test]
fn what_is_too_long_is_cut_with_a_note() {
    let long = "ä".repeat(40 << 10);
    let room = Room::new(&[("p/AGENTS.md", &long), ("q/AGENTS.md", &"x".repeat(64 << 10))]);
    let [(_, text)] = room.found(None, &["p"], "p").try_into().unwrap();
    let (kept, note) = text.split_once('\n').unwrap();
    assert_eq!(kept.len(), 64 << 10);
    assert!(note.contains("more than 64 KiB") && !text.contains('\u{fffd}'), "{note}");
    let [(_, text)] = room.found(None, &["q"], "q").try_into().unwrap();
    assert_eq!(text.len(), 64 << 10);
}

#[test]
fn the_book_tells_of_a_directory_once() {
    let room = Room::new(&[
        ("p/AGENTS.md", "root"),
        ("p/ui/AGENTS.md", "ui"),
        ("p/api/AGENTS.md", "api"),
        ("p/api/v1/x.rs", ""),
        ("p/api/v2/WARP.md", "v2"),
        ("out/AGENTS.md", "out"),
    ]);
    symlink("../out", room.path("p/link")).unwrap();
    let told = find(None, &[room.path("p")], &room.path("p")).rules;
    let book = RuleBook::new(Workspace::new(&room.path("p")).unwrap(), &told);
    let texts = |paths: &[&str]| -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        book.new_for(&paths).into_iter().map(|rule| rule.text).collect()
    };
    assert_eq!(texts(&["x.rs", ".", "../out/x", "link/x", "/etc/passwd"]), [""; 0]);
    assert_eq!(texts(&["api/v1/x.rs", "api/v1/y.rs"]), ["api"]);
    assert_eq!(texts(&["api/z.rs", "api/v2/new.rs"]), ["v2"]);
    assert_eq!(texts(&["api/v2"]), [""; 0]);
    assert_eq!(texts(&["new/file"]), [""; 0]);
    fs::create_dir(room.path("p/new")).unwrap();
    fs::write(room.path("p/new/AGENTS.md"), "new").unwrap();
    assert_eq!(texts(&["new/file"]), ["new"], "a directory that was made later");
    let rules = book.new_for(&["ui/a".to_owned()]);
    assert_eq!(book.note(&rules), "\n\nThe project has rules for work in 'ui', from ui/AGENTS.md:\n\nui");
    assert_eq!(book.shown(&rules), "ui/AGENTS.md");
}

#[test]
fn paths_are_taken_from_what_files_tools_are_told() {
    let input =
        json!({ "path": "a", "files": [{ "path": "b", "text": "c" }], "paths": ["d"], "edits": { "x": 1 } });
    let paths = |category| {
        let mut paths = RuleBook::paths(&category, input.as_object().unwrap());
        paths.sort();
        paths
    };
    assert_eq!(paths(ActionCategory::Files), ["a", "b", "d"]);
    assert_eq!(paths(ActionCategory::Command), [""; 0]);
}
