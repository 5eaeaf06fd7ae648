//! The keys of configuration files. They are asked of the types that hold them, so that none is forgotten.

use crate::cmd::nearest;
use oz_core::config::{
    AgentConfig, GitCredential, HarnessAuthSecrets, HarnessConfig, Limits, MemoryStoreRef, SecretRef,
    SessionSharing, SourceRepo,
};
use oz_core::worker::InstanceShape;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

/// What mistakes in keys begin with.
pub(super) const UNKNOWN: &str = "unknown key";

/// Keys of the file that an agent's configuration does not have.
const OWN: [&str; 2] = ["host", "prompt"];

/// All keys at the top.
pub(super) fn all() -> Vec<&'static str> {
    let mut keys = [&OWN[..], &fields::<AgentConfig>()].concat();
    keys.sort_unstable();
    keys
}

/// The keys of what stands under some of those at the top.
fn below(key: &str) -> Option<Vec<&'static str>> {
    Some(match key {
        "limits" => fields::<Limits>(),
        "harness" => fields::<HarnessConfig>(),
        "harness_auth_secrets" => fields::<HarnessAuthSecrets>(),
        "session_sharing" => fields::<SessionSharing>(),
        "source_repos" => fields::<SourceRepo>(),
        "git_credentials" => fields::<GitCredential>(),
        "memory_stores" => fields::<MemoryStoreRef>(),
        "secrets" => fields::<SecretRef>(),
        "instance_shape" => fields::<InstanceShape>(),
        _ => return None,
    })
}

/// A key at the top. One that is not known is a mistake, to which the reader of the file adds the place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known(String);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        let known = all();
        if known.contains(&&*key) { Ok(Self(key)) } else { Err(D::Error::custom(unknown(&key, &known))) }
    }
}

/// That every key below those at the top is known.
pub(super) fn check_below(file: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in file {
        let Some(known) = below(key) else { continue };
        let maps: Vec<&Map<String, Value>> = match value {
            Value::Object(map) => vec![map],
            Value::Array(items) => items.iter().filter_map(Value::as_object).collect(),
            _ => Vec::new(),
        };
        if let Some(wrong) = maps.into_iter().flat_map(Map::keys).find(|name| !known.contains(&&***name)) {
            let known = (unknown(wrong, &known), known.join(", "));
            return Err(format!("{key}: {}; expected {}", known.0, known.1));
        }
    }
    Ok(())
}

fn unknown(key: &str, known: &[&str]) -> String {
    // A published example has it.
    let meant = if key == "system_prompt" { Some("base_prompt") } else { nearest::of(key, known) };
    match meant {
        Some(near) => format!("{UNKNOWN} '{key}' (did you mean '{near}'?)"),
        None => format!("{UNKNOWN} '{key}'"),
    }
}

/// The names of a type's fields in its wire form.
fn fields<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
    struct Names<'a>(&'a mut Vec<&'static str>);
    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = Error;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("only the names are wanted"))
        }
        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Error> {
            self.0.extend(fields);
            Names(self.0).deserialize_any(visitor)
        }
        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut names = Vec::new();
    let _ = T::deserialize(Names(&mut names));
    names
}
