//! Names that are not known, with the known one that was probably meant.

/// That `name` is not known, with the nearest of `known` or else all of them.
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match of(name, &known) {
        Some(near) => format!("there is no {what} '{name}'; did you mean '{near}'?"),
        None => format!("there is no {what} '{name}'; expected one of {}", known.join(", ")),
    }
}

/// The known name that is nearest, if any is near.
pub(super) fn of<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let likeness = |other: &str| strsim::jaro_winkler(&name, &other.to_ascii_lowercase());
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(nearest) > 0.82).then_some(*nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_meant() {
        let known = ["model_id", "base_prompt", "mcp_servers"];
        for (name, expected) in [
            ("model", Some("model_id")),
            ("base-promt", Some("base_prompt")),
            ("mcpServers", Some("mcp_servers")),
        ] {
            assert_eq!(of(name, &known), expected, "{name}");
        }
        assert_eq!((of("zzz", &known), of("a", &[])), (None, None));
    }
}
