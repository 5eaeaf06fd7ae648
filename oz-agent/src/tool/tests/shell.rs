use super::*;

fn run(command: &str) -> Value {
    json!({ "command": command })
}

#[tokio::test]
async fn commands_report_their_exit_code_and_output() {
    let room = Room::new(&[]);
    let done = room.ok("run_command", json!({ "command": "pwd; exit 3" })).await;
    let root = room.desk.workspace.root().to_string_lossy().into_owned();
    assert_eq!(done.content, format!("exit_code: 3\n{root}\n"));
    assert_eq!(
        Value::Object(done.output),
        json!({ "status": "complete", "exit_code": 3, "output": format!("{root}\n") })
    );
    let late =
        room.call("run_command", json!({ "command": "echo begun; sleep 60", "timeout_seconds": 1 })).await;
    let late = late.unwrap_err();
    assert!(late.message.contains("within 1 s") && late.message.contains("begun"), "{}", late.message);
    assert_eq!(late.output["error"], "killed after 1 s");
}

#[tokio::test]
async fn the_directory_and_exported_variables_stay_for_the_next_command() {
    let room = Room::new(&[("sub/deep/x", "")]);
    let done = room.ok("run_command", run("cd sub && export A='1\n2' B=b; C=c; unset HOME")).await;
    assert_eq!(done.content, "exit_code: 0\ndirectory: sub\n");
    let done =
        room.ok("run_command", run("pwd | sed 's|.*/w/||'; echo \"$A $B $C ${HOME-none}\"; cd deep")).await;
    assert_eq!(done.output["output"], "sub\n1\n2 b  none\n");
    let done = room.ok("run_command", run("ls; cd -; false")).await;
    assert!(done.content.starts_with("exit_code: 1\ndirectory: sub\nx\n"), "{}", done.content);
    fs::remove_dir_all(room.desk.workspace.root().join("sub")).unwrap();
    let done = room.ok("run_command", run("pwd")).await;
    assert!(done.content.contains("the directory 'sub' is gone"), "{}", done.content);
}

