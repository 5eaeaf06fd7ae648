use super::*;
use crate::{principal::PrincipalType, run::RunSource};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn refs(names: &[&str]) -> Vec<SecretRef> {
    names.iter().map(|n| SecretRef { name: (*n).to_owned() }).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn who_has_a_person_behind_it() {
    for (source, creator, expected) in [
        (RunSource::Cli, PrincipalType::User, true),
        (RunSource::Api, PrincipalType::User, true),
        (RunSource::Slack, PrincipalType::User, true),
        (RunSource::Linear, PrincipalType::User, true),
        (RunSource::ScheduledAgent, PrincipalType::User, false),
        (RunSource::Api, PrincipalType::ServiceAccount, false),
        (RunSource::ScheduledAgent, PrincipalType::ServiceAccount, false),
    ] {
        assert_eq!(has_user_context(Some(&source), &creator), expected, "{source} {creator}");
    }
}

/// Lists of run and environment, what the agent adds, and what is named; then what is injected, missing and reserved.
#[test]
fn a_table_of_lists() {
    let in_scope = set(&["A", "B", "C"]);
    type Row<'a> = (
        Option<&'a [&'a str]>,
        Option<&'a [&'a str]>,
        &'a [&'a str],
        &'a [&'a str],
        &'a [&'a str],
        &'a [&'a str],
        &'a [&'a str],
    );
    let rows: &[Row<'_>] = &[
        (None, None, &[], &[], &["A", "B", "C"], &[], &[]),
        (None, None, &["X"], &[], &["A", "B", "C"], &["X"], &[]),
        (None, Some(&["A"]), &[], &[], &["A"], &[], &[]),
        (None, Some(&["A", "X"]), &[], &[], &["A"], &["X"], &[]),
        (None, Some(&[]), &[], &[], &[], &[], &[]),
        (None, Some(&["A"]), &["B"], &[], &["A", "B"], &[], &[]),
        (Some(&["B"]), Some(&["A"]), &["C"], &[], &["B"], &[], &[]),
        (Some(&["B", "X"]), None, &[], &[], &["B"], &["X"], &[]),
        (Some(&[]), None, &["A"], &[], &[], &[], &[]),
        (Some(&[]), Some(&["A"]), &[], &["C"], &[], &[], &["C"]),
        (None, None, &[], &["C", "Y"], &["A", "B", "C"], &["Y"], &[]),
    ];
    for (run, environment, agent, named, injected, missing, reserved) in rows {
        let (run, environment) = (run.map(refs), environment.map(refs));
        let (agent, named): (Vec<_>, Vec<String>) =
            (refs(agent), named.iter().map(|n| (*n).to_owned()).collect());
        let grant = Grant {
            in_scope: &in_scope,
            run: run.as_deref(),
            environment: environment.as_deref(),
            agent: &agent,
            named: &named,
        };
        let expected = Granted { injected: set(injected), missing: set(missing), reserved: set(reserved) };
        assert_eq!(grant.decide(), expected, "{grant:?}");
    }
}

#[test]
fn each_kind_becomes_what_its_programs_expect() {
    for (kind, value, expected) in [
        ("RAW_VALUE", "v\n", &["N=v\n"][..]),
        ("ANTHROPIC_API_KEY", r#"{"api_key":"k"}"#, &["ANTHROPIC_API_KEY=k"]),
        ("OPENAI_API_KEY", r#"{"api_key":"k"}"#, &["OPENAI_API_KEY=k"]),
        ("OPENAI_API_KEY", r#"{"api_key":"k","base_url":"u"}"#, &["OPENAI_API_KEY=k", "OPENAI_BASE_URL=u"]),
        (
            "ANTHROPIC_BEDROCK_API_KEY",
            r#"{"aws_bearer_token_bedrock":"k","aws_region":"r"}"#,
            &["AWS_BEARER_TOKEN_BEDROCK=k", "AWS_REGION=r", "CLAUDE_CODE_USE_BEDROCK=1"],
        ),
        (
            "ANTHROPIC_BEDROCK_ACCESS_KEY",
            r#"{"aws_access_key_id":"i","aws_secret_access_key":"s","aws_region":"r"}"#,
            &["AWS_ACCESS_KEY_ID=i", "AWS_REGION=r", "AWS_SECRET_ACCESS_KEY=s", "CLAUDE_CODE_USE_BEDROCK=1"],
        ),
        ("DOTENVX", "A=1\n# no\nB='two words'\n", &["A=1", "B=two words"]),
    ] {
        let got = variables("N", &SecretKind::from(kind), value).unwrap();
        let got: Vec<String> = got.into_iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(got, expected, "{kind}");
    }
}

#[test]
fn what_is_wrong_with_a_value_is_told_without_the_value() {
    for (kind, value) in [
        ("ANTHROPIC_API_KEY", "hunter2"),
        ("ANTHROPIC_API_KEY", r#"{"api_key":"hunter2","hunter2":1}"#),
        ("DOTENVX", "hunter2"),
        ("DOTENVX", "PATH=hunter2"),
        ("RAW_VALUE", "hunter2\0"),
        ("NEW_KIND", "hunter2"),
        ("RAW_VALUE", ""),
    ] {
        let error = variables("N", &SecretKind::from(kind), value).unwrap_err();
        assert!(error.detail.contains("'N'") && !error.detail.contains("hunter2"), "{}", error.detail);
    }
}

#[test]
fn names_are_those_of_variables() {
    let raw = SecretKind::RawValue;
    for name in ["A", "_x9", "METABASE_API_KEY"] {
        assert!(check_name("name", name, &raw).is_ok(), "{name}");
    }
    for name in ["", "9A", "a-b", "a b", "PATH", "OZ_RUN_ID", "ü"] {
        assert!(check_name("name", name, &raw).is_err(), "{name}");
    }
    assert!(check_name("name", "claude-key", &SecretKind::AnthropicApiKey).is_ok());
}

#[test]
fn placeholders_are_found() {
    let found = |text| placeholders(text).collect::<Vec<_>>();
    assert_eq!(found("Bearer {{TOKEN}} {{ B }}{{}} {{a b}} {{C"), ["TOKEN", "B"]);
}

proptest! {
    #[test]
    fn nothing_out_of_scope_is_ever_given(
        in_scope in proptest::collection::btree_set("[A-E]", 0..5),
        run in proptest::option::of(proptest::collection::btree_set("[A-G]", 0..5)),
        environment in proptest::option::of(proptest::collection::btree_set("[A-G]", 0..5)),
        agent in proptest::collection::btree_set("[A-G]", 0..5),
    ) {
        let list = |names: &BTreeSet<String>| names.iter().map(|n| SecretRef { name: n.clone() }).collect::<Vec<_>>();
        let (run_list, environment_list, agent_list) =
            (run.as_ref().map(list), environment.as_ref().map(list), list(&agent));
        let granted = Grant {
            in_scope: &in_scope,
            run: run_list.as_deref(),
            environment: environment_list.as_deref(),
            agent: &agent_list,
            named: &[],
        }
        .decide();
        prop_assert!(granted.injected.is_subset(&in_scope));
        prop_assert!(granted.missing.is_disjoint(&in_scope));
        if let Some(run) = run {
            prop_assert!(granted.injected.is_subset(&run));
        }
    }

    #[test]
    fn no_value_makes_it_panic(kind in proptest::sample::select(SecretKind::KNOWN), value in ".{0,60}") {
        let _ = variables("N", &SecretKind::from(kind), &value);
    }
}
