//! Files as people write them, in every folder and shape: what is found in them, in order, and what is said of those that
//! can't be read.

use super::{found, write};
use crate::skill::{FOLDERS, discover};
use std::{fs, path::Path};

/// A file and what becomes of it: the name of the skill, or a part of what is said about it.
const FILES: &[(&str, &[u8], Result<&str, &str>)] = &[
    ("plain", b"---\nname: plain\ndescription: d\n---\nx", Ok("plain")),
    (
        "another",
        b"---\nname: differs-from-its-directory\ndescription: d\n---\nx",
        Ok("differs-from-its-directory"),
    ),
    ("bom", b"\xef\xbb\xbf---\nname: bom\ndescription: d\n---\nx", Ok("bom")),
    ("crlf", b"---\r\nname: crlf\r\ndescription: d\r\n---\r\nx\r\n", Ok("crlf")),
    ("blank", b"\n\n---\nname: blank\ndescription: d\n---  \n\nx", Ok("blank")),
    ("colon", b"---\nname: colon\ndescription: Use when: the user asks, e.g.: 'x'\n---\nx", Ok("colon")),
    ("quoted", b"---\nname: \"quoted\"\ndescription: 'it''s: d'\n---\nx", Ok("quoted")),
    ("folded", b"---\nname: folded\ndescription: >\n  one\n  two\n---\nx", Ok("folded")),
    ("literal", b"---\nname: literal\ndescription: |-\n  one: 1\n  two\nlicense: MIT\n---\nx", Ok("literal")),
    ("lines", b"---\nname: lines\ndescription: one\n  two\n---\nx", Ok("lines")),
    ("hint", b"---\nname: hint\nargument-hint: [file] [mode]\ndescription: d\n---\nx", Ok("hint")),
    (
        "list",
        b"---\nname: list\ndescription: d\nallowed-tools:\n  - Read\n  - Bash(git *)\n---\nx",
        Ok("list"),
    ),
    (
        "flow",
        b"---\nname: flow\ndescription: d\nallowed-tools: [Read, Bash]\nmetadata: {a: {b: c}}\n---\nx",
        Ok("flow"),
    ),
    ("tabs", b"---\nname: tabs\nmetadata:\n\tauthor: me\ndescription: d\n---\nx", Ok("tabs")),
    ("twice", b"---\nname: twice\nname: other\ndescription: d\n---\nx", Ok("twice")),
    ("unknown", b"---\nname: unknown\ncolour: red\nhooks: {a: [b]}\ndescription: d\n---\nx", Ok("unknown")),
    ("emoji", "---\nname: emoji\ndescription: 🚀 Ships: it\n---\nx".as_bytes(), Ok("emoji")),
    ("number", b"---\nname: 7\ndescription: 1.0\n---\nx", Ok("7")),
    ("rule", b"---\nname: rule\ndescription: d\n---\nx\n---\ny", Ok("rule")),
    ("open", b"---\nname: open\ndescription: d\n\n# Open\n", Err("does not end")),
    ("none", b"# None\n\nJust do it.\n", Err("does not begin with front matter")),
    ("nothing", b"", Err("does not begin with front matter")),
    ("nameless", b"---\ndescription: d\n---\nx", Err("no name")),
    ("mute", b"---\nname: mute\n---\nx", Err("no description")),
    ("empty", b"---\nname: empty\ndescription: d\n---\n", Err("no instructions")),
    ("climber", b"---\nname: ../climber\ndescription: d\n---\nx", Err("must not be a path")),
    ("latin", b"---\nname: latin\ndescription: caf\xe9\n---\nx", Err("not text in UTF-8")),
    ("wide", b"\xff\xfe-\0-\0-\0", Err("not text in UTF-8")),
    ("shape", b"---\n- name: shape\n---\nx", Err("front matter is not valid")),
];

#[test]
fn the_corpus() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, _) in FILES {
        let file = dir.path().join(format!(".agents/skills/{name}/SKILL.md"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let all = found(dir.path());
    assert_eq!(all.len(), FILES.len(), "none hides another");
    for (directory, _, expected) in FILES {
        let path = format!(".agents/skills/{directory}/SKILL.md");
        let (_, name, problem) = all.iter().find(|(at, _, _)| *at == path).unwrap();
        match (expected, problem) {
            (Ok(expected), None) => assert_eq!(name, expected),
            (Err(part), Some(problem)) => {
                assert_eq!(name, directory, "it is listed by its directory");
                assert!(problem.contains(part) && !problem.contains('\n'), "{directory}: {problem}");
            }
            _ => panic!("{directory}: {problem:?}"),
        }
    }
}

#[test]
fn every_folder_counts_and_groups_are_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let skill = |name: &str| format!("---\nname: {name}\ndescription: d\n---\nx");
    for folder in FOLDERS {
        write(dir.path(), &format!("{folder}/one/SKILL.md"), &skill("one"));
    }
    write(dir.path(), ".agents/skills/group/two/SKILL.md", &skill("two"));
    write(dir.path(), ".agents/skills/group/deep/three/SKILL.md", &skill("three"));
    write(dir.path(), ".agents/skills/group/deep/er/four/SKILL.md", &skill("too deep"));
    write(dir.path(), ".agents/skills/two/SKILL.md/SKILL.md", &skill("a directory of that name"));
    write(dir.path(), ".agents/skills/SKILL.md", &skill("in no directory of its own"));
    write(dir.path(), ".agents/skills/other/skill.md", &skill("not in capitals"));
    let paths: Vec<String> = found(dir.path()).into_iter().map(|(path, _, _)| path).collect();
    let mut expected: Vec<String> = FOLDERS.iter().map(|folder| format!("{folder}/one/SKILL.md")).collect();
    expected.insert(1, ".agents/skills/group/deep/three/SKILL.md".into());
    expected.insert(2, ".agents/skills/group/two/SKILL.md".into());
    assert_eq!(paths, expected);
    assert_eq!(FOLDERS[0], ".warp/skills");
}

#[test]
fn skills_on_the_way_to_a_directory_come_after_those_of_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let skill = |of: &str| format!("---\nname: fix\ndescription: of {of}\n---\nx");
    for place in ["", "ui/", "ui/app/", "api/"] {
        write(dir.path(), &format!("{place}.agents/skills/fix/SKILL.md"), &skill(place));
    }
    let paths = |inside: &str| -> Vec<String> {
        discover(dir.path(), Path::new(inside)).into_iter().map(|skill| skill.path).collect()
    };
    let all = [
        ".agents/skills/fix/SKILL.md",
        "ui/.agents/skills/fix/SKILL.md",
        "ui/app/.agents/skills/fix/SKILL.md",
    ];
    assert_eq!(paths("ui/app"), all);
    assert_eq!(paths("ui"), all[..2]);
    assert_eq!(paths(""), all[..1]);
    assert_eq!(paths("../elsewhere"), all[..1]);
}
