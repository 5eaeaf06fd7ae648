mod corpus;

use super::*;
use oz_core::{Error, ErrorCode};
use std::{fs, os::unix::fs::symlink, path::Path};

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: d\n---\nDo {name}.\n")
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn found(root: &Path) -> Vec<(String, String, Option<String>)> {
    let skills = discover(root, Path::new(""));
    skills.iter().map(|s| (s.path.clone(), s.name().to_owned(), s.content.clone().err())).collect()
}

#[test]
fn skills_are_found_in_order_and_the_malformed_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    assert_eq!(found(root), []);
    write(root, ".claude/skills/z/SKILL.md", &skill("zed"));
    write(root, ".agents/skills/b/SKILL.md", "no front matter");
    write(root, ".agents/skills/a/SKILL.md", &skill("a"));
    write(root, ".agents/skills/a/more/SKILL.md", &skill("of a skill"));
    write(root, ".agents/skills/README.md", "r");
    write(root, ".agents/skills/large/SKILL.md", &"x".repeat(200 << 10));
    write(root, "other/SKILL.md", &skill("other"));
    fs::create_dir_all(root.join(".agents/skills/empty/SKILL.md")).unwrap();
    symlink("../.claude/skills", root.join(".agents/linked")).unwrap();
    fs::create_dir(root.join(".warp")).unwrap();
    symlink("../.claude/skills", root.join(".warp/skills")).unwrap();
    let path = |p: &str, name: &str| (format!("{p}/SKILL.md"), name.to_owned());
    let all = found(root);
    let named: Vec<_> = all.iter().map(|(path, name, _)| (path.clone(), name.clone())).collect();
    assert_eq!(
        named,
        [
            path(".warp/skills/z", "zed"),
            path(".agents/skills/a", "a"),
            path(".agents/skills/b", "b"),
            path(".agents/skills/large", "large"),
        ]
    );
    assert!(all[2].2.as_ref().unwrap().contains("front matter"), "{all:?}");
    assert_eq!(all[3].2.as_deref(), Some("it is larger than 128 KiB"));
    assert_eq!(read_at(root, "other/SKILL.md").unwrap().name(), "other");
    assert_eq!(read_at(root, "other/none.md"), None);
}

#[test]
fn no_link_leads_out_of_the_repository() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("r");
    write(dir.path(), "secret", &skill("secret"));
    write(dir.path(), "skills/x/SKILL.md", &skill("x"));
    fs::create_dir_all(root.join(".agents/skills/leak")).unwrap();
    fs::create_dir_all(root.join(".warp")).unwrap();
    symlink("../../../../secret", root.join(".agents/skills/leak/SKILL.md")).unwrap();
    symlink("../../skills", root.join(".warp/skills")).unwrap();
    let all = found(&root);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].1 == "leak" && all[0].2.as_ref().unwrap().contains("outside"), "{all:?}");
    assert!(!format!("{all:?}").contains("Do secret"));
}

fn place(directory: &str, url: &str, skills: &[(&str, &str)]) -> Place {
    let skill = |(path, name): &(&str, &str)| {
        let content =
            Content { name: (*name).into(), description: "d".into(), instructions: format!("Do {name}.") };
        let content = if *name == "bad" { Err("why".to_owned()) } else { Ok(content) };
        Skill { path: (*path).to_owned(), content }
    };
    let mut place = Place::new(format!("/w/{directory}").into(), url);
    place.skills = skills.iter().map(skill).collect();
    place
}

