//! Where the skills of a person's own runs come from, and what is refused to be one.

use fake_model::{FakeModel, Script, Turn};
use oz_tests::World;
use serde_json::json;
use std::{fs, path::Path};

/// Runs an agent on this machine, in a directory of the world, with a home where skills are.
fn here(world: &World, cwd: &Path, env: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let output = world
        .oz_command()
        .envs(env.iter().copied())
        .current_dir(cwd)
        .args(["agent", "run", "--offline", "--output-format", "json", "--model", "anthropic/fake"])
        .args(args)
        .output()
        .unwrap();
    let out = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(out).unwrap())
}

fn skill(directory: &Path, name: &str, text: &str) {
    let directory = directory.join(name);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("SKILL.md"), format!("---\nname: {name}\ndescription: d\n---\n{text}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn skills_come_from_homes_shelves_and_repositories_elsewhere() {
    let world = World::scripted("scripts: []");
    let path = |name: &str| world.path().join(name);
    let cwd = path("work");
    fs::create_dir(&cwd).unwrap();
    skill(&path("home/.agents/skills"), "greet", "Greet the user. The words are in words.txt.");
    fs::write(path("home/.agents/skills/greet/words.txt"), "g'day").unwrap();
    fs::write(path("home/secret.txt"), "canary-of-home").unwrap();
    skill(&path("shelf"), "sing", "Sing a song.");
    let repo = world.git_repo("me/tools.git", &[("README", "tools\n")]);
    skill(&Path::new(&repo).join(".claude/skills"), "dig", "Dig a hole.");
    let docs = Path::new(&repo).join("docs");
    fs::create_dir(&docs).unwrap();
    std::os::unix::fs::symlink(path("home/secret.txt"), docs.join("leak.md")).unwrap();
    world.git(repo.as_ref(), &["add", "."]);
    world.git(
        repo.as_ref(),
        &["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "skills"],
    );
    // GitHub is a directory here.
    let config = format!("[url \"{}/\"]\n\tinsteadOf = https://github.com/\n", path("repos").display());
    fs::write(path("home/.gitconfig"), config).unwrap();

    let file = |name: &str| path("home/.agents/skills/greet").join(name).to_string_lossy().into_owned();
    let secret = path("home/secret.txt").to_string_lossy().into_owned();
    let wanted =
        json!({ "files": [{ "path": file("SKILL.md") }, { "path": file("words.txt") }, { "path": secret }] });
    let script = [
        ("Greet the user", vec![Turn::call("read_files", wanted), Turn::text("Greeted.")]),
        ("Sing a song", vec![Turn::text("Sung.")]),
        ("Dig a hole", vec![Turn::text("Dug.")]),
    ];
    let model = FakeModel::start(Script::conversations(script)).await;
    let (url, shelf) = (model.url(), path("shelf").to_string_lossy().into_owned());
    let env = [("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", &*url), ("WARP_SKILL_DIRS", &*shelf)];

    for (args, words) in [
        (&["-p", "/greet say it in French"][..], "Greeted."),
        (&["--skill", "sing"], "Sung."),
        (&["--skill", "me/tools:dig", "-p", "in the garden"], "Dug."),
        (&["--skill", "me/tools:.claude/skills/dig/SKILL.md"], "Dug."),
    ] {
        let (code, out) = here(&world, &cwd, &env, args);
        assert!(code == 0 && out.contains(words), "{args:?}: {out}");
    }
    assert_eq!(fs::read_dir(&cwd).unwrap().count(), 0, "nothing is cloned to where the agent works");
    let requests = model.requests();
    // What was said after the skill is a message of its own; this format puts both in one turn.
    let content = &requests[0].body["messages"][0]["content"];
    assert!(
        content[0]["text"]
            .as_str()
            .unwrap()
            .ends_with(&path("home/.agents/skills/greet.").display().to_string())
    );
    assert_eq!(content[1]["text"], "say it in French");
    let seen = requests[1].body.to_string();
    assert!(seen.contains("g'day") && seen.contains("outside") && !seen.contains("canary-of-home"), "{seen}");

    for (spec, expected) in [
        ("me/none:dig", "Failed to clone repository 'me/none'"),
        ("me/tools:../../home/secret.txt", "stays in it"),
        ("me/tools:/etc/passwd", "stays in it"),
        ("me/tools:docs/leak.md", "outside"),
        ("me/tools:fill", "Skill 'me/tools:fill' not found in me/tools"),
        ("me/--upload-pack=touch pwned:dig", "expected a repository of GitHub"),
        ("--upload-pack=touch pwned/x:dig", "expected a repository of GitHub"),
        ("../tools:dig", "expected a repository of GitHub"),
        ("tools:dig", "Repository 'tools' not found"),
    ] {
        let (code, out) = here(&world, &cwd, &env, &[&format!("--skill={spec}")]);
        assert!(code == 1 && out.contains(expected), "{spec}: {out}");
        assert!(!out.contains("canary-of-home"), "{spec}: {out}");
    }
    assert_eq!(model.requests().len(), requests.len());
    assert_eq!(fs::read_dir(&cwd).unwrap().count(), 0);
}
