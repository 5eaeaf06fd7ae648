use super::*;
use crate::artifact::Artifact;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::*, sample::Index};
use serde_json::json;

/// What a component of an address keeps.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The least that an address needs.
const LEAST: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'%');

fn every_byte(secret: &str, upper: bool) -> String {
    secret.bytes().map(|b| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") }).collect()
}

/// The same with small letters in the escapes.
fn lower(encoded: &str) -> String {
    let (first, rest) = encoded.split_once('%').unwrap_or((encoded, ""));
    let escapes = rest.split('%').filter(|part| !part.is_empty());
    let escapes = escapes.map(|part| format!("%{}{}", part[..2].to_ascii_lowercase(), &part[2..]));
    std::iter::once(first.to_owned()).chain(escapes).collect()
}

fn unicode(secret: &str) -> String {
    secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|c| std::str::from_utf8(c).unwrap()).collect();
    lines.join(end)
}

/// Each way to write a secret, and what must not be seen of it. `before` and `after` are what is encoded with it.
fn written(secret: &str, before: &str, after: &str) -> Vec<(String, Vec<String>)> {
    let whole = format!("{before}{secret}{after}");
    let alone = |text: String| (text.clone(), vec![text]);
    let mut all = vec![
        alone(secret.to_owned()),
        alone(secret.bytes().map(|b| format!("{b:02x}")).collect()),
        alone(secret.bytes().map(|b| format!("{b:02X}")).collect()),
        alone(every_byte(secret, true)),
        alone(every_byte(secret, false)),
        alone(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()),
        alone(utf8_percent_encode(secret, COMPONENT).to_string()),
        alone(lower(&utf8_percent_encode(secret, COMPONENT).to_string())),
        alone(utf8_percent_encode(secret, LEAST).to_string()),
        alone(utf8_percent_encode(secret, COMPONENT).to_string().replace("%20", "+")),
        alone(in_json(secret)),
        alone(in_json(&in_json(secret))),
        alone(in_json(secret).replace('/', "\\/")),
        alone(unicode(secret)),
    ];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        let text = engine.encode(&whole);
        // What depends on the secret alone.
        let first = (before.len() * 4).div_ceil(3);
        let last = (before.len() + secret.len()) * 4 / 3;
        let core = text[first..last].to_owned();
        all.push((text.clone(), vec![core.clone()]));
        for (width, end) in [(76, "\n"), (64, "\n"), (76, "\r\n")] {
            let lines = wrapped(&text, width, end);
            // A part of a line is as good as any to know it by.
            let parts = core.as_bytes().chunks(12).filter(|part| part.len() == 12);
            let seen = parts.map(|part| String::from_utf8_lossy(part).into_owned());
            all.push((lines.clone(), seen.filter(|part| lines.contains(part)).collect()));
        }
    }
    all
}

fn through(redactor: &Redactor, text: &str, cuts: &[Index]) -> String {
    let bytes = text.as_bytes();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut stream = redactor.stream();
    let (mut clean, mut done) = (Vec::new(), 0);
    for cut in cuts {
        clean.extend(stream.push(&bytes[done..cut]));
        done = cut;
    }
    clean.extend(stream.push(&bytes[done..]));
    clean.extend(stream.finish());
    String::from_utf8(clean).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_form_of_a_secret_gets_through_however_it_is_split(
        secret in "[A-Za-z0-9/+=%&?\"\\\\ é_.~-]{4,20}[A-Za-z0-9_é\n]{8,120}",
        other in "[A-Z0-9]{6,12}",
        before in "[a-z=: ]{0,90}",
        after in "[a-z=:, ]{0,9}",
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
    ) {
        let secret = secret.trim().to_owned();
        let redactor = Redactor::new([secret.clone(), other]);
        for (text, hidden) in written(&secret, &before, &after) {
            let text = format!("{before}{text}{after}");
            let clean = redactor.text(&text).into_owned();
            for hidden in &hidden {
                prop_assert!(!clean.contains(hidden), "{hidden:?} is seen in {clean:?}, from {text:?}");
            }
            prop_assert!(hidden.is_empty() || clean.contains(MARK));
            prop_assert_eq!(through(&redactor, &text, &cuts), clean, "{:?}", text);
        }
    }
}

proptest! {
    #[test]
    fn what_holds_no_secret_stays_as_it_is(
        secret in "[A-Z]{6,40}",
        text in "[a-zà-ö0-9\n\r\t+=%\\\\\"/ ]{0,300}",
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
    ) {
        let redactor = Redactor::new([secret]);
        prop_assume!(!redactor.text(&text).contains(MARK));
        prop_assert_eq!(redactor.text(&text), text.as_str());
        prop_assert_eq!(through(&redactor, &text, &cuts), text);
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_either(
        secrets in proptest::collection::vec("[ab]{6,9}", 1..4),
        text in "[ab ]{0,80}",
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
    ) {
        let redactor = Redactor::new(secrets.clone());
        let clean = through(&redactor, &text, &cuts);
        prop_assert_eq!(&clean, &redactor.text(&text));
        // A letter stays exactly where no secret covers it.
        let mut covered = vec![false; text.len()];
        for secret in &secrets {
            for start in 0..text.len().saturating_sub(secret.len() - 1) {
                if text[start..].starts_with(secret.as_str()) {
                    covered[start..start + secret.len()].fill(true);
                }
            }
        }
        let left: String = text.chars().zip(&covered).filter(|(_, covered)| !**covered).map(|(c, _)| c).collect();
        prop_assert_eq!(clean.replace(MARK, ""), left);
    }

    #[test]
    fn nothing_breaks_it(
        secrets in proptest::collection::vec(any::<String>(), 0..4),
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..9),
    ) {
        let redactor = Redactor::new(secrets);
        let mut stream = redactor.stream();
        let mut clean: Vec<u8> = chunks.iter().flat_map(|chunk| stream.push(chunk)).collect();
        clean.extend(stream.finish());
        let whole = chunks.concat();
        if redactor.is_empty() {
            prop_assert_eq!(&clean, &whole);
        }
        let _ = redactor.text(&String::from_utf8_lossy(&whole));
    }
}

