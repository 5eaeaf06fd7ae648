use super::*;
use oz_core::{
    api::RunModelEndpoint,
    config::SecretRef,
    inference::{EndpointConfig, ModelTier},
    usage::Usage,
};

type Env = &'static [(&'static str, &'static str)];

const A: (&str, &str) = ("ANTHROPIC_API_KEY", "ka");
const O: (&str, &str) = ("OPENAI_API_KEY", "ko");
const LOCAL: (&str, &str) = ("OPENAI_BASE_URL", "http://localhost:8000/v1");
const L: (&str, &str) = ("OLLAMA_HOST", "box:1234");
const S: (&str, &str) = ("OZ_SCRIPTED_MODEL", "/s.yaml");

fn lookup(variables: Env) -> impl Fn(&str) -> Option<String> {
    move |name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
}

/// What is chosen, in lines.
fn with(id: Option<&str>, fallback: &[&str], variables: Env, team: &[RunModelEndpoint]) -> String {
    let env = lookup(variables);
    let fallback: Vec<String> = fallback.iter().map(|id| (*id).to_owned()).collect();
    match choices(id, &fallback, &Sources::new(&env, team).unwrap()) {
        Ok(chosen) => chosen.iter().map(|choice| format!("{choice:?}")).collect::<Vec<_>>().join("\n"),
        Err(e) => format!("{}: {e}", e.code),
    }
}

fn chosen(id: Option<&str>, variables: Env) -> String {
    with(id, &[], variables, &[])
}

fn names(id: &str, fallback: &[&str], variables: Env, team: &[RunModelEndpoint]) -> String {
    let all = with(Some(id), fallback, variables, team);
    if all.contains(": ") {
        return all;
    }
    let names: Vec<_> = all.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    names.join(" ")
}

fn service(name: &str, api: &str, models: &[(&str, &str)]) -> RunModelEndpoint {
    let model = |(id, tier): &(&str, &str)| EndpointModel {
        id: (*id).to_owned(),
        tier: (!tier.is_empty()).then(|| ModelTier::from(*tier)),
        ..EndpointModel::default()
    };
    let config = EndpointConfig {
        name: name.into(),
        api: EndpointApi::from(api),
        base_url: format!("http://{name}.lan/v1"),
        models: models.iter().map(model).collect(),
        secret: None,
    };
    RunModelEndpoint { config, api_key: None }
}

/// A service on the local network without a key, a router with one, and one whose key this run does not get.
fn team() -> [RunModelEndpoint; 3] {
    let mut router = service(
        "router",
        "anthropic",
        &[("claude-x", "genius"), ("vendor/big", "genius"), ("small", "efficient")],
    );
    router.api_key = Some("kr".into());
    let mut closed = service("closed", "openai-responses", &[("secretive", ""), ("qwen3", "")]);
    closed.config.secret = Some(SecretRef { name: "CLOSED".into() });
    [closed, service("local", "openai-chat", &[("qwen3", ""), ("house", "standard")]), router]
}

