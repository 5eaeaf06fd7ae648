//! What a run needs beside the hosts of its list: the model service of a command line agent and the control plane. The
//! native agent asks its model from this process, which is held to nothing.

use super::{
    auth,
    end::End,
    session::{Session, Surroundings},
};
use crate::egress::Egress;
use oz_core::{
    Error, ErrorCode,
    config::{AgentConfig, HarnessType},
};
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

impl Session<'_> {
    /// Bounds the network of the run to its list, when it has one, and tells its processes of the way that is left.
    pub(super) async fn bound(
        &self,
        config: &AgentConfig,
        surroundings: &Surroundings,
        env: &mut BTreeMap<String, String>,
    ) -> Result<Option<Egress>, End> {
        let Some(list) = config.sandbox.as_ref().and_then(|sandbox| sandbox.egress_allowlist.as_ref()) else {
            return Ok(None);
        };
        let Surroundings { keys, host, oz, .. } = surroundings;
        // Who can't log in is told so later.
        let auth = auth::variables(config, keys, host).unwrap_or_default();
        let plane = self.record.as_ref().map(|(_, client, _)| client.server_url());
        let own = own_hosts(&config.harness_type(), &auth, keys.plain(), plane);
        let opened = Egress::open(list, &own, oz).await;
        let egress =
            opened.map_err(|text| End::Failed(Error::new(ErrorCode::EnvironmentSetupFailed, text)))?;
        egress.configure(env);
        Ok(Some(egress))
    }
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
