use super::*;
use oz_core::{
    api::{RunCredentials, RunSecret},
    secret::SecretKind,
};

fn keys(secrets: &[(&str, SecretKind, &str)]) -> Keys {
    let reserved = secrets.iter().map(|(name, kind, value)| RunSecret {
        name: (*name).into(),
        kind: kind.clone(),
        variables: oz_core::secret::variables(name, kind, value).unwrap(),
    });
    let credentials = RunCredentials { reserved: reserved.collect(), ..RunCredentials::default() };
    Keys::new(credentials, &mut AgentConfig::default())
}

async fn ready(server: serde_json::Value, keys: &Keys) -> Result<Ready, End> {
    let server: McpServerConfig = serde_json::from_value(server).unwrap();
    let config = AgentConfig { mcp_servers: [("s".to_owned(), server)].into(), ..AgentConfig::default() };
    servers(&config, keys, None, &Redactor::default()).await
}

#[tokio::test]
async fn secrets_and_variables_are_filled_in() {
    let keys = keys(&[("A", SecretKind::RawValue, "secret-a"), ("B", SecretKind::RawValue, "{{A}}-b")]);
    let server = serde_json::json!({ "command": "x", "args": ["--key=${K}", "{{ A }}/{{B}}", "${OTHER}"],
        "env": { "K": "Bearer {{A}}", "B": "", "EMPTY": "", "PLAIN": "{{not a name}}" } });
    let ready = ready(server, &keys).await.unwrap();
    let server = &ready.servers["s"];
    assert_eq!(server.args, ["--key=Bearer secret-a", "secret-a/{{A}}-b", "${OTHER}"]);
    let env: Vec<_> = server.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(env, ["B={{A}}-b", "EMPTY=", "K=Bearer secret-a", "PLAIN={{not a name}}"]);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let why = |end: Result<Ready, End>| match end.unwrap_err() {
        End::Failed(e) => {
            assert_eq!(e.code, oz_core::ErrorCode::EnvironmentSetupFailed);
            e.detail
        }
        other => panic!("{other:?}"),
    };
    let header = serde_json::json!({ "url": "http://x", "headers": { "X-Key": "{{TOKEN}}" } });
    assert_eq!(
        why(ready(header, &keys(&[])).await),
        "the MCP server 's' can't be used: its headers.X-Key names the secret 'TOKEN', which this run was not given"
    );
    let gone = why(ready(serde_json::json!({ "warp_id": "linear" }), &keys(&[])).await);
    assert!(gone.contains("no shared server 'linear'"), "{gone}");
}

#[tokio::test]
async fn a_login_goes_only_to_its_server() {
    let login = |resource: &str| {
        serde_json::json!({ "resource": resource, "access_token": "the-access-token", "token_endpoint": "http://a/t",
            "client_id": "c", "expires_at": i64::MAX })
        .to_string()
    };
    let server = serde_json::json!({ "url": "https://mcp.example.com/v1", "oauth_secret": "L",
        "headers": { "authorization": "old", "X": "y" } });
    let given = keys(&[("L", SecretKind::McpOauth, &login("https://mcp.example.com/v1"))]);
    let ready_one = ready(server.clone(), &given).await.unwrap();
    let headers = &ready_one.servers["s"].headers;
    assert_eq!(headers.len(), 2);
    assert_eq!(headers["Authorization"], "Bearer the-access-token");
    assert!(given.variables(&BTreeMap::new()).is_empty(), "no command sees it");
    for (keys, expected) in [
        (keys(&[("L", SecretKind::McpOauth, &login("https://other.example.com"))]), "is not its url"),
        (keys(&[]), "was not given to this run"),
        (keys(&[("L", SecretKind::RawValue, "text")]), "is not a login"),
    ] {
        let ready = ready(server.clone(), &keys).await.unwrap();
        assert!(ready.servers.is_empty());
        assert!(ready.left_out[0].contains(expected), "{:?}", ready.left_out);
    }
}
