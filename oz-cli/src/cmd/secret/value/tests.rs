use super::*;
use std::io::Write as _;

fn part(flag: &'static str, given: Option<&str>) -> Part {
    Part { flag, label: flag, hidden: true, optional: flag == "--c", given: given.map(str::to_owned) }
}

fn collected(given: [Option<&str>; 3], answers: Option<&[&str]>) -> Result<Option<String>, String> {
    let parts = Parts {
        parts: ["--a", "--b", "--c"].into_iter().zip(given).map(|(flag, given)| part(flag, given)).collect(),
        join: |parts| Ok(parts.join("|")),
        instead: "or a file",
    };
    let mut answers = answers.map(|answers| answers.iter());
    let asked = match &mut answers {
        Some(answers) => parts.collect(Some(&mut |_| Ok(answers.next().map(|answer| (*answer).to_owned())))),
        None => parts.collect(None),
    };
    asked.map_err(|e| e.to_string())
}

#[test]
fn parts_are_asked_for_where_they_are_not_given() {
    assert_eq!(collected([None, Some("b"), None], Some(&["x", "z"])), Ok(Some("x|b|z".into())));
    assert_eq!(collected([None; 3], Some(&["x", "y", ""])), Ok(Some("x|y|".into())));
    // An empty answer, and none at all, call it off.
    assert_eq!(collected([None; 3], Some(&["x", ""])), Ok(None));
    assert_eq!(collected([None; 3], Some(&["x", "y"])), Ok(None));
    assert_eq!(collected([Some("a"), Some("b"), None], None), Ok(Some("a|b|".into())));
    assert_eq!(
        collected([None; 3], None),
        Err("Error: --a, --b must be given where nobody can be asked\n=> or a file".into())
    );
}

#[test]
fn a_file_is_taken_as_it_is() {
    let read = |bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let path = file.path().to_owned();
        Input::File(path.clone()).read().map_err(|e| e.to_string().replace(path.to_str().unwrap(), "FILE"))
    };
    assert_eq!(read(" a\r\nb\n".as_bytes()), Ok(Some(" a\r\nb\n".into())));
    assert_eq!(read(b""), Ok(None));
    let binary =
        "Error: the value file 'FILE' is not UTF-8 text (at byte 2); encode it, for example with base64";
    assert_eq!(read(b"ok\xff\xfe"), Err(binary.into()));
    let error = Input::File("-".into()).read().unwrap_err().to_string();
    assert!(error.starts_with("Error: the value file '-' can't be read: "), "{error}");
}

#[test]
fn a_plain_key_becomes_the_json_of_its_type() {
    let of = |kind: &str, text: &str, url: Option<&str>| {
        super::of(&SecretKind::from(kind), text.to_owned(), url.map(str::to_owned)).unwrap()
    };
    assert_eq!(of("raw-value", "x\n", None), "x\n");
    assert_eq!(of("dotenv", "A=b", None), "A=b");
    assert_eq!(of("anthropic-api-key", "sk-\"1\"", None), r#"{"api_key":"sk-\"1\""}"#);
    assert_eq!(of("anthropic-api-key", r#"{"api_key": "k"}"#, None), r#"{"api_key": "k"}"#);
    assert_eq!(of("openai-api-key", "k", None), r#"{"api_key":"k"}"#);
    assert_eq!(of("openai-api-key", "k", Some("http://x")), r#"{"api_key":"k","base_url":"http://x"}"#);
    let json = r#"{"api_key":"k","base_url":"http://old"}"#;
    assert_eq!(of("openai-api-key", json, Some("http://x")), r#"{"api_key":"k","base_url":"http://x"}"#);
    assert_eq!(of("raw-value", json, None), json);
}

#[test]
fn owners_are_warned_but_never_shown_the_value() {
    let warned = |kind: &str, value: &str| {
        warnings("TOKEN", &SecretKind::from(kind), value).map(|w| w.join("\n")).map_err(|e| e.to_string())
    };
    assert_eq!(warned("raw-value", "long enough").unwrap(), "");
    insta::assert_snapshot!(warned("raw-value", "abcd\n").unwrap(), @"
    Warning: shorter than 6 bytes, and so not hidden where a run prints it: TOKEN
    Warning: the value ends with a newline, which stays a part of it.
    ");
    insta::assert_snapshot!(warned("dotenv", "DEBUG=1\nKEY=long enough\nPORT=80\n").unwrap(), @"Warning: shorter than 6 bytes, and so not hidden where a run prints it: DEBUG, PORT");
    let bedrock = r#"{"aws_bearer_token_bedrock":"long enough","aws_region":"us"}"#;
    assert_eq!(warned("anthropic-bedrock-api-key", bedrock).unwrap(), "");
    insta::assert_snapshot!(warned("anthropic-api-key", r#"{"api_key":"long enough\n"}"#).unwrap(), @"Warning: the value ends with a newline, which stays a part of it.");
    let error = warned("anthropic-bedrock-api-key", "hunter2").unwrap_err();
    assert!(error.contains("the JSON of its type") && !error.contains("hunter2"), "{error}");
}
