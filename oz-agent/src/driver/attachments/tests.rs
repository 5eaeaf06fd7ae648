use super::*;
use proptest::prelude::*;

fn attachment(filename: &str) -> Attachment {
    Attachment {
        attachment_id: "a".into(),
        filename: filename.into(),
        download_url: "http://127.0.0.1:9/x".into(),
        mime_type: None,
    }
}

#[test]
fn names_are_safe_and_unique() {
    let files =
        ["a.txt", "a.txt", "A.TXT", "a-2.txt", "../../etc/passwd", "c:\\x\\y.md", "..", "", ".part", ".env"];
    let files = files.map(attachment);
    assert_eq!(
        names(&files),
        [
            "a.txt",
            "a-2.txt",
            "A-3.TXT",
            "a-2-2.txt",
            "passwd",
            "y.md",
            "attachment",
            "attachment-2",
            "attachment-3",
            ".env",
        ]
    );
    let long = safe(&format!("{}.png", "ä".repeat(300)));
    assert!(long.len() <= NAME && long.ends_with("ä.png"), "{long}");
}

#[tokio::test]
async fn git_does_not_see_the_directory_and_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    hide_from_git(dir.path()).await.unwrap();
    assert!(!dir.path().join(".git").exists());
    let exclude = dir.path().join(".git/info/exclude");
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    hide_from_git(dir.path()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&exclude).unwrap(), "/.warp/attachments/\n");
    std::fs::write(&exclude, "x").unwrap();
    for _ in 0..2 {
        hide_from_git(dir.path()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&exclude).unwrap(), "x\n/.warp/attachments/\n");
    }
}

#[tokio::test]
async fn a_repository_can_t_lead_files_out_and_a_server_that_stays_away_fails_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("w");
    std::fs::create_dir(&root).unwrap();
    let client = Client::new("http://127.0.0.1:9", None).unwrap();
    let files = [attachment("note.txt")];
    let problem = fetch(&client, &files, &root, Duration::ZERO).await.unwrap_err();
    assert!(
        problem.contains("'note.txt' could not be fetched") && problem.contains("127.0.0.1:9"),
        "{problem}"
    );
    std::fs::remove_dir_all(root.join(".warp")).unwrap();
    std::os::unix::fs::symlink("..", root.join(".warp")).unwrap();
    let problem = fetch(&client, &files, &root, Duration::ZERO).await.unwrap_err();
    assert!(problem.contains("outside of the workspace"), "{problem}");
    assert!(!dir.path().join("attachments").exists());
}

proptest! {
    #[test]
    fn every_name_is_one_component(names in proptest::collection::vec("\\PC*|[./\\\\a\\x00-\\x1f]{0,6}|[a-zä]{190,300}", 1..6)) {
        let files: Vec<Attachment> = names.iter().map(|name| attachment(name)).collect();
        let made = super::names(&files);
        for name in &made {
            let mut parts = Path::new(name).components();
            prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(part)) if part == name.as_str()));
            prop_assert!(parts.next().is_none() && name.len() < 255);
        }
        prop_assert_eq!(made.iter().collect::<std::collections::HashSet<_>>().len(), files.len());
    }
}
