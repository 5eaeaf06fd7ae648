use super::*;
use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
};

#[tokio::test]
async fn pictures_are_shown_and_nothing_too_large_is() {
    let room = Room::new(&[("a.txt", "text\n")]);
    let root = room.desk.workspace.root().to_owned();
    let png = b"\x89PNG\r\n\x1a\n\0\0rest";
    fs::write(root.join("p.png"), png).unwrap();
    fs::write(root.join("named.txt"), b"GIF89a\0").unwrap();
    File::options()
        .create_new(true)
        .write(true)
        .open(root.join("huge.jpg"))
        .unwrap()
        .write_all(b"\xff\xd8\xff")
        .unwrap();
    File::options().write(true).open(root.join("huge.jpg")).unwrap().set_len((5 << 20) + 1).unwrap();
    let files = json!({ "files": [{ "path": "p.png" }, { "path": "a.txt" }, { "path": "named.txt" }, { "path": "huge.jpg" }] });
    let done = room.ok("read_files", files).await;
    assert_eq!(
        done.content,
        "== p.png\n[a picture: image/png]\n== a.txt\n1\ttext\n== named.txt\n[a picture: image/gif]\n\
         == huge.jpg\nfailed: the picture is larger than 5 MiB; make a smaller one of it\n"
    );
    assert_eq!(done.images.len(), 2);
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    assert_eq!(STANDARD.decode(&done.images[0].data).unwrap(), png);
    assert!(
        !Value::Object(done.output).to_string().contains(&done.images[0].data),
        "a transcript is no place for it"
    );
    for n in 0..6 {
        fs::write(root.join(format!("{n}.png")), png).unwrap();
    }
    let files: Vec<_> = (0..6).map(|n| json!({ "path": format!("{n}.png") })).collect();
    let done = room.ok("read_files", json!({ "files": files })).await;
    assert_eq!((done.images.len(), done.output["failed_files"][0]["path"].as_str()), (5, Some("5.png")));
}

#[tokio::test]
async fn of_a_gigabyte_only_what_is_shown_is_kept() {
    let room = Room::new(&[]);
    let path = room.desk.workspace.root().join("huge");
    let mut file = File::create(&path).unwrap();
    // A line of a gigabyte, which takes no place on disk, between short ones.
    writeln!(file, "first").unwrap();
    file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    file.seek(SeekFrom::Start(1 << 30)).unwrap();
    writeln!(file, "\nsecond to last\nlast").unwrap();
    drop(file);
    let read = |start: u64, end: u64| json!({ "files": [{ "path": "huge", "lines": [{ "start": start, "end": end }] }] });
    let done = room.ok("read_files", read(1, 2)).await;
    assert!(done.content.len() < 3000 && done.content.contains("1\tfirst\n2\txxx"), "{}", done.content.len());
    let done = room.ok("read_files", read(3, 9)).await;
    assert_eq!(done.content, "== huge\n3\tsecond to last\n4\tlast\n");
    let done = room.ok("read_files", read(7, 9)).await;
    assert_eq!(done.content, "== huge\n[there are no such lines; the file has 4]\n");
    let peak = fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
    let kilobytes: u64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!(kilobytes < 700 << 10, "{peak}");
}

#[tokio::test]
async fn changes_at_the_same_time_all_stay() {
    let text: String = (0..40).map(|n| format!("line {n};\n")).collect();
    let room = Room::new(&[("a", &text)]);
    let edits = (0..40).map(|n| {
        let edit = json!({ "path": "a", "old": format!("line {n};"), "new": format!("LINE {n};") });
        room.ok("edit_files", json!({ "edits": [edit] }))
    });
    futures_util::future::join_all(edits).await;
    assert_eq!(room.read("a"), text.replace("line", "LINE"));
}

#[tokio::test]
async fn a_lenient_edit_says_that_it_was_one() {
    let room = Room::new(&[("a.py", "def f():\n    if x:\n        return 1\n")]);
    let edit = json!({ "path": "a.py", "old": "if x:\n    return 1", "new": "if y:\n    return 2" });
    let done = room.ok("edit_files", json!({ "edits": [edit] })).await;
    assert_eq!(room.read("a.py"), "def f():\n    if y:\n        return 2\n");
    assert!(
        done.content.starts_with("[a.py: the place was found ignoring indentation; see"),
        "{}",
        done.content
    );
    assert!(!done.output["diff"].as_str().unwrap().contains("ignoring"));
}
