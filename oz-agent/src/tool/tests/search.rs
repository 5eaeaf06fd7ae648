use super::*;

#[tokio::test]
async fn lines_are_shown_with_what_is_around_them() {
    let text = "a\nb\nhit 1\nc\nd\ne\nf\nhit 2\r\ng\n";
    let room = Room::new(&[("x.rs", text), ("y.py", "HIT\n"), ("z.txt", "hit\n")]);
    let grep = |input: Value| room.ok("grep", input);
    let done = grep(json!({ "queries": ["^hit \\d$"], "context": 1 })).await;
    assert_eq!(done.content, "x.rs-2-b\nx.rs:3:hit 1\nx.rs-4-c\n--\nx.rs-7-f\nx.rs:8:hit 2\nx.rs-9-g\n");
    assert_eq!(done.output["files"], json!([{ "path": "x.rs", "lines": [3, 8] }]));
    let done = grep(json!({ "queries": ["hit"], "ignore_case": true, "types": ["py", "rust"] })).await;
    assert_eq!(done.content, "x.rs:3:hit 1\nx.rs:8:hit 2\ny.py:1:HIT\n");
    let done = grep(json!({ "queries": ["hit"], "include": ["!*.rs"] })).await;
    assert_eq!(done.content, "z.txt:1:hit\n");
    let done = grep(json!({ "queries": ["hit"], "limit": 1 })).await;
    assert_eq!(done.content, "x.rs:3:hit 1\n[… there is more; ask for less …]\n");
    let done = grep(json!({ "queries": ["b\\s*hit", "c$"], "path": "x.rs" })).await;
    assert_eq!(done.content, "x.rs:4:c\n", "no match is longer than its line");
    for (input, expected) in [
        (json!({ "queries": ["fine", "(un[closed"] }), "'(un[closed' is not a regular expression"),
        (json!({ "queries": ["a\\nb"] }), "for single lines"),
        (json!({ "queries": [] }), "queries: it is empty"),
        (json!({ "queries": ["x"], "types": ["rst2"] }), "there is no type 'rst2'"),
        (json!({ "queries": ["x"], "include": ["a{"] }), "'a{' is not a pattern"),
    ] {
        let message = room.fails("grep", input).await;
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_passed_over() {
    let late = format!("{}hit\n{}\0\nhit\n", "x\n".repeat(50), "y\n".repeat(200_000));
    let room =
        Room::new(&[("bin", "hit\0\n"), ("late", &late), ("text", &format!("hit {}\n", "z".repeat(5000)))]);
    let done = room.ok("grep", json!({ "queries": ["hit"] })).await;
    assert!(
        done.content.starts_with("text:1:hit zzz") && done.content.ends_with("z[…]\n"),
        "{}",
        done.content
    );
    assert!(done.content.len() < 400);
    assert_eq!(done.output["files"], json!([{ "path": "text", "lines": [1] }]));
}

#[tokio::test]
async fn a_large_tree_is_searched_to_the_limit() {
    let room = Room::new(&[]);
    let root = room.desk.workspace.root();
    for n in 0..300 {
        fs::write(root.join(format!("{n:03}")), "hit\n".repeat(3)).unwrap();
    }
    let done = room.ok("grep", json!({ "queries": ["hit"], "context": 2 })).await;
    assert_eq!(done.content.matches(":hit").count(), 200);
    assert!(done.content.ends_with("there is more; ask for less …]\n"), "{}", done.content);
}
