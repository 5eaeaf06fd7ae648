//! Java and its relatives, by Maven and Gradle.

use super::{Language, Needs, between};
use crate::cmd::environment::init::tree::Dir;

/// The version with long-term support that is taken where a project leaves the choice.
const LTS: u32 = 21;

pub(super) const MAVEN: Language = Language {
    name: "Java",
    manifests: &["pom.xml"],
    locks: &[],
    covers: |dir| dir.text("pom.xml").is_some_and(|pom| pom.contains("<modules>")),
    inspect: maven,
};

pub(super) const GRADLE: Language = Language {
    name: "Java",
    manifests: &["settings.gradle.kts", "settings.gradle", "build.gradle.kts", "build.gradle"],
    locks: &["settings.gradle", "settings.gradle.kts"],
    covers: |dir| dir.first(&["settings.gradle.kts", "settings.gradle"]).is_some(),
    inspect: gradle,
};

fn maven(dir: Dir) -> Needs {
    let pom = dir.text("pom.xml").unwrap_or_default();
    let names = ["maven.compiler.release", "java.version", "maven.compiler.target", "maven.compiler.source"];
    let said = names
        .iter()
        .find_map(|name| release(between(pom, &format!("<{name}>"), "<")?).map(|release| (*name, release)));
    let (release, why_image) = chosen(said, "pom.xml");
    let program = if dir.has("mvnw") { "./mvnw" } else { "mvn" };
    let setup = format!("{program} -B dependency:go-offline");
    let why = format!("{} is there", dir.path_of("pom.xml"));
    Needs { image: format!("maven:3-eclipse-temurin-{release}"), why_image, setup: Some((setup, why)) }
}

fn gradle(dir: Dir) -> Needs {
    let file = dir.first(&["build.gradle.kts", "build.gradle"]);
    let build = file.and_then(|file| dir.text(file)).unwrap_or_default();
    let places = ["JavaLanguageVersion.of(", "jvmToolchain(", "JavaVersion.VERSION_"];
    let said = places.iter().find_map(|place| {
        let rest = &build[build.find(place)? + place.len()..];
        release(rest).map(|release| (place.trim_end_matches(['(', '_']), release))
    });
    let (release, why_image) = chosen(said, file.unwrap_or("settings.gradle"));
    let program = if dir.has("gradlew") { "./gradlew" } else { "gradle" };
    let setup = format!("{program} --no-daemon dependencies");
    let why = format!("{} is there", dir.path_of(dir.first(GRADLE.manifests).unwrap_or("build.gradle")));
    Needs { image: format!("gradle:jdk{release}"), why_image, setup: Some((setup, why)) }
}

fn chosen(said: Option<(&str, u32)>, file: &str) -> (u32, String) {
    match said {
        Some((place, release)) => (release, format!("{place} in {file} says {release}")),
        None => (LTS, format!("{file} names no version of Java; this one has long-term support")),
    }
}

/// The release in `17`, `1.8` and `17)`.
fn release(text: &str) -> Option<u32> {
    let version = super::version(text.trim_start_matches("1_"))?;
    version.strip_prefix("1.").unwrap_or(&version).split('.').next()?.parse().ok()
}
