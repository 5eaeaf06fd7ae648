//! Says what the API server complains about in the words of the settings.

use super::settings::Settings;
use serde_json::Value;

const POD: &str = "spec.template.spec.";
const INIT: &str = "initContainers[";

/// A complaint about this Job, with paths inside `pod_template` where the template has set what they name.
pub(super) fn in_settings(complaint: &str, settings: &Settings, job: &Value) -> String {
    let mut parts = complaint.split(POD);
    let mut text = parts.next().unwrap_or_default().to_owned();
    let init = |spec: &Value| spec["initContainers"].as_array().map_or(0, Vec::len);
    let theirs = settings.template.get("initContainers").and_then(Value::as_array).map_or(0, Vec::len);
    let own = init(&job["spec"]["template"]["spec"]).saturating_sub(theirs);
    for part in parts {
        let field: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
        let numbered = part.strip_prefix(INIT).and_then(|rest| rest.split_once(']'));
        let place = numbered.and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
        match place {
            // The worker's own init containers come before those of the template.
            Some((at, rest)) if at >= own => {
                text.push_str(&format!("pod_template.{INIT}{}]{rest}", at - own));
            }
            None if settings.template.contains_key(&field) => text.push_str(&format!("pod_template.{part}")),
            _ => text.push_str(&format!("{POD}{part}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KubernetesConfig, config::tests::example};
    use serde_json::json;

    #[test]
    fn paths_are_those_of_the_template() {
        let template =
            json!({ "containers": [{ "name": "task" }], "initContainers": [{ "name": "theirs" }] });
        let config = KubernetesConfig { pod_template: Some(template), ..KubernetesConfig::default() };
        let settings = Settings::of(&example(), &config).ok().unwrap();
        let job = json!({ "spec": { "template": { "spec": { "initContainers": [{}, {}, {}] } } } });
        for (said, told) in [
            (
                "spec.template.spec.containers[0].image: Required",
                "pod_template.containers[0].image: Required",
            ),
            (
                "[spec.template.spec.initContainers[2].name: a, spec.template.spec.initContainers[0].name: b]",
                "[pod_template.initContainers[0].name: a, spec.template.spec.initContainers[0].name: b]",
            ),
            ("spec.template.spec.volumes[0].name: x", "spec.template.spec.volumes[0].name: x"),
            ("nothing to do with it", "nothing to do with it"),
        ] {
            assert_eq!(in_settings(said, &settings, &job), told);
        }
    }
}
