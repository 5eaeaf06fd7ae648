//! What a run needs beside the hosts of its list: the model service of a command line agent and the control plane. The
//! native agent asks its model from this process, which is held to nothing. The choice is pure.

use oz_core::config::HarnessType;
use std::collections::BTreeMap;
use url::Url;

type Variables = BTreeMap<String, String>;

/// The hosts, with their ports where they are known. `auth` is how the agent logs in; what it is told by `plain`, the
/// variables of the run's configuration, allows nothing: an agent may write a configuration for another.
pub(super) fn own_hosts(
    kind: &HarnessType,
    auth: &Variables,
    plain: &Variables,
    control_plane: Option<&str>,
) -> Vec<String> {
    let given = |name: &str| {
        auth.get(name).map(String::as_str).filter(|value| !value.is_empty() && !plain.contains_key(name))
    };
    let named = auth.keys().filter(|name| name.ends_with("_BASE_URL"));
    let mut hosts: Vec<String> = named.filter_map(|name| host(given(name)?)).collect();
    let usual = |key: &str, address: &str, name: &str| {
        (auth.contains_key(key) && !auth.contains_key(address)).then(|| name.to_owned())
    };
    let google = || {
        let region = given("CLOUD_ML_REGION").or(given("GOOGLE_CLOUD_LOCATION"));
        let regional = region.map(|region| format!("{region}-aiplatform.googleapis.com:443"));
        let fixed = ["aiplatform.googleapis.com:443", "oauth2.googleapis.com:443"].map(str::to_owned);
        fixed.into_iter().chain(regional)
    };
    match kind {
        HarnessType::Claude if auth.contains_key("CLAUDE_CODE_USE_BEDROCK") => {
            let region = given("AWS_REGION").unwrap_or("us-east-1");
            hosts.extend(
                ["bedrock", "bedrock-runtime", "sts"].map(|s| format!("{s}.{region}.amazonaws.com:443")),
            );
        }
        HarnessType::Claude if auth.contains_key("CLAUDE_CODE_USE_VERTEX") => hosts.extend(google()),
        HarnessType::Gemini if auth.contains_key("GOOGLE_GENAI_USE_VERTEXAI") => hosts.extend(google()),
        HarnessType::Claude if !auth.contains_key("ANTHROPIC_BASE_URL") => {
            hosts.push("api.anthropic.com:443".to_owned());
        }
        HarnessType::Codex if !auth.contains_key("OPENAI_BASE_URL") => {
            hosts.push("api.openai.com:443".to_owned());
        }
        HarnessType::Gemini if !auth.contains_key("GOOGLE_GEMINI_BASE_URL") => {
            hosts.push("generativelanguage.googleapis.com:443".to_owned());
        }
        HarnessType::Opencode => {
            hosts.extend(usual("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "api.anthropic.com:443"));
            hosts.extend(usual("OPENAI_API_KEY", "OPENAI_BASE_URL", "api.openai.com:443"));
            let google = "generativelanguage.googleapis.com:443";
            hosts.extend(usual("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", google));
            hosts.extend(usual("OPENROUTER_API_KEY", "", "openrouter.ai:443"));
        }
        _ => {}
    }
    hosts.extend(control_plane.and_then(host));
    hosts
}

/// The host of an address, with its port.
fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_a_command_line_agent_is_reached_and_nothing_that_a_configuration_adds() {
        let map = |pairs: &[(&str, &str)]| -> Variables {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let key = [("ANTHROPIC_API_KEY", "k")];
        let local = [("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/v1")];
        let bedrock = [("CLAUDE_CODE_USE_BEDROCK", "1"), ("AWS_REGION", "eu-west-1")];
        for (kind, auth, plain, expected) in [
            (HarnessType::Claude, &key[..], &[][..], "api.anthropic.com:443"),
            (HarnessType::Claude, &local, &[], "127.0.0.1:9"),
            (HarnessType::Claude, &local, &local[1..], ""),
            (
                HarnessType::Claude,
                &bedrock,
                &[],
                "bedrock.eu-west-1.amazonaws.com:443 bedrock-runtime.eu-west-1.amazonaws.com:443 \
                 sts.eu-west-1.amazonaws.com:443",
            ),
            (HarnessType::Codex, &[], &[], "api.openai.com:443"),
            (HarnessType::Opencode, &key, &[], "api.anthropic.com:443"),
            (HarnessType::Command, &[], &[], ""),
            (HarnessType::Oz, &[], &[], ""),
        ] {
            assert_eq!(
                own_hosts(&kind, &map(auth), &map(plain), None).join(" "),
                expected,
                "{kind} {auth:?}"
            );
        }
        let plane = own_hosts(&HarnessType::Oz, &map(&[]), &map(&[]), Some("https://oz.example.com/api"));
        assert_eq!(plane, ["oz.example.com:443"]);
    }
}
