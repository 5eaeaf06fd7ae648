//! What a run is given, who gets it, and that nobody sees it.

use super::*;
use crate::local::Local;
use oz_core::{
    api::IssueIdentityToken,
    environment::{AwsProvider, GcpProvider, Providers},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _, path::Path};

const SECRET: &str = "s3cr3t canary/+\"value\"";

fn credentials() -> Value {
    json!({
        "secrets": [{ "name": "DEPLOY", "type": "RAW_VALUE", "variables": { "DEPLOY": SECRET } }],
        "git": [],
        "model_endpoints": [{ "config": { "name": "own", "api": "openai-chat", "base_url": "http://h/v1" }, "api_key": "key-canary-1" }],
        "missing": ["GONE"],
    })
}

fn stage<'a>(events: &'a [DriverEvent], wanted: &str) -> Option<(bool, &'a str)> {
    events.iter().find_map(|event| match event {
        DriverEvent::Event { event: HarnessEvent::Stage { name, ok, detail: Some(detail), .. } }
            if name == wanted =>
        {
            Some((*ok, detail.as_str()))
        }
        _ => None,
    })
}

#[tokio::test]
async fn secrets_reach_setup_and_agent_and_nothing_else() {
    let config = AgentConfig {
        setup_commands: vec!["printf %s \"$DEPLOY $PLAIN\" > in-setup; echo \"setup $DEPLOY\"".into()],
        environment_variables: [("PLAIN", "plain"), ("DEPLOY", "shadowed")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .into(),
        ..AgentConfig::default()
    };
    let (room, plane) = (Room::new(), Plane::start("shell", config).await);
    plane.lock().credentials = Some(credentials());
    room.script(
        "printf %s \"$DEPLOY\" > in-agent; echo \"raw $DEPLOY\"; printf %s \"x$DEPLOY\" | base64; printf %s \"$DEPLOY\" | od -An -tx1 | tr -d ' \\n'
         python3 -c 'import os,json,urllib.parse as u; v=os.environ[\"DEPLOY\"]; print(json.dumps(v), u.quote(v), u.quote_plus(v))' 2>&1
         i=0; while [ $i -lt 3 ]; do printf %s \"$DEPLOY\" | cut -c1-$((i+9)); i=$((i+1)); done; echo; env | grep -c TOKEN",
    );
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(fs::read_to_string(room.path("in-setup")).unwrap(), format!("{SECRET} plain"));
    assert_eq!(fs::read_to_string(room.path("in-agent")).unwrap(), SECRET);
    assert_eq!(stage(&events, "setup_secrets"), Some((false, "given: DEPLOY; missing: GONE")));
    let shown = format!("{events:?}");
    assert!(shown.contains("setup ***") && shown.contains("raw ***"), "{shown}");
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    let calls: Vec<Value> = plane.lock().calls.iter().map(|(_, body)| body.clone()).collect();
    for told in [shown, serde_json::to_string(&calls).unwrap()] {
        for form in ["canary/", "canary%2F", "canary\\/", &hex, "czNjcjN0", "MzY3IzdC", "czY3IzdC"] {
            assert!(!told.contains(form), "{form} is in {told}");
        }
    }
}

#[tokio::test]
async fn what_the_model_writes_and_reads_holds_no_secret() {
    let room = Room::new();
    // The model knows the secret here as if it had read it somewhere, and writes it wherever it can.
    let script = r#"
scripts:
  - match: tell
    turns:
      - { text: "it is s3cr3t can", tool_calls: [{ name: run_command, input: { command: "echo 's3cr3t canary/+\"value\"'" } }] }
      - { expect: '^exit_code: 0\n\*\*\*\n$', tool_calls: [{ name: write_file, input: { path: f, content: "s3cr3t canary/+\"value\"" } }, { name: read_files, input: { files: [{ path: f }] } },
                       { name: 's3cr3t canary/+"value"', input: {} },
                       { name: report_artifact, input: { artifact_type: PULL_REQUEST, data: { url: 'https://h/s3cr3t%20canary%2F%2B%22value%22', branch: b } } }] }
      - { expect: '== f\n1\t\*\*\*\n', tool_calls: [{ name: finish, input: { summary: 'the value is s3cr3t canary/+"value"' } }] }
"#;
    fs::write(room.dir.path().join("script.yaml"), script).unwrap();
    let plane = Plane::start("tell s3cr3t canary/+\"value\"", AgentConfig::default()).await;
    plane.lock().credentials = Some(credentials());
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!((finished.state, finished.status.message.as_str()), (RunState::Succeeded, "the value is ***"));
    assert_eq!(fs::read_to_string(room.path("f")).unwrap(), SECRET, "what is written is not changed");
    let shown = format!("{events:?}");
    assert!(shown.contains("it is s3cr3t can"), "the beginning of a secret alone is none");
    let calls: Vec<Value> = plane.lock().calls.iter().map(|(_, body)| body.clone()).collect();
    for told in [shown, serde_json::to_string(&calls).unwrap()] {
        assert!(!told.contains("canary"), "{told}");
    }
    let state = plane.lock();
    assert_eq!(state.calls("report-artifact")[0]["data"]["url"], "https://h/***");
}

#[tokio::test]
async fn an_older_control_plane_and_one_that_is_away_are_told_apart() {
    let (room, plane) = (Room::new(), Plane::start("work", AgentConfig::default()).await);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!((finished.state, stage(&events, "setup_secrets")), (RunState::Succeeded, None));
    assert_eq!(plane.lock().calls("credentials").len(), 1);
    plane.lock().credentials = Some(json!({ "secrets": "canary" }));
    let (finished, _) = drive_all(room.task(&plane)).await;
    assert_eq!(
        (finished.state, finished.status.error_code),
        (RunState::Error, Some(ErrorCode::InternalError))
    );
    assert!(!finished.status.message.contains("canary"), "{}", finished.status.message);
    plane.lock().credentials = Some(credentials());
    let (finished, events) = drive_all(room.local("shell", Some(plane.client()))).await;
    assert_eq!(finished.state, RunState::Succeeded);
    assert!(stage(&events, "setup_secrets").is_some(), "a recorded local run gets secrets, too");
}

fn providers() -> AgentConfig {
    let providers = Providers {
        aws: Some(AwsProvider { role_arn: "arn:aws:iam::1:role/r".into() }),
        gcp: Some(GcpProvider {
            project_number: "1".into(),
            workload_identity_federation_pool_id: "p".into(),
            workload_identity_federation_provider_id: "q".into(),
            service_account_email: None,
        }),
    };
    let setup = "cp $AWS_WEB_IDENTITY_TOKEN_FILE token; cp $GOOGLE_APPLICATION_CREDENTIALS gcp; env > vars
                 stat -c %a $AWS_WEB_IDENTITY_TOKEN_FILE > mode; cat token
                 n=0; while cmp -s token $AWS_WEB_IDENTITY_TOKEN_FILE && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
                 cp $AWS_WEB_IDENTITY_TOKEN_FILE renewed";
    AgentConfig { providers: Some(providers), setup_commands: vec![setup.into()], ..AgentConfig::default() }
}

#[tokio::test]
async fn cloud_providers_find_what_they_need_and_tokens_are_renewed() {
    let (room, plane) = (Room::new(), Plane::start("shell", providers()).await);
    plane.lock().identity = Some(3);
    room.script("true");
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(
        stage(&events, "setup_cloud_provider_setup"),
        Some((true, "AWS as arn:aws:iam::1:role/r, Google Cloud by p"))
    );
    let read = |name: &str| fs::read_to_string(room.path(name)).unwrap();
    assert_eq!(
        (read("token").as_str(), read("renewed").as_str()),
        ("identity-1-canary", "identity-2-canary")
    );
    assert_eq!(read("mode"), "600\n");
    assert!(read("gcp").contains("federate issue-gcp-token --run-id"));
    let vars: BTreeMap<String, String> = read("vars")
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    assert_eq!(vars["AWS_ROLE_ARN"], "arn:aws:iam::1:role/r");
    assert_eq!(vars["AWS_ROLE_SESSION_NAME"], format!("oz-{}", Plane::run_id()));
    assert_eq!(vars["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"], vars["GOOGLE_APPLICATION_CREDENTIALS"]);
    assert_eq!(vars["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"], "1");
    assert!(!Path::new(&vars["AWS_WEB_IDENTITY_TOKEN_FILE"]).parent().unwrap().exists());
    assert!(!format!("{events:?}").contains("canary"), "{events:?}");
    let state = plane.lock();
    let request = state.calls("identity-token")[0];
    assert_eq!(
        (&request["audience"], &request["subject_template"]),
        (&json!("sts.amazonaws.com"), &json!(["scoped_principal"]))
    );
}

#[tokio::test]
async fn without_identity_tokens_the_run_says_so() {
    let (room, plane) = (Room::new(), Plane::start("shell", providers()).await);
    let (finished, _) = drive_all(room.task(&plane)).await;
    assert_eq!(
        (finished.state, finished.status.error_code),
        (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed))
    );
    assert!(finished.status.message.contains("issues no identity tokens"), "{}", finished.status.message);
}

