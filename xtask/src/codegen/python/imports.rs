//! What a file of the typed layer imports: what it uses, and nothing else.

use super::{classes, enums, params};
use crate::codegen::model::Model;
use std::collections::BTreeSet;

/// The head of a file: its docstring, what it needs when it is loaded, and the names of `text` that only type checkers read.
pub(super) fn head(model: &Model, own: &str, doc: &str, loaded: &str, text: &str) -> String {
    let used: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let of = |names: &[&str]| {
        names.iter().copied().filter(|name| used.contains(name)).collect::<Vec<_>>().join(", ")
    };
    let mut head = format!("\"\"\"{}\"\"\"\n\nfrom __future__ import annotations\n\n", doc.trim());
    let typing = of(&["Any", "List", "Optional", "TypedDict", "Union"]);
    let typing = if typing.is_empty() { typing } else { format!(", {typing}") };
    head += &format!("from typing import TYPE_CHECKING{typing}\n{loaded}\nif TYPE_CHECKING:\n");
    for (module, names) in [
        ("collections.abc", &["Mapping", "Sequence"][..]),
        ("datetime", &["datetime"]),
        ("typing_extensions", &["Unpack"]),
        (".._stream", &["Bytes", "Stream", "Watch"]),
    ] {
        if !of(names).is_empty() {
            head += &format!("    from {module} import {}\n", of(names));
        }
    }
    let modules =
        [("enums", enums::names(model)), ("params", params::names(model)), ("types", classes::names(model))];
    for (module, names) in modules.iter().filter(|(module, _)| *module != own) {
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| used.contains(name)).collect();
        if !names.is_empty() {
            head += &format!("    from .{module} import (\n        {},\n    )\n", names.join(",\n        "));
        }
    }
    head
}

/// The names that a module has for others.
pub(super) fn all(names: &[String]) -> String {
    let names: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    format!("\n__all__ = [\n{names}]\n")
}