#[test]
fn the_table_of_resolution() {
    let places = [
        place(
            "app",
            "https://h/me/app",
            &[
                (".agents/skills/fix/SKILL.md", "fix"),
                (".claude/skills/fix/SKILL.md", "fix"),
                (".agents/skills/build/SKILL.md", "Build it"),
                (".agents/skills/broken/SKILL.md", "bad"),
                ("docs/x.md", "x"),
            ],
        ),
        place("app-2", "https://h/you/app", &[(".agents/skills/own/SKILL.md", "own")]),
        place("lib", "https://h/me/lib.git", &[(".agents/skills/own/SKILL.md", "own")]),
    ];
    let try_one = |text: &str| -> Result<String, Error> {
        let spec = Spec::parse(text)?;
        resolve(&spec, &places).map(|found| format!("{}:{}", found.place.directory, found.skill.path))
    };
    for (text, expected) in [
        ("fix", "app:.agents/skills/fix/SKILL.md"),
        ("build", "app:.agents/skills/build/SKILL.md"),
        ("Build it", "app:.agents/skills/build/SKILL.md"),
        ("app:fix", "app:.agents/skills/fix/SKILL.md"),
        ("me/APP:fix", "app:.agents/skills/fix/SKILL.md"),
        ("app:.claude/skills/fix", "app:.claude/skills/fix/SKILL.md"),
        ("me/app:docs/x.md", "app:docs/x.md"),
        ("docs/x.md", "app:docs/x.md"),
        ("app-2:own", "app-2:.agents/skills/own/SKILL.md"),
        ("you/app:own", "app-2:.agents/skills/own/SKILL.md"),
        ("lib:own", "lib:.agents/skills/own/SKILL.md"),
    ] {
        assert_eq!(try_one(text).unwrap(), expected, "{text}");
    }
    for (text, code, expected) in [
        ("nope", ErrorCode::ResourceNotFound, "Skill 'nope' not found in me/app, you/app, me/lib"),
        ("lib:fix", ErrorCode::ResourceNotFound, "Skill 'lib:fix' not found in me/lib"),
        (
            "lib:/docs/x.md",
            ErrorCode::ResourceNotFound,
            "Skill 'lib:/docs/x.md' not found in me/lib; a path of a skill begins at the root of its repository and stays in it",
        ),
        ("none:fix", ErrorCode::ResourceNotFound, "Repository 'none' not found"),
        (
            "them/lib:own",
            ErrorCode::ResourceNotFound,
            "Repository 'lib' found but belongs to org 'me', expected 'them'",
        ),
        (
            "own",
            ErrorCode::ResourceNotFound,
            "Skill 'own' is ambiguous; name its repository: you/app:own, me/lib:own",
        ),
        (
            "app:broken",
            ErrorCode::EnvironmentSetupFailed,
            "Failed to parse skill file me/app:.agents/skills/broken/SKILL.md: why",
        ),
    ] {
        let error = try_one(text).unwrap_err();
        assert_eq!((error.code, error.detail.as_str()), (code, expected), "{text}");
    }
    let nowhere = resolve(&Spec::parse("fix").unwrap(), &[]).unwrap_err();
    assert_eq!(nowhere.detail, "Skill 'fix' not found: the run has no repository");
}

#[test]
fn the_skills_of_a_home_come_before_those_of_a_project() {
    let mut home = Place::home("/home/me".into());
    let fix = (".agents/skills/fix/SKILL.md", "fix");
    home.skills = place("", "", &[fix, (".agents/skills/bad/SKILL.md", "bad")]).skills;
    let project = place("app", "https://h/me/app", &[fix, (".agents/skills/own/SKILL.md", "own")]);
    let places = [home, project];
    let at = |text: &str| {
        let found = resolve(&Spec::parse(text).unwrap(), &places).unwrap();
        found.place.root.join(&found.skill.path).display().to_string()
    };
    assert_eq!(at("fix"), "/home/me/.agents/skills/fix/SKILL.md");
    assert_eq!(at("me/app:fix"), "/w/app/.agents/skills/fix/SKILL.md");
    assert_eq!(at("own"), "/w/app/.agents/skills/own/SKILL.md");
    let error = resolve(&Spec::parse("bad").unwrap(), &places).unwrap_err();
    assert_eq!(error.detail, "Failed to parse skill file ~:.agents/skills/bad/SKILL.md: why");
    for (text, known) in [("fix", true), ("bad", true), ("app:fix", true), ("nope", false), ("x:fix", false)]
    {
        assert_eq!(knows(&Spec::parse(text).unwrap(), &places), known, "{text}");
    }
    let nowhere = resolve(&Spec::parse("~:fix").unwrap(), &places).unwrap_err();
    assert_eq!(nowhere.detail, "Repository '~' not found");
}

#[test]
fn two_clones_of_one_repository_are_not_ambiguous() {
    let fix = [(".agents/skills/fix/SKILL.md", "fix")];
    let places = [place("app", "https://h/me/app", &fix), place("app-2", "https://h/me/app", &fix)];
    let chosen = |text: &str| resolve(&Spec::parse(text).unwrap(), &places).unwrap().place.directory.clone();
    assert_eq!((chosen("fix"), chosen("app-2:fix")), ("app".to_owned(), "app-2".to_owned()));
}
