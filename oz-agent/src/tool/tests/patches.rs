use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn patch(body: &str) -> Value {
    json!({ "patch": format!("*** Begin Patch\n{body}*** End Patch\n") })
}

#[tokio::test]
async fn a_patch_adds_changes_moves_and_deletes() {
    let room = Room::new(&[("a", "one\ntwo\n"), ("run.sh", "echo old\n"), ("gone", "x\n")]);
    let root = room.desk.workspace.root().to_owned();
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let body = "*** Add File: deep/new\n+hello\n*** Update File: a\n one\n-two\n+2\n*** Update File: run.sh\n\
                *** Move to: bin/run\n-echo old\n+echo new\n*** Delete File: gone\n";
    let done = room.ok("edit_files", patch(body)).await;
    assert_eq!(
        (room.read("deep/new"), room.read("a"), room.read("bin/run")),
        ("hello\n".into(), "one\n2\n".into(), "echo new\n".into())
    );
    assert!(!root.join("gone").exists() && !root.join("run.sh").exists());
    assert_eq!(root.join("bin/run").metadata().unwrap().permissions().mode() & 0o777, 0o755);
    let diff = done.output["diff"].as_str().unwrap();
    for part in ["-two\n+2", "+hello", "deleted gone", "deleted run.sh", "+echo new"] {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    let input = patch(body);
    let shown =
        Toolbox::new(&Offer::default(), []).find("edit_files").unwrap().shown(input.as_object().unwrap());
    assert_eq!(shown["file_paths"], json!(["deep/new", "a", "run.sh", "bin/run", "gone"]));
}

#[tokio::test]
async fn a_patch_is_made_whole_or_not_at_all() {
    let room = Room::new(&[("a", "one\n"), ("b", "two\n")]);
    let root = room.desk.workspace.root().to_owned();
    let message = room.fails("edit_files", patch("*** Update File: a\n-one\n+1\n*** Add File: b\n+x\n*** Delete File: c\n*** Update File: b\n*** Move to: a\n")).await;
    for part in [
        "change 2 of 'b': it exists already",
        "change 3 of 'c': it does not exist",
        "change 4 of 'b': it can't be moved",
        "nothing was changed",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!((room.read("a").as_str(), room.read("b").as_str()), ("one\n", "two\n"));
    // Written in order; the last can't be, for its directory is a file.
    let message = room.fails("edit_files", patch("*** Update File: a\n-one\n+1\n*** Delete File: b\n*** Add File: z/y\n+x\n*** Add File: z/y/x\n+x\n")).await;
    assert!(message.contains("can't be written") && message.contains("nothing was changed"), "{message}");
    assert_eq!((room.read("a").as_str(), room.read("b").as_str()), ("one\n", "two\n"));
    assert!(!root.join("z/y").exists());
    for (input, expected) in [
        (json!({}), "neither is there"),
        (json!({ "edits": [{ "path": "a", "old": "one", "new": "1" }], "patch": "x" }), "only one of them"),
        (json!({ "patch": "--- a\n+++ b\n" }), "must begin with the line `*** Begin Patch`"),
    ] {
        let message = room.fails("edit_files", input).await;
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn no_patch_leads_out_of_the_workspace() {
    let room = Room::new(&[("a", "one\n")]);
    let (dir, root) = (room.dir.path().to_owned(), room.desk.workspace.root().to_owned());
    fs::create_dir(dir.join("other")).unwrap();
    symlink("../other", root.join("out")).unwrap();
    symlink("/nowhere/at/all", root.join("broken")).unwrap();
    let printed = room.desk.jobs.directory().join("1.txt").to_string_lossy().into_owned();
    fs::write(&printed, "one\n").unwrap();
    for path in [
        "../outside",
        "../new",
        "/etc/passwd",
        "/tmp/oz-new",
        "link",
        "out/new",
        "broken",
        "a/../../new",
        printed.as_str(),
    ] {
        for body in [
            format!("*** Add File: {path}\n+x\n"),
            format!("*** Delete File: {path}\n"),
            format!("*** Update File: {path}\n-secret\n+x\n"),
            format!("*** Update File: a\n*** Move to: {path}\n"),
            format!("*** Update File: {path}\n*** Move to: b\n"),
        ] {
            let message = room.fails("edit_files", patch(&body)).await;
            assert!(
                message.contains("outside of the workspace") || message.contains("broken link"),
                "{body}: {message}"
            );
        }
    }
    assert_eq!(fs::read_to_string(dir.join("outside")).unwrap(), "secret\n");
    assert_eq!((fs::read_dir(dir.join("other")).unwrap().count(), room.read("a").as_str()), (0, "one\n"));
    assert!(!dir.join("new").exists() && fs::read_to_string(printed).unwrap() == "one\n");
}
