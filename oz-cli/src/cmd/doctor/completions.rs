//! Whether the shell completes `oz`.

use super::{Surroundings, report::Check};
use clap_complete::Shell;
use std::path::{Path, PathBuf};

pub(super) fn checks(here: &Surroundings) -> Vec<Check> {
    let shell = here.var("SHELL").and_then(Shell::from_shell_path);
    vec![check(shell, &here.home)]
}

fn check(shell: Option<Shell>, home: &Path) -> Check {
    let name = "completions";
    let Some(shell) = shell else {
        return Check::absent(name, "SHELL names no shell that is known", "oz completions bash");
    };
    let places = places(shell, home);
    if let Some(file) = places.iter().find(|file| file.exists()) {
        return Check::ok(name, format!("{shell} completes `oz` with {}", file.display()));
    }
    match places.first().and_then(|file| Some((file.parent()?, file))) {
        Some((dir, file)) => Check::absent(
            name,
            format!("{shell} does not complete `oz` yet"),
            &format!("mkdir -p {} && oz completions {shell} > {}", dir.display(), file.display()),
        ),
        None => {
            Check::absent(name, format!("see how {shell} loads them"), &format!("oz completions {shell}"))
        }
    }
}

/// Where a shell looks for completions; the first is where they go.
fn places(shell: Shell, home: &Path) -> Vec<PathBuf> {
    let places: &[&str] = match shell {
        Shell::Bash => {
            &[".local/share/bash-completion/completions/oz", "/usr/share/bash-completion/completions/oz"]
        }
        Shell::Zsh => {
            &[".zfunc/_oz", "/usr/local/share/zsh/site-functions/_oz", "/usr/share/zsh/site-functions/_oz"]
        }
        Shell::Fish => &[".config/fish/completions/oz.fish", "/usr/share/fish/vendor_completions.d/oz.fish"],
        Shell::Elvish => &[".config/elvish/lib/oz.elv"],
        _ => &[],
    };
    places.iter().map(|place| home.join(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::shown, *};
    use std::fs;

    #[test]
    fn the_way_to_completions_is_one_command() {
        let home = tempfile::tempdir().unwrap();
        let found =
            |shell| shown(&[check(shell, home.path())]).replace(&home.path().display().to_string(), "~");
        let all = [None, Some(Shell::Elvish), Some(Shell::PowerShell)].map(found);
        insta::assert_snapshot!(all.join("\n"), @"
        skipped completions: SHELL names no shell that is known => oz completions bash
        skipped completions: elvish does not complete `oz` yet => mkdir -p ~/.config/elvish/lib && oz completions elvish > ~/.config/elvish/lib/oz.elv
        skipped completions: see how powershell loads them => oz completions powershell
        ");
        let file = home.path().join(".config/elvish/lib/oz.elv");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
        assert_eq!(
            found(Some(Shell::Elvish)),
            "ok completions: elvish completes `oz` with ~/.config/elvish/lib/oz.elv"
        );
    }
}
