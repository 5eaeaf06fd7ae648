//! The image of an environment: what a checkout says of containers, then what its languages need.

use super::{language::Project, tree::Tree};
use oz_core::api::Image;
use serde_json::Value;

/// Debian with git and compilers, which everything can be put on.
const DEBIAN: &str = "buildpack-deps:bookworm";

/// The image that a dev container names.
pub(super) fn of_dev_container(tree: &Tree) -> Option<(String, String)> {
    ["", ".devcontainer"].into_iter().find_map(|path| {
        let (dir, file) =
            (tree.at(path), if path.is_empty() { ".devcontainer.json" } else { "devcontainer.json" });
        let container: Value = serde_saphyr::from_str(&without_comments(dir.text(file)?)).ok()?;
        let image = container["image"].as_str().filter(|image| is_image(image))?;
        Some((image.to_owned(), format!("{} names it", dir.path_of(file))))
    })
}

/// The files that build images, with what is to be said of each.
pub(super) fn recipes(tree: &Tree) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in [".devcontainer", "", "docker"] {
        let dir = tree.at(path);
        let Some(file) = dir.first(&["Dockerfile", "Containerfile"]) else { continue };
        let base = dir.text(file).and_then(base);
        let mut why =
            "it may build what runs need: build it, push it to a registry that your workers reach, and pass \
                       -d IMAGE in place of this one"
                .to_owned();
        if let Some(base) = base {
            why = format!("it builds on {base}; {why}");
            if is_musl(&base) {
                why.push_str("; agents need glibc, which Alpine Linux does not have");
            }
        }
        found.push((dir.path_of(file), why));
    }
    found
}

/// The image that `projects` need together, and why.
pub(super) fn of_languages(projects: &[&Project]) -> (String, String) {
    let mut needed: Vec<(&str, &str)> = Vec::new();
    for project in projects {
        if needed.iter().all(|(language, _)| *language != project.language) {
            needed.push((project.language, &project.needs.image));
        }
    }
    match (&needed[..], projects.first()) {
        ([_], Some(first)) => (first.needs.image.clone(), first.needs.why_image.clone()),
        ([], _) | (_, None) => (
            DEBIAN.to_owned(),
            "no language was recognised in the files that git tracks: this is Debian with git and compilers"
                .to_owned(),
        ),
        (several, _) => {
            let list: Vec<String> =
                several.iter().map(|(language, image)| format!("{language} ({image})")).collect();
            let why = format!(
                "{} are needed together, which no official image has: this is Debian with git and compilers; build one on \
                 it that has them all and pass it with -d, or install them in the first setup command",
                list.join(" and ")
            );
            (DEBIAN.to_owned(), why)
        }
    }
}

/// The image that the first stage of a recipe builds on.
fn base(recipe: &str) -> Option<String> {
    let word = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().filter(|first| first.eq_ignore_ascii_case("FROM"))?;
        words.find(|word| !word.starts_with("--")).map(str::to_owned)
    };
    recipe.lines().filter_map(word).find(|image| is_image(image))
}

/// Whether a text is the name of an image, with all its variables filled in.
fn is_image(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
}

fn is_musl(image: &str) -> bool {
    let Image { repository, tag, .. } = Image::named(image);
    repository.ends_with("alpine") || tag.contains("alpine") || tag.contains("musl")
}

/// JSON without the comments that dev containers may have.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '\\' if quoted => {
                let end = rest.chars().take(2).map(char::len_utf8).sum();
                plain.push_str(&rest[..end]);
                end
            }
            '/' if !quoted && rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if !quoted && rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            _ => {
                quoted ^= c == '"';
                plain.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[skipped..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out() {
        let text = "{ // one\n \"image\": \"http://x/*y*/\", /* two */ \"a\": \"\\\"//\" }";
        assert_eq!(without_comments(text), "{ \n \"image\": \"http://x/*y*/\",  \"a\": \"\\\"//\" }");
    }

    #[test]
    fn recipes_name_what_they_build_on() {
        for (recipe, expected) in [
            ("# x\nFROM node:22 AS build\nFROM nginx", Some("node:22")),
            ("from --platform=linux/amd64 rust:1", Some("rust:1")),
            ("ARG V\nFROM node:$V", None),
            ("", None),
        ] {
            assert_eq!(base(recipe).as_deref(), expected, "{recipe}");
        }
        assert!(is_musl("node:22-alpine3.20") && is_musl("alpine") && !is_musl("debian:12"));
    }
}
