use super::*;

type Env = &'static [(&'static str, &'static str)];

const A: (&str, &str) = ("ANTHROPIC_API_KEY", "ka");
const O: (&str, &str) = ("OPENAI_API_KEY", "ko");
const LOCAL: (&str, &str) = ("OPENAI_BASE_URL", "http://localhost:8000/v1");
const L: (&str, &str) = ("OLLAMA_HOST", "box:1234");
const S: (&str, &str) = ("OZ_SCRIPTED_MODEL", "/s.yaml");

fn chosen(id: Option<&str>, variables: Env) -> String {
    let env = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    match choose(id, &env) {
        Ok(choice) => format!("{choice:?}"),
        Err(e) => format!("{}: {e}", e.code),
    }
}

#[test]
fn the_table() {
    let rows: &[(Option<&str>, Env, &str)] = &[
        (None, &[A, O, S], "Anthropic claude-sonnet-4-5 at https://api.anthropic.com key:true"),
        (Some("auto"), &[O, S], "Responses gpt-5 at https://api.openai.com/v1 key:true"),
        (Some("auto-fast"), &[L], "Ollama qwen3-coder at http://box:1234/v1 key:false"),
        (Some(" "), &[S], "Scripted scripted at /s.yaml key:false"),
        (None, &[A, ("OZ_MODEL", "gpt-4.1"), O], "Responses gpt-4.1 at https://api.openai.com/v1 key:true"),
        (
            None,
            &[A, ("OZ_MODEL", "auto")],
            "Anthropic claude-sonnet-4-5 at https://api.anthropic.com key:true",
        ),
        (Some("claude-x"), &[O, A], "Anthropic claude-x at https://api.anthropic.com key:true"),
        (Some("o3"), &[A, O], "Responses o3 at https://api.openai.com/v1 key:true"),
        (Some("codex-mini"), &[A, O], "Responses codex-mini at https://api.openai.com/v1 key:true"),
        (Some("opus"), &[A, O], "Anthropic opus at https://api.anthropic.com key:true"),
        (Some("llama"), &[LOCAL, L], "Chat llama at http://localhost:8000/v1 key:false"),
        (Some("meta/llama"), &[LOCAL], "Chat meta/llama at http://localhost:8000/v1 key:false"),
        (
            Some("gpt-5"),
            &[LOCAL, ("OZ_OPENAI_API", "responses")],
            "Responses gpt-5 at http://localhost:8000/v1 key:false",
        ),
        (Some("gpt-5"), &[O, ("OZ_OPENAI_API", "chat")], "Chat gpt-5 at https://api.openai.com/v1 key:true"),
        (Some("openai-chat/gpt-5"), &[O], "Chat gpt-5 at https://api.openai.com/v1 key:true"),
        (Some("openai/claude-x"), &[A, O], "Responses claude-x at https://api.openai.com/v1 key:true"),
        (
            Some("anthropic/bench"),
            &[("ANTHROPIC_BASE_URL", "http://h/")],
            "Anthropic bench at http://h/ key:false",
        ),
        (Some("ollama/qwen3:8b"), &[A], "Ollama qwen3:8b at http://127.0.0.1:11434/v1 key:false"),
        (Some("scripted//tmp/s.yaml"), &[A], "Scripted scripted at /tmp/s.yaml key:false"),
        (Some("scripted"), &[A, S], "Scripted scripted at /s.yaml key:false"),
        (None, &[], "authentication_required: no model provider is configured"),
        (None, &[("ANTHROPIC_API_KEY", "")], "authentication_required: no model provider is configured"),
        (Some("claude-x"), &[O], "authentication_required: model 'claude-x' needs ANTHROPIC_API_KEY"),
        (Some("openai/x"), &[A], "authentication_required: model 'x' needs OPENAI_API_KEY"),
        (Some("scripted"), &[A], "invalid_request: model 'scripted' needs a script"),
        (Some("gpt-5"), &[O, ("OZ_OPENAI_API", "x")], "invalid_request: OZ_OPENAI_API: 'x' is not valid"),
        (Some("anthropic/"), &[A], "invalid_request: model: '' is not valid"),
        (None, &[LOCAL], "invalid_request: model: OPENAI_BASE_URL has no default model"),
    ];
    for (id, env, expected) in rows {
        let got = chosen(*id, env);
        assert!(got.starts_with(expected), "{id:?} {env:?}\n got {got}\nwant {expected}");
    }
}

#[test]
fn ollama_hosts_come_in_many_spellings() {
    for (host, url) in [
        ("127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("http://box:80/", "http://box:80/v1"),
        ("https://ollama.example", "https://ollama.example/v1"),
        ("box", "http://box:11434/v1"),
    ] {
        assert_eq!(ollama_url(host), url, "{host}");
    }
}

#[test]
fn what_is_chosen_is_made_and_a_bad_timeout_is_named() {
    let env = |name: &str| match name {
        "OLLAMA_HOST" => Some("box".to_owned()),
        "OZ_MODEL_TIMEOUT" => Some("soon".to_owned()),
        _ => None,
    };
    let Err(error) = resolve(Some("x"), &env) else { panic!("accepted") };
    assert!(error.to_string().contains("OZ_MODEL_TIMEOUT: 'soon'"), "{error}");
    let (model, name) = resolve(Some("x"), &|n| env(n).filter(|_| n == "OLLAMA_HOST")).unwrap();
    assert_eq!((model.provider(), name.as_str()), ("ollama", "x"));
}
