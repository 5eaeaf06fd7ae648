//! Workspaces on a real file system, and stale ones with real processes.

use super::*;
use rustix::process::Pid;
use std::process::Command;

fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ROOT_LOCK);
    names.sort();
    names
}

#[tokio::test]
async fn a_workspace_is_private_and_deleted_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let root = Root::own(&path, Some("/home/\"me".into()), true).await.unwrap();
    fs::write(path.join("precious"), "x").unwrap();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let first = root.claim(one).await.unwrap();
    let second = root.claim(two).await.unwrap();
    assert_eq!(fs::metadata(&first.directory).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(first.environment_file()).unwrap().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(first.git_config()).unwrap().contains("path = \"/home/\\\"me/.gitconfig\""));
    assert!(root.claim(one).await.unwrap_err().to_string().contains("another worker"));
    first.leave(true).await;
    assert_eq!(names(&path), [two.to_string(), format!("{two}.lock"), "precious".to_owned()]);
    second.leave(false).await;
    assert_eq!(names(&path), [two.to_string(), "precious".to_owned()], "kept on request");
    assert_eq!(names(&path.join(two.to_string())), [GIT_CONFIG]);
    root.claim(two).await.unwrap().leave(true).await;
    assert_eq!(names(&path), ["precious"]);
}

#[tokio::test]
async fn what_a_dead_worker_left_is_ended_and_deleted() {
    for cleanup in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::own(directory.path(), None, cleanup).await.unwrap();
        let (dead, alive) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut stale = root.claim(dead).await.unwrap();
        let kept = root.claim(alive).await.unwrap();
        // Closing the file without deleting it is what the kernel does for a killed worker.
        drop(stale.lock.take());
        let start = |workspace: &Workspace| {
            let mut command = Command::new("sleep");
            command.arg("60").env("OZ_WORKSPACE_ROOT", &workspace.directory).spawn().unwrap()
        };
        let (mut lost, mut owned) = (start(&stale), start(&kept));
        while !process::has_environment(
            Pid::from_child(&lost),
            &format!("OZ_WORKSPACE_ROOT={}", stale.directory.display()),
        ) {
            std::thread::yield_now();
        }
        Root::own(directory.path(), None, cleanup).await.unwrap();
        assert!(!lost.wait().unwrap().success(), "the orphan is killed");
        assert!(owned.try_wait().unwrap().is_none(), "the process of a live worker is not");
        owned.kill().unwrap();
        owned.wait().unwrap();
        let mut expected = vec![alive.to_string(), format!("{alive}.lock")];
        if !cleanup {
            expected.insert(0, dead.to_string());
        }
        assert_eq!(names(directory.path()), expected);
    }
}

#[tokio::test]
async fn a_shared_directory_is_never_deleted() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("precious"), "x").unwrap();
    let root = Root::shared(directory.path(), None).unwrap();
    let workspace = root.claim(Uuid::from_u128(1)).await.unwrap();
    let files = workspace.files.clone();
    assert!(files.exists() && workspace.shared && files != workspace.directory);
    workspace.leave(true).await;
    assert_eq!(names(directory.path()), ["precious"]);
    assert!(!files.exists());
}

#[test]
fn links_are_not_followed_when_a_tree_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, outside) = (directory.path().join("tree"), directory.path().join("outside"));
    fs::create_dir_all(tree.join("locked/deep")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "x").unwrap();
    fs::set_permissions(&outside, Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink(&outside, tree.join("locked/link")).unwrap();
    fs::set_permissions(tree.join("locked"), Permissions::from_mode(0o500)).unwrap();
    make_writable(&tree).unwrap();
    remove_tree(&tree).unwrap();
    assert!(!tree.exists() && outside.join("precious").exists());
    assert_eq!(fs::metadata(&outside).unwrap().mode() & 0o777, 0o750);
}

#[tokio::test]
async fn the_environment_file_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::own(directory.path(), None, true).await.unwrap();
    let workspace = root.claim(Uuid::from_u128(1)).await.unwrap();
    fs::write(workspace.environment_file(), "A=1\nnonsense\n").unwrap();
    assert_eq!(workspace.read_environment(), [("A".to_owned(), "1".to_owned())]);
    fs::write(workspace.environment_file(), "A=1\n".repeat(300_000)).unwrap();
    assert_eq!(workspace.read_environment(), []);
}