#[test]
fn a_stream_holds_back_only_what_may_begin_a_secret() {
    let redactor = Redactor::new(["hunter-2-hunter"]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push(b"Compiling x\n"), b"Compiling x\n");
    assert_eq!(stream.push(b"the hunter"), b"the ");
    assert_eq!(stream.push(b"s\n"), b"hunters\n");
    assert_eq!(stream.push(b"100%"), b"100");
    assert_eq!(stream.push(b" of hunter-2-h"), b"% of ");
    assert_eq!(stream.push(b"unter."), b"***.");
    assert_eq!(stream.push(b"hunt"), b"");
    assert!(stream.holds());
    assert_eq!(stream.finish(), b"hunt");
    assert!(!stream.holds());
}

#[test]
fn lines_texts_in_json_and_nothing_common_count_as_secret() {
    let key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7bq\nab\n-----END KEY-----\n";
    let file = json!({ "type": "account", "key": key, "id": "x".repeat(20) }).to_string();
    let redactor = Redactor::new([file.as_str(), "short", "  padded-value \n"]);
    for (text, clean) in [
        ("key: MIIEowIBAAKCAQEA7bq.", "key: ***."),
        ("-----BEGIN KEY-----", "-----BEGIN KEY-----"),
        ("account, short, ab", "account, short, ab"),
        ("xxxxxxxxxxxxxxxxxxxx", "***"),
        ("<padded-value>", "<***>"),
    ] {
        assert_eq!(redactor.text(text), clean);
    }
    assert_eq!(redactor.text(&key.replace("ab\n", "")), "-----BEGIN KEY-----\n***\n-----END KEY-----\n");
}

#[test]
fn the_same_is_taken_out_of_everything() {
    let redactor = Redactor::new(["secret-1", "12345678"]);
    let value = json!({ "a secret-1": ["x", { "b": "secret-1" }, 12_345_678, 1.5, null], "secret-1": true });
    assert_eq!(
        redactor.value(value),
        json!({ "a ***": ["x", { "b": "***" }, "***", 1.5, null], "***": true })
    );
    let error = Error { auth_url: Some("https://h?t=secret-1".into()), ..Error::invalid("not secret-1") };
    let clean = redactor.error(error);
    assert_eq!((clean.detail.as_str(), clean.auth_url.as_deref()), ("not ***", Some("https://h?t=***")));
    let artifact = Artifact::PullRequest { url: "https://h/secret-1".into(), branch: "b".into() };
    for event in [
        json!({ "type": "prompt", "text": "secret-1" }),
        json!({ "type": "text", "text": "secret-1" }),
        json!({ "type": "reasoning", "text": "secret-1" }),
        json!({ "type": "action", "id": "secret-1", "category": "command", "name": "secret-1", "input": { "c": "secret-1" } }),
        json!({ "type": "action_result", "action_id": "secret-1", "category": "command", "name": "n", "state": "failed",
            "output": { "secret-1": "secret-1" } }),
        json!({ "type": "artifact", "artifact": artifact }),
        json!({ "type": "artifact", "artifact": { "artifact_type": "NEW", "x": "secret-1" } }),
        json!({ "type": "usage", "model": "secret-1", "usage": {} }),
        json!({ "type": "state", "state": "failed", "message": "secret-1" }),
        json!({ "type": "output", "stage": "s", "text": "secret-1" }),
        json!({ "type": "stage", "name": "n", "ok": true, "duration_ms": 1, "detail": "secret-1" }),
    ] {
        let parsed: HarnessEvent = serde_json::from_value(event.clone()).unwrap();
        let clean = serde_json::to_value(redactor.event(parsed)).unwrap();
        assert_eq!(clean["type"], event["type"]);
        let clean = clean.to_string();
        assert!(clean.contains(MARK) && !clean.contains("secret-1"), "{clean}");
    }
}

#[test]
fn clones_learn_together_and_show_nothing() {
    let redactor = Redactor::new(["first-value"]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push(b"second-value "), b"second-value ");
    redactor.clone().add(["second-value"]);
    assert_eq!(stream.push(b"second-value first-value."), b"*** ***.");
    assert!(!format!("{redactor:?} {stream:?}").contains("value"));
}

#[test]
fn a_long_secret_is_no_trouble() {
    let secret: String =
        (0..20_000).map(|n: u32| char::from(b'a' + (n.wrapping_mul(n) % 23) as u8)).collect();
    let redactor = Redactor::new([secret.clone()]);
    assert_eq!(redactor.text(&format!("<{}>", STANDARD.encode(&secret))), "<***>");
}
