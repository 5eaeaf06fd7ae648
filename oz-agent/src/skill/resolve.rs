//! Which of the skills that were found a specification means: a pure decision.

use super::{Content, Place, Skill, Spec};
use oz_core::{Error, ErrorCode};
use std::collections::HashSet;

/// The skill that is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resolved<'a> {
    /// Where it was found.
    pub(crate) place: &'a Place,
    /// The skill.
    pub(crate) skill: &'a Skill,
    /// What it says.
    pub(crate) content: &'a Content,
}

/// The skill in `places` that `spec` means.
///
/// # Errors
/// `resource_not_found` when there is no such skill or more than one, `environment_setup_failed` when its file can't be
/// read.
pub(crate) fn resolve<'a>(spec: &Spec, places: &'a [Place]) -> Result<Resolved<'a>, Error> {
    let among = repositories(spec, places)?;
    let mut found: Vec<(&Place, &Skill)> =
        among.iter().filter_map(|place| Some((*place, spec.choose(&place.skills)?))).collect();
    // Two clones of one repository have the same skill, not two.
    let mut labels = HashSet::new();
    found.retain(|(place, _)| labels.insert(place.label()));
    if let Some(first) = found.iter().position(|(place, _)| place.is_home) {
        found = vec![found[first]];
    }
    match found.as_slice() {
        [] => Err(missing(match among.as_slice() {
            [] => format!("Skill '{}' not found: the run has no repository", spec.text),
            among => {
                let names: Vec<String> = among.iter().map(|place| place.label()).collect();
                let names = names.join(", ");
                let rule = if spec.is_elsewhere() {
                    "; a path of a skill begins at the root of its repository and stays in it"
                } else {
                    ""
                };
                format!("Skill '{}' not found in {names}{rule}", spec.text)
            }
        })),
        [(place, skill)] => match &skill.content {
            Ok(content) => Ok(Resolved { place, skill, content }),
            Err(problem) => {
                let text = format!("Failed to parse skill file {}:{}: {problem}", place.label(), skill.path);
                Err(Error::new(ErrorCode::EnvironmentSetupFailed, text))
            }
        },
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|(place, skill)| format!("{}:{}", place.label(), spec.path().unwrap_or(skill.name())))
                .collect();
            let text =
                format!("Skill '{}' is ambiguous; name its repository: {}", spec.text, names.join(", "));
            Err(missing(text))
        }
    }
}

/// Whether a specification means something in `places`, be it more than one skill or one that can't be read.
pub(crate) fn knows(spec: &Spec, places: &[Place]) -> bool {
    let among = repositories(spec, places).unwrap_or_default();
    among.iter().any(|place| spec.choose(&place.skills).is_some())
}

/// Whether there is a repository of the name that a specification has for it, whoever owns it.
pub(crate) fn is_there(spec: &Spec, places: &[Place]) -> bool {
    let Some(repo) = &spec.repo else { return true };
    places.iter().any(|place| place.known_as(repo).is_some())
}

/// The repositories that a specification allows.
fn repositories<'a>(spec: &Spec, places: &'a [Place]) -> Result<Vec<&'a Place>, Error> {
    let Some(repo) = &spec.repo else { return Ok(places.iter().collect()) };
    let known: Vec<(&Place, Option<&str>)> =
        places.iter().filter_map(|place| Some((place, place.known_as(repo)?))).collect();
    if known.is_empty() {
        return Err(missing(format!("Repository '{repo}' not found")));
    }
    let Some(org) = &spec.org else { return Ok(known.into_iter().map(|(place, _)| place).collect()) };
    let is_org = |owner: &Option<&str>| owner.is_some_and(|owner| owner.eq_ignore_ascii_case(org));
    let right: Vec<&Place> =
        known.iter().filter(|(_, owner)| is_org(owner)).map(|(place, _)| *place).collect();
    if right.is_empty() {
        let owners: Vec<&str> = known.iter().map(|(_, owner)| owner.unwrap_or("nobody")).collect();
        let owners = owners.join("', '");
        return Err(missing(format!(
            "Repository '{repo}' found but belongs to org '{owners}', expected '{org}'"
        )));
    }
    Ok(right)
}

fn missing(text: String) -> Error {
    Error::new(ErrorCode::ResourceNotFound, text)
}