#[test]
fn the_table() {
    let rows: &[(Option<&str>, Env, &str)] = &[
        (None, &[A, S], "Anthropic claude-sonnet-4-5 at https://api.anthropic.com key:true"),
        (Some("auto"), &[O, S], "Responses gpt-5 at https://api.openai.com/v1 key:true"),
        (Some("auto-efficient"), &[L], "Ollama qwen3-coder at http://box:1234/v1 key:false"),
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
fn configured_services_are_chosen_by_their_name_or_a_model_that_they_list() {
    let local = "at http://local.lan/v1 key:false";
    let router = "at http://router.lan/v1 key:true";
    let rows: &[(&str, Env, String)] = &[
        ("local/anything:7b", &[], format!("Chat local/anything:7b {local}")),
        ("router/vendor/big", &[A], format!("Anthropic router/vendor/big {router}")),
        ("qwen3", &[A], format!("Chat local/qwen3 {local}")),
        ("vendor/big", &[A, L], format!("Anthropic router/vendor/big {router}")),
        ("claude-x", &[O], format!("Anthropic router/claude-x {router}")),
        ("claude-x", &[A], "Anthropic claude-x at https://api.anthropic.com key:true".into()),
        ("unlisted", &[L], "Ollama unlisted at http://box:1234/v1 key:false".into()),
        (
            "unlisted",
            &[],
            "invalid_request: model: no model service lists 'unlisted'; write closed/unlisted to use".into(),
        ),
        (
            "secretive",
            &[A],
            "authentication_required: the model service 'closed' needs the secret 'CLOSED'".into(),
        ),
        (
            "closed/x",
            &[],
            "authentication_required: the model service 'closed' needs the secret 'CLOSED'".into(),
        ),
        ("local/", &[], "invalid_request: model: 'local/' is not valid; expected local/MODEL".into()),
        ("claude-y", &[], "authentication_required: model 'claude-y' needs ANTHROPIC_API_KEY".into()),
    ];
    for (id, env, expected) in rows {
        let got = with(Some(id), &[], env, &team());
        assert!(got.starts_with(expected), "{id} {env:?}\n got {got}\nwant {expected}");
    }
    let newer = service("newer", "grpc", &[("m", "")]);
    let got = with(Some("newer/m"), &[], &[], std::slice::from_ref(&newer));
    assert!(got.contains("'newer' speaks 'grpc'; this version speaks openai-chat"), "{got}");
    assert!(names("auto", &[], &[A], &[newer]).starts_with("claude-sonnet-4-5"));
}

#[test]
fn auto_chooses_what_the_team_configured_then_what_the_environment_does() {
    let none: &[RunModelEndpoint] = &[];
    let team = team();
    type Row<'a> = (&'a str, &'a [&'a str], Env, &'a [RunModelEndpoint], &'a str);
    let rows: &[Row<'_>] = &[
        ("auto", &[], &[A, O, L, S], none, "claude-sonnet-4-5 gpt-5 qwen3-coder"),
        ("auto-genius", &[], &[A, O, L], none, "claude-opus-4-5 gpt-5.2"),
        ("auto-efficient", &[], &[O, A], none, "claude-haiku-4-5 gpt-5-mini"),
        ("auto-open", &[], &[A, L], none, "qwen3-coder"),
        ("auto-genius", &[], &[L], none, "qwen3-coder"),
        ("auto", &[], &[A], &team, "local/qwen3 local/house claude-sonnet-4-5"),
        ("auto-genius", &[], &[A], &team, "router/claude-x router/vendor/big claude-opus-4-5"),
        ("auto-efficient", &[], &[A], &team, "router/small claude-haiku-4-5"),
        ("auto-open", &[], &[A, L], &team, "local/qwen3 qwen3-coder"),
        ("auto", &[], &[A, LOCAL, O], none, "claude-sonnet-4-5"),
        ("auto-open", &[], &[A], none, "invalid_request: model: auto-open finds no model with open weights"),
        ("auto-open", &[], &[S], none, "scripted"),
        (
            "auto",
            &[],
            &[],
            &team[..1],
            "authentication_required: the model service 'closed' needs the secret",
        ),
        (
            "auto-fast",
            &[],
            &[A],
            none,
            "invalid_request: model: 'auto-fast' is not valid; expected auto, auto-eff",
        ),
        // What whoever runs the agent wants stands for a choice that is left to Oz, unless its weights are closed.
        ("auto-genius", &[], &[A, ("OZ_MODEL", "gpt-4.1"), O], none, "gpt-4.1"),
        ("auto", &[], &[A, ("OZ_MODEL", "auto-genius")], none, "claude-opus-4-5"),
        ("auto-efficient", &[], &[A, ("OZ_MODEL", "auto-genius")], none, "claude-haiku-4-5"),
        ("auto-open", &[], &[A, ("OZ_MODEL", "claude-x"), L], none, "qwen3-coder"),
        ("auto-open", &[], &[A, ("OZ_MODEL", "ollama/llama4"), L], none, "llama4"),
        // Named ones stand for those that would have served.
        ("auto", &["gpt-5-mini"], &[A, O, L], none, "claude-sonnet-4-5 gpt-5-mini"),
        ("gpt-5", &[], &[A, O], none, "gpt-5"),
        ("gpt-5", &["claude-x", " ", "gpt-5", "local/m"], &[A, O], &team, "gpt-5 claude-x local/m"),
        ("gpt-5", &[], &[A, O, ("OZ_MODEL_FALLBACK", "claude-x, ,ollama/y")], none, "gpt-5 claude-x y"),
        ("gpt-5", &["o3"], &[A, O, ("OZ_MODEL_FALLBACK", "claude-x")], none, "gpt-5 o3"),
        ("gpt-5", &["auto-genius"], &[A, O], none, "gpt-5 claude-opus-4-5 gpt-5.2"),
        (
            "gpt-5",
            &["claude-x"],
            &[O],
            none,
            "authentication_required: fallback_model_ids: model 'claude-x' needs",
        ),
        (
            "gpt-5",
            &[],
            &[O, ("OZ_MODEL_FALLBACK", "auto-x")],
            none,
            "invalid_request: OZ_MODEL_FALLBACK: model: 'auto-x'",
        ),
    ];
    for (id, fallback, env, team, expected) in rows {
        let got = names(id, fallback, env, team);
        let whole = expected.contains(": ") || got == *expected;
        assert!(whole && got.starts_with(expected), "{id} {fallback:?} {env:?}\n got {got}\nwant {expected}");
    }
}

#[test]
fn a_price_of_the_configuration_counts_before_any_other() {
    let mut router = service("router", "openai-chat", &[("gpt-5", ""), ("gpt-5-mini", "")]);
    router.config.models[0].input_usd_per_million = Some(2.0);
    router.config.models[0].output_usd_per_million = Some(8.0);
    let usage = Usage { input_tokens: 500_000, output_tokens: 250_000, cost_usd: None, ..Usage::default() };
    let env = lookup(&[]);
    let cost = |id: &str| {
        let chain =
            resolve(Some(id), &[], &Sources::new(&env, std::slice::from_ref(&router)).unwrap()).unwrap();
        let own = super::super::Prices::with("gpt-5: { input: 100, output: 100 }").unwrap();
        chain.current().cost(&own, &usage).unwrap()
    };
    assert!((cost("router/gpt-5") - 3.0).abs() < 1e-9);
    assert!((cost("router/gpt-5-mini") - 75.0).abs() < 1e-9);
}

#[test]
fn what_is_chosen_is_made_and_a_bad_timeout_is_named() {
    let env = |name: &str| match name {
        "OLLAMA_HOST" => Some("box".to_owned()),
        "OZ_MODEL_TIMEOUT" => Some("soon".to_owned()),
        _ => None,
    };
    let error = resolve(Some("x"), &[], &Sources::new(&env, &[]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("OZ_MODEL_TIMEOUT: 'soon'"), "{error}");
    let env = |name: &str| env(name).filter(|_| name == "OLLAMA_HOST");
    let chain = resolve(Some("x"), &[], &Sources::new(&env, &[]).unwrap()).unwrap();
    assert_eq!((chain.current().model().provider(), chain.current().id()), ("ollama", "x"));
    let mut broken = service("broken", "openai-chat", &[]);
    broken.config.base_url = "nowhere".into();
    let error = resolve(Some("broken/x"), &[], &Sources::new(&env, &[broken]).unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("model service 'broken': openai-chat: "), "{error}");
}
