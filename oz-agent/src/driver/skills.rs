//! The skills of a run: looked for in its repositories and, on a person's own machine, where that person keeps them; told
//! to the control plane, and chosen as its configuration and its prompt say.

use super::prepare;
use crate::{
    repository,
    skill::{self, Place, Resolved, Skill, Spec},
};
use futures_util::future::join_all;
use oz_client::Client;
use oz_core::{
    Error,
    api::{FoundSkill, ReportSkills},
    config::{AgentConfig, SourceRepo},
    harness,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::timeout};

/// How long the report may take: the agent waits for it, and nothing of its work depends on it.
const REPORT: Duration = Duration::from_secs(5);
/// How much of what a skill says of itself every agent is told, in characters.
const DESCRIPTION: usize = 1024;

/// A skill that the agent is to follow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instructions {
    /// Its name.
    pub(super) name: String,
    /// What to do.
    pub(super) text: String,
    /// Where more files belong to it.
    pub(super) directory: Option<PathBuf>,
}

/// What the skills of a run mean for its agent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chosen {
    /// What it is to follow.
    pub(super) instructions: Vec<Instructions>,
    /// What else it was asked.
    pub(super) prompt: String,
    /// Which they are and where they were found.
    pub(super) detail: String,
}

/// The skills that a configuration names, in order. The first is repeated where the control plane adds it.
pub(super) fn named(config: &AgentConfig) -> Vec<&str> {
    let all = config.skills.iter().map(String::as_str);
    let one = config.skill_spec.as_deref().filter(|spec| config.skills.is_empty() && !spec.is_empty());
    all.chain(one).collect()
}

/// Looks for skills in the repositories that were cloned into `cwd`. Without any, looks in `cwd`; on a person's machine,
/// which `home` stands for, also in the repositories around it and directly in it. And on `shelves`, directories that
/// hold skills for every run.
pub(super) async fn find(
    repos: &[SourceRepo],
    cwd: &Path,
    home: Option<&Path>,
    shelves: &[PathBuf],
) -> Vec<Place> {
    let mut places: Vec<Place> = repos
        .iter()
        .zip(prepare::directories(repos))
        .map(|(repo, name)| Place::new(cwd.join(name), &repo.url))
        .collect();
    let (cwd, home, shelves) = (cwd.to_owned(), home.map(Path::to_owned), shelves.to_vec());
    let looking = spawn_blocking(move || {
        if places.is_empty() {
            places = around(&cwd, home.is_some());
        }
        for place in &mut places {
            let inside = cwd.strip_prefix(&place.root).unwrap_or(Path::new(""));
            place.skills = skill::discover(&place.root, inside);
        }
        // A directory without a repository counts only for what it holds.
        places.retain(|place| !place.skills.is_empty() || place.root != cwd);
        for mut shelf in shelves.into_iter().rev().map(Place::shelf) {
            shelf.skills = skill::on_shelf(&shelf.root);
            places.insert(0, shelf);
        }
        if let Some(mut home) = home.map(Place::home) {
            home.skills = skill::discover(&home.root, Path::new(""));
            places.insert(0, home);
        }
        places
    });
    looking.await.unwrap_or_else(|error| {
        tracing::error!(%error, "skills could not be looked for");
        Vec::new()
    })
}

/// The directories that a variable lists as `PATH` does. Relative ones would mean another directory in every run.
pub(super) fn shelves(list: &str) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|path| path.is_absolute()).collect()
}

/// The repositories at GitHub that `names` want and that are not in `places`, each once.
///
/// # Errors
/// When a name is none of a skill or of a repository there.
pub(super) fn absent(names: &[&str], places: &[Place]) -> Result<Vec<(String, String)>, Error> {
    let mut absent: Vec<(String, String)> = Vec::new();
    for name in names {
        let spec = Spec::parse(name)?;
        if skill::is_there(&spec, places) {
            continue;
        }
        let found = spec.at_github()?.map(|(owner, repo)| (owner.to_owned(), repo.to_owned()));
        absent.extend(found.filter(|found| !absent.contains(found)));
    }
    Ok(absent)
}

/// A repository that was cloned for the skills in it.
pub(super) fn borrowed(root: PathBuf, url: &str) -> Place {
    let mut place = Place::new(root, url);
    place.skills = skill::discover(&place.root, Path::new(""));
    place
}

/// The places for work in a directory: the repository that it belongs to, or it alone, and the repositories in it.
fn around(cwd: &Path, is_own_machine: bool) -> Vec<Place> {
    if !is_own_machine {
        return vec![Place::new(cwd.to_owned(), "")];
    }
    let root = repository::root_of(cwd);
    let alone = root.is_none().then(|| Place::new(cwd.to_owned(), ""));
    let below = repository::roots_in(cwd);
    let roots = root.into_iter().chain(below);
    roots
        .map(|root| Place::new(root.clone(), &repository::origin(&root).unwrap_or_default()))
        .chain(alone)
        .collect()
}

