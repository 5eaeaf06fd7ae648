//! What the API server refuses though the schema allows it.

use crate::lists::list;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is wrong with an object, with the path of the field.
pub(crate) fn check(kind: &str, object: &Value) -> Result<(), String> {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    if !is_dns_label(name) {
        return Err(format!("metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 label"));
    }
    labels(&metadata["labels"], "metadata.labels")?;
    match kind {
        "Job" => {
            let template = &object["spec"]["template"];
            labels(&template["metadata"]["labels"], "spec.template.labels")?;
            if template["spec"]["restartPolicy"] != "Never"
                && template["spec"]["restartPolicy"] != "OnFailure"
            {
                return Err("spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"".to_owned());
            }
            pod(&template["spec"])
        }
        "Secret" => {
            for key in object["stringData"].as_object().into_iter().flatten().map(|(key, _)| key) {
                if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                    return Err(format!("data[{key}]: Invalid value: \"{key}\""));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn pod(spec: &Value) -> Result<(), String> {
    const AT: &str = "spec.template.spec";
    let mut volumes = BTreeSet::new();
    for (at, volume) in list(&spec["volumes"]).enumerate() {
        let name = volume["name"].as_str().unwrap_or_default();
        if !is_dns_label(name) {
            return Err(format!("{AT}.volumes[{at}].name: Invalid value: \"{name}\""));
        }
        if !volumes.insert(name) {
            return Err(format!("{AT}.volumes[{at}].name: Duplicate value: \"{name}\""));
        }
        if volume.as_object().map_or(0, serde_json::Map::len) > 2 {
            return Err(format!("{AT}.volumes[{at}]: Forbidden: may not specify more than 1 volume type"));
        }
    }
    if list(&spec["containers"]).next().is_none() {
        return Err(format!("{AT}.containers: Required value"));
    }
    let mut names = BTreeSet::new();
    for group in ["initContainers", "containers"] {
        for (at, container) in list(&spec[group]).enumerate() {
            let path = format!("{AT}.{group}[{at}]");
            let name = container["name"].as_str().unwrap_or_default();
            if !is_dns_label(name) {
                return Err(format!("{path}.name: Invalid value: \"{name}\""));
            }
            if !names.insert(name) {
                return Err(format!("{path}.name: Duplicate value: \"{name}\""));
            }
            if container["image"].as_str().unwrap_or_default().trim().is_empty() {
                return Err(format!("{path}.image: Required value"));
            }
            let mut mounts = BTreeSet::new();
            for (number, mount) in list(&container["volumeMounts"]).enumerate() {
                let volume = mount["name"].as_str().unwrap_or_default();
                if !volumes.contains(volume) {
                    return Err(format!("{path}.volumeMounts[{number}].name: Not found: \"{volume}\""));
                }
                if !mounts.insert(mount["mountPath"].as_str()) {
                    return Err(format!(
                        "{path}.volumeMounts[{number}].mountPath: Invalid value: must be unique"
                    ));
                }
            }
            for (number, variable) in list(&container["env"]).enumerate() {
                let both = !variable["value"].is_null() && !variable["valueFrom"].is_null();
                if both || variable["name"].as_str().unwrap_or_default().is_empty() {
                    return Err(format!("{path}.env[{number}]: Invalid value"));
                }
            }
        }
    }
    Ok(())
}

fn labels(labels: &Value, path: &str) -> Result<(), String> {
    for (key, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if value.len() > 63
            || !value.chars().all(inner)
            || !end(value.chars().next())
            || !end(value.chars().last())
        {
            return Err(format!("{path}: Invalid value: \"{value}\" of {key}"));
        }
    }
    Ok(())
}

fn is_dns_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