#[tokio::test]
async fn what_a_command_does_to_its_shell_does_not_confuse_the_next() {
    let room = Room::new(&[]);
    for (command, code) in [
        ("cd /tmp; exec true", 0),
        ("set -euo pipefail; cd /; false; echo no", 1),
        ("trap 'echo mine' EXIT; cd /tmp; exit 4", 4),
        ("echo 'unclosed", 2),
        ("if true; then", 2),
        ("kill -9 $$", 137),
        ("exit 300", 44),
        ("cat", 0),
        ("printf 'cd /\\0A=1\\0'; exec >/dev/null 2>&1", 0),
        ("env() { echo broken; }; printf() { :; }; export PATH=/nowhere", 0),
    ] {
        let done = room.ok("run_command", run(command)).await;
        let got = done.output["exit_code"].as_i64().unwrap();
        assert!(got == code || (code == 2 && got == 1), "{command}: {}", done.content);
    }
    // The last directory that a shell left by itself, and the last value of a variable.
    let done = room.ok("run_command", run("pwd; echo $PATH")).await;
    assert_eq!(done.output["output"], "/\n/nowhere\n", "{}", done.content);
    let left: Vec<_> = fs::read_dir(room.desk.jobs.directory()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn commands_at_the_same_time_keep_what_each_of_them_changed() {
    let room = Room::new(&[("one/x", ""), ("two/x", "")]);
    let (a, b, c) = tokio::join!(
        room.ok("run_command", run("export A=1; cd one; sleep 0.3; ls | wc -l")),
        room.ok("run_command", run("export B=2; sleep 0.6; basename $(pwd)")),
        room.ok("run_command", run("sleep 0.1; echo $A$B")),
    );
    let texts = [&a, &b, &c].map(|done| done.output["output"].as_str().unwrap().trim());
    assert_eq!(texts, ["1", "w", ""]);
    let done = room.ok("run_command", run("basename $(pwd); echo $A$B")).await;
    assert_eq!(done.output["output"], "one\n12\n");
}

#[tokio::test]
async fn of_a_hundred_megabytes_the_ends_are_shown_and_the_rest_is_on_disk() {
    let mut room = Room::new(&[]);
    room.desk.redactor = Redactor::default();
    let command = "echo begin; yes 0123456789012345678901234567890123456789012345678 | head -n 2000000; echo end; seq 5";
    let done = room.ok("run_command", run(command)).await;
    assert!(done.content.len() < 32 << 10, "{}", done.content.len());
    assert!(done.content.contains("begin\n0123") && done.content.ends_with("end\n1\n2\n3\n4\n5\n"));
    assert!(done.output["dropped_bytes"].as_u64().unwrap() > 99_000_000);
    let (_, path) = done.content.split_once("whole output: ").unwrap();
    let path = path.split_once(" (").unwrap().0;
    assert_eq!(fs::metadata(path).unwrap().len(), 100_000_000 + "begin\nend\n1\n2\n3\n4\n5\n".len() as u64);
    let lines = json!([{ "start": 2_000_001, "end": 2_000_003 }]);
    let done = room.ok("read_files", json!({ "files": [{ "path": path, "lines": lines }] })).await;
    assert!(done.content.ends_with("678\n2000002\tend\n2000003\t1\n"), "{}", done.content);
    let done = room.ok("grep", json!({ "queries": ["^(begin|end)$"], "path": path })).await;
    assert!(
        done.content.contains(":1:begin\n") && done.content.contains(":2000002:end\n"),
        "{}",
        done.content
    );
    let message = room.fails("write_file", json!({ "path": path, "content": "" })).await;
    assert!(message.contains("outside of the workspace"), "{message}");
}

#[tokio::test]
async fn a_secret_is_set_only_for_commands_that_name_it() {
    let room = Room::new(&[]);
    let with = |command: &str| json!({ "command": command, "secrets": ["DEPLOY_KEY"] });
    let done = room.ok("run_command", with("echo ${#DEPLOY_KEY} $DEPLOY_KEY; export OTHER=1")).await;
    assert_eq!(done.output["output"], "17 ***\n");
    let done = room.ok("run_command", run("echo ${DEPLOY_KEY-none} $OTHER")).await;
    assert_eq!(done.output["output"], "none 1\n");
    let message = room.fails("run_command", json!({ "command": "true", "secrets": ["OTHER"] })).await;
    assert_eq!(message, "secrets: there is no secret 'OTHER'; there are: DEPLOY_KEY");
    let offer = |secrets: &[&str]| {
        let offer = Offer { secrets: secrets.iter().map(ToString::to_string).collect(), ..Offer::default() };
        Toolbox::new(&offer, []).find("run_command").unwrap().schema()["properties"]["secrets"].clone()
    };
    assert_eq!(offer(&[]), Value::Null);
    assert_eq!(offer(&["A", "B"])["items"]["enum"], json!(["A", "B"]));
}

#[tokio::test]
async fn a_command_is_not_too_long_for_the_kernel() {
    let room = Room::new(&[]);
    let message = room.fails("run_command", run(&format!("echo {}", "x".repeat(200_000)))).await;
    assert!(message.contains("longer than 102400 bytes") && message.contains("write_file"), "{message}");
}

#[tokio::test]
async fn no_secret_is_in_the_file_with_the_whole_output() {
    let room = Room::new(&[("secret", SECRET)]);
    let done = room.ok("run_command", run("seq 20000; cat secret; seq 20000")).await;
    let (_, path) = done.content.split_once("whole output: ").unwrap();
    let text = fs::read_to_string(path.split_once(" (").unwrap().0).unwrap();
    assert!(text.contains("\n20000\n***1\n2\n") && text.ends_with("\n20000\n") && !text.contains("canary"));
}