/// What an agent is told of the skills that it may use.
pub(super) fn in_scope(places: &[Place]) -> Vec<harness::Skill> {
    let told = |place: &Place, skill: &Skill| {
        let content = skill.content.as_ref().ok()?;
        Some(harness::Skill {
            name: content.name.clone(),
            description: content.description.chars().take(DESCRIPTION).collect(),
            path: place.root.join(&skill.path),
        })
    };
    places.iter().flat_map(|place| place.skills.iter().filter_map(move |skill| told(place, skill))).collect()
}

/// Tells the control plane what was found; the run does not depend on it.
pub(super) async fn report(client: &Client, places: &[Place]) {
    let calls = places.iter().filter_map(|place| {
        let repo = place.owner_and_repo()?;
        Some(async move {
            let request = ReportSkills { repo, skills: place.skills.iter().map(found).collect() };
            if let Err(error) = client.send_once(&request).await {
                tracing::warn!(%error, repo = request.repo, "the skills of a repository could not be reported");
            }
        })
    });
    if timeout(REPORT, join_all(calls)).await.is_err() {
        tracing::warn!("reporting skills took too long");
    }
}

fn found(skill: &Skill) -> FoundSkill {
    let (description, base_prompt, error) = match &skill.content {
        Ok(content) => (content.description.clone(), content.instructions.clone(), None),
        Err(problem) => (String::new(), String::new(), Some(problem.clone())),
    };
    FoundSkill { name: skill.name().to_owned(), path: skill.path.clone(), description, base_prompt, error }
}

/// The skill that a prompt calls, as in `/name and more`, and what it says after that.
fn called(prompt: &str) -> Option<(Spec, &str)> {
    let line = prompt.trim().strip_prefix('/')?;
    let (name, more) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if name.contains('/') {
        return None;
    }
    Some((Spec::parse(name).ok()?, more.trim()))
}

/// Whether a prompt calls one of the skills in `places`.
pub(super) fn calls(prompt: &str, places: &[Place]) -> bool {
    called(prompt).is_some_and(|(spec, _)| skill::knows(&spec, places))
}

/// What the skills `names` and that which the prompt calls say. A prompt that calls none is left as it is.
pub(super) async fn choose(names: &[&str], prompt: &str, mut places: Vec<Place>) -> Result<Chosen, Error> {
    let specs = names.iter().map(|name| Spec::parse(name)).collect::<Result<Vec<Spec>, Error>>()?;
    let prompt = prompt.to_owned();
    let choosing = spawn_blocking(move || {
        for path in specs.iter().filter_map(Spec::path) {
            for place in &mut places {
                if !place.skills.iter().any(|skill| skill.path == path) {
                    place.skills.extend(skill::read_at(&place.root, path));
                }
            }
        }
        let mut chosen = Chosen { prompt, ..Chosen::default() };
        let mut details = Vec::new();
        let mut follow = |spec: &Spec, chosen: &mut Chosen| {
            let found = skill::resolve(spec, &places)?;
            details.push(format!("{} ({}:{})", found.content.name, found.place.label(), found.skill.path));
            chosen.instructions.push(instructions(found));
            Ok::<(), Error>(())
        };
        for spec in &specs {
            follow(spec, &mut chosen)?;
        }
        let prompt = chosen.prompt.clone();
        if let Some((spec, more)) = called(&prompt).filter(|(spec, _)| skill::knows(spec, &places)) {
            follow(&spec, &mut chosen)?;
            more.clone_into(&mut chosen.prompt);
            put_in(&mut chosen, |_| true);
        } else if let [_] = specs.as_slice() {
            put_in(&mut chosen, skill::asks);
        }
        chosen.detail = details.join(", ");
        Ok(chosen)
    });
    choosing.await.unwrap_or_else(|error| Err(Error::internal(format!("skills could not be read: {error}"))))
}

/// Puts what was asked into the places that the last skill has for it, when it `wants` that.
fn put_in(chosen: &mut Chosen, wants: impl FnOnce(&str) -> bool) {
    if let Some(last) = chosen.instructions.last_mut().filter(|last| wants(&last.text))
        && let Some(text) = skill::fill(&last.text, &chosen.prompt)
    {
        last.text = text;
        chosen.prompt.clear();
    }
}

