//! The file with the operator's model services, as far as a worker must know it: the variables that hold their keys. The
//! agent says what is wrong with the file; here that just means no variables.

use serde_json::Value;
use std::{ffi::OsStr, path::Path};

/// The variables with keys that the file names, so that agents get them and nobody else does.
pub(crate) fn key_variables(file: Option<&OsStr>) -> Vec<String> {
    let text = file.and_then(|path| std::fs::read_to_string(Path::new(path)).ok());
    named(&text.unwrap_or_default())
}

fn named(yaml: &str) -> Vec<String> {
    let file: Value = serde_saphyr::from_str(yaml).unwrap_or_default();
    let endpoints = file["endpoints"].as_array().into_iter().flatten();
    endpoints.filter_map(|endpoint| endpoint["api_key_env"].as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_and_what_is_wrong_has_none() {
        let yaml = "endpoints: [{ name: a, api_key_env: ROUTER }, { name: b }, { api_key_env: 7 }, x]";
        assert_eq!(named(yaml), ["ROUTER"]);
        for wrong in ["", "[", "endpoints: x", "7"] {
            assert!(named(wrong).is_empty(), "{wrong}");
        }
        assert!(key_variables(None).is_empty());
    }
}
