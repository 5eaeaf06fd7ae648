//! The paths of the published SDK, as aliases of the methods.

use crate::codegen::{
    model::{Model, Noun},
    published,
    schema::pascal,
};
use std::collections::BTreeMap;

/// The file.
pub(super) fn file(model: &Model) -> String {
    let type_name =
        |noun: &str| model.nouns.iter().find(|n| n.name == noun).map_or("", |n: &Noun| &n.type_name);
    let mut imports = BTreeMap::new();
    for (_, noun) in published::NOUNS {
        imports.insert(*noun, type_name(noun));
    }
    let mut text =
        "\"\"\"The paths of the published SDK: `client.agent.runs.retrieve` is `client.runs.get`.\"\"\"\n\n\
                    from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
            .to_owned();
    for (noun, class) in &imports {
        text += &format!("from .{noun} import Async{class}, {class}\n");
    }
    text += "\nif TYPE_CHECKING:\n    from .client import AsyncOz, Oz\n";
    for prefix in ["", "Async"] {
        for (path, noun) in published::NOUNS {
            let class = format!("{prefix}Agent{}", pascal(path.rsplit('.').next().unwrap_or_default()));
            let base = format!("{prefix}{}", type_name(noun));
            text += &format!(
                "\n\nclass {class}({base}):\n    \"\"\"`client.{noun}`, by the published names too.\"\"\"\n"
            );
            let aliases: Vec<_> = published::at(path).collect();
            if !aliases.is_empty() {
                text.push('\n');
            }
            for (alias, method) in aliases {
                let (_, name) = method.rsplit_once('.').unwrap_or(("", method));
                text += &format!("    {alias} = {base}.{name}\n");
            }
        }
        text += &format!(
            "\n\nclass {prefix}Agent:\n    \"\"\"`client.agent` of the published SDK.\"\"\"\n\n    \
             def __init__(self, client: {prefix}Oz) -> None:\n"
        );
        for (alias, method) in published::at("agent") {
            text += &format!("        self.{alias} = client.{method}\n");
        }
        for (path, _) in published::NOUNS {
            let name = path.rsplit('.').next().unwrap_or_default();
            text += &format!("        self.{name} = {prefix}Agent{}(client)\n", pascal(name));
        }
    }
    text
}
