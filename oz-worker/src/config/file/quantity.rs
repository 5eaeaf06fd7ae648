//! Raw pieces of Kubernetes objects. A quantity such as `cpu: 2` is a number to YAML and a text to Kubernetes.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A piece of an object whose quantities are texts.
pub(in crate::config) fn raw<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    let mut value = Option::<Value>::deserialize(from)?;
    if let Some(value) = &mut value {
        quantities_below(value);
    }
    Ok(value)
}

fn quantities_below(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("limits" | "requests", Value::Object(map)) => map.values_mut().for_each(to_text),
                    ("sizeLimit", value) => to_text(value),
                    (_, value) => quantities_below(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(quantities_below),
        _ => {}
    }
}

fn to_text(value: &mut Value) {
    if let Value::Number(number) = value {
        *value = Value::String(number.to_string());
    }
}
