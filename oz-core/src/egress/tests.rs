use super::*;
use proptest::prelude::*;

#[test]
fn patterns_mean_what_they_say() {
    for (pattern, host, port, covers) in [
        ("crates.io", "crates.io", 443, true),
        ("crates.io", "CRATES.IO.", 443, true),
        ("crates.io", "static.crates.io", 443, false),
        ("crates.io", "xcrates.io", 443, false),
        ("*.github.com", "api.github.com", 443, true),
        ("*.github.com", "a.b.github.com", 443, true),
        ("*.github.com", "github.com", 443, false),
        ("*.github.com", "evilgithub.com", 443, false),
        ("*.github.com", ".github.com", 443, false),
        ("*.github.com", "github.com.evil.org", 443, false),
        ("github.com:443", "github.com", 443, true),
        ("github.com:443", "github.com", 22, false),
        ("127.0.0.1:8080", "127.0.0.1", 8080, true),
        ("127.0.0.1:8080", "127.0.0.1", 8081, false),
        ("10.0.0.1", "::ffff:10.0.0.1", 1, true),
        ("[::1]:80", "[::1]", 80, true),
        ("::1", "0:0:0:0:0:0:0:1", 80, true),
        ("*.0.0.1", "10.0.0.1", 80, false),
    ] {
        assert_eq!(Allowlist::of([pattern]).covers(host, port), covers, "{pattern} {host}:{port}");
    }
    for wrong in [
        "",
        "*",
        "*.",
        "a b",
        "http://x",
        "x/y",
        "x:0",
        "x:70000",
        "x:",
        ":80",
        "[x]",
        "[1.2.3.4]",
        "*.1.2.3.4",
    ] {
        assert_eq!(Pattern::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn an_address_is_named_only_by_itself() {
    let list = Allowlist::of(["internal.example", "10.0.0.5", "localhost:80"]);
    let names = |ip: &str, port| list.names(ip.parse().unwrap(), port);
    assert!(
        names("10.0.0.5", 1) && names("127.0.0.1", 80) && names("::1", 80) && names("::ffff:10.0.0.5", 1)
    );
    assert!(!names("10.0.0.6", 1) && !names("127.0.0.1", 81));
    assert_eq!(list.local().collect::<Vec<_>>(), [("localhost", 80)]);
}

fn pattern() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "(\\*\\.)?(a|b)(\\.(a|b)){0,2}",
        Just("10.0.0.1".to_owned()),
        Just("[::1]".to_owned()),
        Just("localhost".to_owned()),
    ];
    (host, prop_oneof![Just(""), Just(":80"), Just(":443")]).prop_map(|(host, port)| format!("{host}{port}"))
}

proptest! {
    #[test]
    fn the_intersection_is_what_both_cover(
        a in proptest::collection::vec(pattern(), 0..4),
        b in proptest::collection::vec(pattern(), 0..4),
        host in prop_oneof!["(a|b)(\\.(a|b)){0,3}", Just("10.0.0.1".to_owned()), Just("::1".to_owned()), Just("localhost".to_owned())],
        port in prop_oneof![Just(80_u16), Just(443), Just(22)],
    ) {
        let both = Allowlist::of(intersection(&a, &b));
        let expected = Allowlist::of(&a).covers(&host, port) && Allowlist::of(&b).covers(&host, port);
        prop_assert_eq!(both.covers(&host, port), expected, "{:?} {:?}", a, b);
    }

    #[test]
    fn a_pattern_survives_being_written(text in pattern()) {
        let pattern = Pattern::parse(&text).unwrap();
        prop_assert_eq!(Pattern::parse(&pattern.to_string()), Some(pattern));
    }
}
