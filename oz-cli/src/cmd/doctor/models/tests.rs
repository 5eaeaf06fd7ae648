use super::{
    super::tests::{Service as Web, shown},
    *,
};
use std::{fs, path::PathBuf};

fn here(dir: &Path, vars: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        vars: vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        login_file: dir.join("login.json"),
        data_dir: PathBuf::new(),
        home: PathBuf::new(),
    }
}

async fn found(web: &Web, vars: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    shown(&checks(&here(dir.path(), vars)).await).replace(web.url(), "http://web")
}

const MODELS: &str = r#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#;

#[tokio::test]
async fn every_provider_is_asked_in_its_way() {
    let web = Web::start(&[("/v1/models", 200, MODELS)]);
    let (url, v1) = (web.url(), format!("{}/v1", web.url()));
    let vars = [
        ("ANTHROPIC_BASE_URL", url),
        ("ANTHROPIC_API_KEY", "sk-a"),
        ("OPENAI_BASE_URL", &v1),
        ("OPENAI_API_KEY", "sk-o"),
        ("OLLAMA_HOST", url),
    ];
    insta::assert_snapshot!(found(&web, &vars).await, @"
    ok anthropic: http://web accepts the key, 2 models
    ok openai: http://web/v1 accepts the key, 2 models
    ok ollama: http://web/v1 answers, 2 models
    ");
    let requests = web.requests().join("\n");
    assert!(requests.contains("x-api-key: sk-a") && requests.contains("anthropic-version: "), "{requests}");
    assert!(requests.contains("authorization: Bearer sk-o"), "{requests}");
    assert!(!found(&web, &vars).await.contains("sk-"));
}

#[tokio::test]
async fn what_does_not_work_says_what_to_do() {
    let refusing = Web::start(&[
        ("/v1/models", 401, "{}"),
        ("/busy/models", 503, ""),
        ("/empty/v1/models", 200, r#"{"data":[]}"#),
    ]);
    let url = refusing.url();
    let mut all = vec![
        found(&refusing, &[("ANTHROPIC_BASE_URL", url), ("ANTHROPIC_API_KEY", "sk-a")]).await,
        found(&refusing, &[("ANTHROPIC_BASE_URL", url)]).await,
        found(&refusing, &[("OPENAI_BASE_URL", &format!("{url}/busy")), ("OPENAI_API_KEY", "sk-o")]).await,
        found(&refusing, &[("OPENAI_BASE_URL", &format!("{url}/other"))]).await,
        found(&refusing, &[("OLLAMA_HOST", &format!("{url}/empty"))]).await,
        found(&refusing, &[("OZ_SCRIPTED_MODEL", "/no/such.yaml")]).await,
    ];
    all.push(shown(&[nothing_configured(&format!("{url}/empty/v1")).await, nothing_configured(url).await]));
    insta::assert_snapshot!(all.join("\n"), @"
    problem anthropic: http://web does not accept the key => export ANTHROPIC_API_KEY=KEY
    problem anthropic: http://web wants a key => export ANTHROPIC_API_KEY=KEY
    warning openai: http://web/busy answers with HTTP status 503 => oz doctor --local-only
    ok openai: http://web/other answers, but can't be asked about the key
    warning ollama: http://web/empty/v1 answers, but has no model => ollama pull qwen3-coder
    problem scripted: OZ_SCRIPTED_MODEL names no file: /no/such.yaml => unset OZ_SCRIPTED_MODEL
    warning models: no model provider is configured, but Ollama runs here => export OLLAMA_HOST=127.0.0.1:11434
    warning models: no model provider is configured for agents on this machine => export ANTHROPIC_API_KEY=KEY, or OPENAI_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST
    ");
    let gone = found(&refusing, &[("OLLAMA_HOST", "127.0.0.1:9")]).await;
    assert!(
        gone.starts_with("problem ollama: http://127.0.0.1:9/v1: ") && gone.ends_with(" => ollama serve"),
        "{gone}"
    );
}

#[tokio::test]
async fn the_services_of_the_file_are_asked_too() {
    let web = Web::start(&[("/v1/models", 200, MODELS)]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("models.yaml");
    let text = format!(
        "endpoints:\n  - {{ name: local, api: openai-chat, base_url: {0}/v1, models: [a] }}\n  - {{ name: router, api: anthropic, base_url: {0}, api_key_env: ROUTER }}\n",
        web.url()
    );
    fs::write(&file, text).unwrap();
    let mut all = Vec::new();
    for vars in [&[("ROUTER", "sk-r")][..], &[], &[("OZ_MODELS_FILE", "/no/such.yaml")]] {
        all.push(shown(&checks(&here(dir.path(), vars)).await));
    }
    fs::write(&file, "endpoints: 7").unwrap();
    all.push(shown(&checks(&here(dir.path(), &[])).await));
    let all = all.join("\n").replace(web.url(), "http://web").replace(&dir.path().display().to_string(), "~");
    insta::assert_snapshot!(all, @r#"
    ok local: http://web/v1 answers, 2 models
    ok router: http://web accepts the key, 2 models
    ok local: http://web/v1 answers, 2 models
    problem router: http://web wants a key => export ROUTER=KEY
    problem models-file: /no/such.yaml: No such file or directory (os error 2) => ls -l /no/such.yaml
    problem models-file: ~/models.yaml: line 1 column 12: expected sequence start => "${EDITOR:-vi}" ~/models.yaml
    "#);
}

#[test]
fn hosts_of_ollama_come_in_many_spellings() {
    for (host, url) in [
        ("127.0.0.1:11434", OLLAMA),
        ("0.0.0.0", OLLAMA),
        ("http://box:80/", "http://box:80/v1"),
        ("box", "http://box:11434/v1"),
    ] {
        assert_eq!(ollama(host), url, "{host}");
    }
}