#[tokio::test]
async fn commands_get_identity_tokens_from_the_driver() {
    let config = AgentConfig {
        setup_commands: vec!["echo $OZ_GIT_SOCKET > ../at; sleep 60".into()],
        ..AgentConfig::default()
    };
    let (room, plane) = (Room::new(), Plane::start("shell", config).await);
    plane.lock().identity = Some(600);
    let cancel = CancellationToken::new();
    let asking = async {
        let at = room.dir.path().join("at");
        while !fs::read_to_string(&at).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let socket = fs::read_to_string(&at).unwrap().trim().to_owned();
        assert_eq!(Path::new(&socket).parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        let local = Local::of(|name| (name == "OZ_GIT_SOCKET").then(|| socket.clone())).unwrap();
        let request = |audience: &str| IssueIdentityToken {
            audience: audience.into(),
            ..IssueIdentityToken::default()
        };
        let token = local.identity_token(&request("me")).await.unwrap();
        assert_eq!((token.token.as_str(), token.issuer.as_str()), ("identity-1-canary", "https://oz"));
        let error = local.identity_token(&request("")).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert!(error.detail.contains("audience"), "{error}");
        plane.lock().identity = None;
        let error = local.identity_token(&request("me")).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::OperationNotSupported);
        assert_eq!(local.answer_git("get", "protocol=https\nhost=github.com\n").await.unwrap(), "");
        assert_eq!(local.answer_git("store", "protocol=https\nhost=github.com\n").await.unwrap(), "");
        cancel.cancel();
        local
    };
    let mut observer = |_| {};
    let (local, finished) = tokio::join!(asking, drive(room.task(&plane), &mut observer, cancel.clone()));
    assert_eq!(finished.state, RunState::Cancelled);
    let error = local.answer_git("get", "protocol=https\nhost=h\n").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ResourceUnavailable);
    assert_eq!(plane.lock().calls("identity-token")[0]["audience"], "me");
}
