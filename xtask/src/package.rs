//! `cargo xtask package`: the packages for other languages, as their registries would get them.

use crate::{Outcome, npm, say, wheel};

/// Builds the packages that are named, or all. With `--dev` as tests do: fast to build, slow to run.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (flags, names): (Vec<&str>, Vec<&str>) =
        args.iter().map(String::as_str).partition(|a| a.starts_with("--"));
    let dev = match flags.as_slice() {
        [] => false,
        ["--dev"] => true,
        other => return Err(format!("unknown: {}; there is --dev", other.join(" "))),
    };
    for name in if names.is_empty() || names == ["all"] { vec!["node", "python"] } else { names } {
        let build = if dev { npm::Build::Dev } else { npm::Build::Release };
        let made = match name {
            "node" => npm::package(build)?,
            "python" => wheel::package(build)?,
            other => return Err(format!("there is no package '{other}'; there are node and python")),
        };
        say(&format!("made {}", made.display()));
    }
    Ok(())
}
