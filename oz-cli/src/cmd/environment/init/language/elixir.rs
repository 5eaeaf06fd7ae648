//! Elixir and Mix.

use super::{Language, Needs, between, parts, said};
use crate::cmd::environment::init::tree::Dir;

pub(super) const LANGUAGE: Language = Language {
    name: "Elixir",
    manifests: &["mix.exs"],
    locks: &["mix.lock"],
    covers: |dir| dir.text("mix.exs").is_some_and(|mix| mix.contains("apps_path:")),
    inspect,
};

fn inspect(dir: Dir) -> Needs {
    let least = dir.text("mix.exs").and_then(|mix| between(mix, "elixir: \"", "\""));
    let (image, why_image) = match said([(".tool-versions", dir.tool_version("elixir"))]) {
        Some((file, version)) => (format!("elixir:{}", parts(&version, 2)), format!("{file} says {version}")),
        None => {
            let why = least.map_or_else(
                || "mix.exs names no version of Elixir".to_owned(),
                |range| format!("mix.exs says {range}"),
            );
            ("elixir:1.18".to_owned(), why)
        }
    };
    let command = "mix local.hex --force && mix local.rebar --force && mix deps.get";
    let setup = Some((command.to_owned(), format!("{} is there", dir.path_of("mix.exs"))));
    Needs { image, why_image, setup }
}
