//! What leads from a client to its nouns, and what it does itself.

use super::{imports::head, lines::docstring, methods};
use crate::codegen::model::Model;

/// The file.
pub(super) fn file(model: &Model) -> Result<String, String> {
    let mut text = String::new();
    for (name, base, prefix, waits) in
        [("Oz", "SyncBase", "", true), ("AsyncOz", "AsyncBase", "Async", false)]
    {
        let about = if waits { "A client whose methods wait." } else { "A client for asyncio." };
        let about = format!(
            "{about} What is not given comes from the environment, as for the command line: `OZ_API_KEY`, `OZ_API_BASE_URL`."
        );
        text += &format!("\n\nclass {name}({base}):\n{}", docstring(&about, 4));
        for noun in &model.nouns {
            if noun.name.is_empty() {
                for method in &noun.methods {
                    text += &methods::written(model, noun, method, waits, "self")?;
                }
                continue;
            }
            let class = format!("{prefix}{}", noun.type_name);
            text += &lead(&noun.name, &noun.name, &class, &noun.doc);
        }
        text += &lead("agent", "agent", &format!("{prefix}Agent"), "The paths of the published SDK.");
    }
    let loaded =
        "from functools import cached_property\n\nfrom .._client import AsyncBase, CallOptions, SyncBase\n";
    let mut head = head(model, "client", "What the clients offer.", loaded, &text);
    head += "    from .agent import Agent, AsyncAgent\n";
    for noun in model.nouns.iter().filter(|noun| !noun.name.is_empty()) {
        head += &format!("    from .{0} import Async{1}, {1}\n", noun.name, noun.type_name);
    }
    Ok(methods::CHECKED.to_owned() + &head + &text)
}

fn lead(name: &str, module: &str, class: &str, doc: &str) -> String {
    format!(
        "\n    @cached_property\n    def {name}(self) -> {class}:\n{}        from .{module} import {class}\n\n        \
         return {class}(self)\n",
        docstring(doc, 8)
    )
}