fn instructions(Resolved { place, skill, content }: Resolved<'_>) -> Instructions {
    let file = place.root.join(&skill.path);
    let more = file.parent().filter(|directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| path != file)
    });
    // A file at the root of a repository has the whole of it beside it, which is nothing to tell.
    let directory = more.filter(|directory| *directory != place.root).map(Path::to_owned);
    Instructions { name: content.name.clone(), text: content.instructions.clone(), directory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_skill_counts_once() {
        let config = |spec: Option<&str>, skills: &[&str]| AgentConfig {
            skill_spec: spec.map(str::to_owned),
            skills: skills.iter().map(|s| (*s).to_owned()).collect(),
            ..AgentConfig::default()
        };
        for (config, expected) in [
            (config(None, &[]), &[][..]),
            (config(Some(""), &[]), &[]),
            (config(Some("a"), &[]), &["a"]),
            (config(Some("a"), &["a", "b"]), &["a", "b"]),
            (config(None, &["a", "b"]), &["a", "b"]),
        ] {
            assert_eq!(named(&config), expected);
        }
    }

    fn place(root: &Path, skills: &[(&str, &str)]) -> Place {
        for (name, text) in skills {
            let file = root.join(format!(".agents/skills/{name}/SKILL.md"));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("---\nname: {name}\ndescription: d\n---\n{text}")).unwrap();
        }
        let mut place = Place::new(root.to_owned(), "https://h/me/app");
        place.skills = skill::discover(root, Path::new(""));
        place
    }

    #[tokio::test]
    async fn a_prompt_calls_skills_and_gives_them_what_they_ask_for() {
        let dir = tempfile::tempdir().unwrap();
        let skills = [
            ("explain", "Explain $0 in a $2 tone. All: $ARGUMENTS"),
            ("greet", "Greet the user."),
            ("script", "Run: awk '{print $1}'"),
        ];
        let places = [place(dir.path(), &skills)];
        let explained = "Explain bears in a fun tone. All: bears engineering fun";
        for (names, prompt, expected, rest) in [
            (&[][..], "/explain bears engineering fun", &[explained][..], ""),
            (&[], " /greet say it in French\nplease", &["Greet the user."], "say it in French\nplease"),
            (&[], "/app:greet", &["Greet the user."], ""),
            (&[], "/script a b", &["Run: awk '{print b}'"], ""),
            (&[], "/etc/hosts is wrong", &[], "/etc/hosts is wrong"),
            (&[], "/nope x", &[], "/nope x"),
            (&[], "/", &[], "/"),
            (&[], "say /greet", &[], "say /greet"),
            (&["explain"], "bears engineering fun", &[explained], ""),
            (&["greet"], "in French", &["Greet the user."], "in French"),
            (&["script"], "one two", &["Run: awk '{print $1}'"], "one two"),
            (&["script"], "/greet you", &["Run: awk '{print $1}'", "Greet the user."], "you"),
            (
                &["explain", "greet"],
                "a b c",
                &["Explain $0 in a $2 tone. All: $ARGUMENTS", "Greet the user."],
                "a b c",
            ),
        ] {
            let chosen = choose(names, prompt, places.to_vec()).await.unwrap();
            let texts: Vec<&str> = chosen.instructions.iter().map(|skill| skill.text.as_str()).collect();
            assert_eq!((texts.as_slice(), chosen.prompt.as_str()), (expected, rest), "{prompt}");
        }
        let error = choose(&["nope"], "", places.to_vec()).await.unwrap_err();
        assert!(error.detail.contains("Skill 'nope' not found"), "{error}");
    }

    #[tokio::test]
    async fn a_person_s_own_skills_are_found_around_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for root in ["app", "app/ui/inner", "other"] {
            fs::create_dir_all(path(root).join(".git")).unwrap();
        }
        for (root, name) in
            [("home", "a"), ("app", "b"), ("app/ui", "c"), ("app/ui/inner", "d"), ("other", "e")]
        {
            place(&path(root), &[(name, "x")]);
        }
        fs::write(path("app/ui/.agents/skills/c/more.txt"), "").unwrap();
        let found = async |cwd: &str, home: Option<&Path>| -> Vec<String> {
            let places = find(&[], &path(cwd), home, &[]).await;
            let skills = in_scope(&places).into_iter();
            skills.map(|skill| skill.path.strip_prefix(dir.path()).unwrap().display().to_string()).collect()
        };
        let at = |root: &str, name: &str| format!("{root}/.agents/skills/{name}/SKILL.md");
        let home = path("home");
        let all = [at("home", "a"), at("app", "b"), at("app/ui", "c"), at("app/ui/inner", "d")];
        assert_eq!(found("app/ui", Some(&home)).await, all);
        assert_eq!(found("app", Some(&home)).await, all[..2]);
        assert_eq!(found("app/ui", None).await, [at("app/ui", "c")]);
        let places = find(&[], &path("app/ui"), Some(&home), &[]).await;
        let chosen = choose(&["c"], "", places).await.unwrap();
        assert_eq!(chosen.instructions[0].directory, Some(path("app/ui/.agents/skills/c")));
    }
}
