//! PHP and Composer.

use super::{Language, Needs, parts, said};
use crate::cmd::environment::init::tree::Dir;

pub(super) const LANGUAGE: Language =
    Language { name: "PHP", manifests: &["composer.json"], locks: &[], covers: |_| false, inspect };

fn inspect(dir: Dir) -> Needs {
    let package = dir.json("composer.json");
    let range =
        package["require"]["php"].as_str().map(|text| text.trim_start_matches(['^', '~', '>', '=', ' ']));
    // The official image has no Composer, and that of Composer is Alpine Linux.
    let (tag, why_image) = match said([("composer.json", range)]) {
        Some((file, version)) if version.contains('.') => {
            (parts(&version, 2), format!("{file} needs PHP {version}; this image has Composer, too"))
        }
        _ => (
            "8.3".to_owned(),
            "composer.json names no version of PHP; this image has Composer, too".to_owned(),
        ),
    };
    let file = dir.first(&["composer.lock"]).unwrap_or("composer.json");
    let setup = ("composer install --no-interaction".to_owned(), format!("{} is there", dir.path_of(file)));
    Needs { image: format!("mcr.microsoft.com/devcontainers/php:{tag}"), why_image, setup: Some(setup) }
}
