use super::{
    checkout::{Checkout, Login},
    origin::Origin,
    propose::propose,
    tree::Tree,
    *,
};

fn tree(files: &[(&str, &str)]) -> Tree {
    let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
    Tree::new(files.iter().map(|(path, _)| (*path).to_owned()), read)
}

fn checkout(origin: &str, files: &[(&str, &str)]) -> Checkout {
    Checkout {
        root: PathBuf::from(origin),
        origin: Some(Origin::read(origin)),
        branch: Some("main".to_owned()),
        pushed: true,
        login: Login::NotNeeded,
        tree: tree(files),
        ..Checkout::default()
    }
}

fn proposed(files: &[(&str, &str)]) -> Proposal {
    propose(None, &[checkout("https://github.com/me/app", files)]).unwrap()
}

/// A row: the files of a checkout, the image, the setup commands.
type Row = (&'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);

#[rustfmt::skip]
const LANGUAGES: &[Row] = &[
    (&[("package.json", "{}"), ("package-lock.json", "")], "node:24", &["npm ci"]),
    (&[("package.json", "{}"), ("package-lock.json", ""), (".nvmrc", "v20.11.1\n")], "node:20", &["npm ci"]),
    (&[("package.json", r#"{"engines":{"node":"^22"}}"#), ("pnpm-lock.yaml", "")], "node:22",
        &["corepack enable && pnpm install --frozen-lockfile"]),
    (&[("package.json", r#"{"volta":{"node":"18.1.0"}}"#), ("yarn.lock", "")], "node:18",
        &["yarn install --frozen-lockfile"]),
    (&[("package.json", r#"{"packageManager":"yarn@4.1.0"}"#), ("yarn.lock", "")], "node:24",
        &["corepack enable && yarn install --immutable"]),
    (&[("package.json", "{}"), ("bun.lock", "")], "oven/bun:1", &["bun install --frozen-lockfile"]),
    (&[("package.json", r#"{"dependencies":{"a":"1"}}"#)], "node:24", &["npm install"]),
    (&[("package.json", r#"{"name":"a"}"#)], "node:24", &[]),
    (&[("Cargo.toml", ""), ("Cargo.lock", "")], "rust:1", &["cargo fetch --locked"]),
    (&[("Cargo.toml", ""), ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.88.0\"")], "rust:1.88.0",
        &["cargo fetch"]),
    (&[("Cargo.toml", ""), ("rust-toolchain", "nightly-2026-01-01\n")], "rustlang/rust:nightly", &["cargo fetch"]),
    (&[("go.mod", "module a\n\ngo 1.22.1\n")], "golang:1.22", &["go mod download"]),
    (&[("go.mod", "module a\ngo 1.21\ntoolchain go1.23.4\n")], "golang:1.23", &["go mod download"]),
    (&[("pyproject.toml", "[project]\nrequires-python = \">=3.10,<3.12\""), ("uv.lock", "")], "python:3.11",
        &["pip install uv && uv sync --frozen"]),
    (&[("pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.11\""), ("poetry.lock", "")], "python:3.13",
        &["pip install poetry && poetry install --no-interaction"]),
    (&[("requirements.txt", ""), ("requirements-dev.txt", ""), (".python-version", "3.12.1")], "python:3.12",
        &["pip install -r requirements.txt -r requirements-dev.txt"]),
    (&[("setup.py", "")], "python:3.13", &["pip install -e ."]),
    (&[("pyproject.toml", "[tool.ruff]")], "python:3.13", &[]),
    (&[("Gemfile", "source \"x\"\nruby \"~> 3.2\"\n"), ("Gemfile.lock", "")], "ruby:3.2",
        &["BUNDLE_FROZEN=true bundle install"]),
    (&[("pom.xml", "<properties><java.version>17</java.version></properties>"), ("mvnw", "")],
        "maven:3-eclipse-temurin-17", &["./mvnw -B dependency:go-offline"]),
    (&[("pom.xml", "<maven.compiler.source>1.8</maven.compiler.source>")], "maven:3-eclipse-temurin-8",
        &["mvn -B dependency:go-offline"]),
    (&[("settings.gradle.kts", ""), ("build.gradle.kts", "kotlin { jvmToolchain(17) }"), ("gradlew", "")],
        "gradle:jdk17", &["./gradlew --no-daemon dependencies"]),
    (&[("composer.json", r#"{"require":{"php":"^8.2"}}"#), ("composer.lock", "")],
        "mcr.microsoft.com/devcontainers/php:8.2", &["composer install --no-interaction"]),
    (&[("mix.exs", "elixir: \"~> 1.15\","), (".tool-versions", "erlang 26\nelixir 1.16.2-otp-26")], "elixir:1.16",
        &["mix local.hex --force && mix local.rebar --force && mix deps.get"]),
    (&[("README.md", "")], "buildpack-deps:bookworm", &[]),
    (&[("package.json", "{ broken"), ("package-lock.json", "")], "node:24", &["npm ci"]),
];

#[rustfmt::skip]
const MONOREPOS: &[Row] = &[
    // A workspace takes in its members, but not what has a lock file of its own.
    (&[("package.json", r#"{"workspaces":["packages/*"]}"#), ("package-lock.json", ""),
        ("packages/a/package.json", r#"{"dependencies":{"b":"1"}}"#),
        ("tools/gen/package.json", "{}"), ("tools/gen/package-lock.json", "")],
        "node:24", &["npm ci", "cd tools/gen && npm ci"]),
    (&[("Cargo.toml", "[workspace]"), ("Cargo.lock", ""), ("crates/a/Cargo.toml", ""), ("fuzz/Cargo.toml", ""),
        ("fuzz/Cargo.lock", "")], "rust:1", &["cargo fetch --locked", "cd fuzz && cargo fetch --locked"]),
    (&[("go.work", "go 1.23"), ("a/go.mod", "go 1.22"), ("b/go.mod", "go 1.22")], "golang:1.23",
        &["go mod download"]),
    (&[("a/go.mod", "go 1.22"), ("a b/go.mod", "go 1.22")], "golang:1.22",
        &["cd a && go mod download", "cd 'a b' && go mod download"]),
    (&[("pom.xml", "<modules>"), ("core/pom.xml", "")], "maven:3-eclipse-temurin-21",
        &["mvn -B dependency:go-offline"]),
    // What nobody works on, and what lies too deep, does not count.
    (&[("package.json", "{}"), ("package-lock.json", ""), ("examples/a/package.json", "{}"),
        ("examples/a/package-lock.json", ""), ("docs/requirements.txt", ""), ("a/b/c/d/go.mod", "")],
        "node:24", &["npm ci"]),
    (&[("api/go.mod", "go 1.22"), ("web/package.json", "{}"), ("web/pnpm-lock.yaml", "")],
        "buildpack-deps:bookworm",
        &["cd api && go mod download", "cd web && corepack enable && pnpm install --frozen-lockfile"]),
];

#[test]
fn languages_and_their_dependencies_are_recognised() {
    for (files, image, setup) in LANGUAGES.iter().chain(MONOREPOS) {
        let config = proposed(files).config;
        assert_eq!(config.docker_image.as_deref(), Some(*image), "{files:?}");
        assert_eq!(config.setup_commands, *setup, "{files:?}");
    }
}

#[test]
fn what_a_checkout_says_of_containers_counts() {
    let container = "{ // ours\n \"image\": \"mcr.microsoft.com/devcontainers/rust:1\", }";
    let proposal = proposed(&[("Cargo.toml", ""), (".devcontainer/devcontainer.json", container)]);
    assert_eq!(proposal.config.docker_image.as_deref(), Some("mcr.microsoft.com/devcontainers/rust:1"));
    let proposal = proposed(&[("go.mod", "go 1.22"), ("Dockerfile", "FROM golang:1.22-alpine\n")]);
    assert_eq!(proposal.config.docker_image.as_deref(), Some("golang:1.22"));
    let said = proposal.reasons.iter().find(|reason| reason.why.contains("Dockerfile")).unwrap();
    assert!(said.why.contains("golang:1.22-alpine") && said.why.contains("glibc"), "{}", said.why);
}

#[test]
fn the_branch_is_named_only_where_a_clone_would_not_get_it() {
    for (branch, default, pushed, expected) in [
        (Some("main"), None, true, "me/app"),
        (Some("main"), Some("trunk"), true, "me/app@main"),
        (Some("trunk"), Some("trunk"), true, "me/app"),
        (Some("fix"), Some("main"), true, "me/app@fix"),
        (Some("fix"), Some("main"), false, "me/app"),
        (None, Some("main"), false, "me/app"),
    ] {
        let mut one = checkout("git@github.com:me/app.git", &[]);
        one.branch = branch.map(str::to_owned);
        one.default_branch = default.map(str::to_owned);
        one.pushed = pushed;
        let proposal = propose(None, &[one]).unwrap();
        assert_eq!(proposal.reasons[0].choice.as_deref(), Some(expected), "{branch:?} {default:?} {pushed}");
    }
}

#[test]
fn several_checkouts_become_one_environment() {
    let lock = [
        ("package.json", "{}"),
        ("package-lock.json", ""),
        ("sub/package.json", "{}"),
        ("sub/yarn.lock", ""),
    ];
    let mut private = checkout("git@git.example.com:me/lib.git", &lock);
    private.login = Login::Needed;
    let open = checkout("https://github.com/me/app", &[("package.json", "{}"), ("package-lock.json", "")]);
    let proposal = propose(Some("shop"), &[open, private]).unwrap();
    insta::assert_snapshot!(text(&proposal, Format::Pretty), @r#"
    repository    me/app
                  origin names it; 'main' is its default branch
    repository    https://git.example.com/me/lib.git
                  origin names it for SSH, whose keys runs don't have: this is its address on the web; 'main' is its default branch
    image         node:24
                  package.json names no version of Node.js; this one has long-term support
    setup command cd app && npm ci
                  package-lock.json is there
    setup command cd lib && npm ci
                  package-lock.json is there
    setup command cd lib/sub && yarn install --frozen-lockfile
                  sub/yarn.lock is there
    git login     git.example.com=GIT_TOKEN_GIT_EXAMPLE_COM
                  git.example.com gives this repository to nobody without a login; store a token that may read it with `oz secret create GIT_TOKEN_GIT_EXAMPLE_COM`

    oz environment create -n shop \
      -r https://github.com/me/app.git \
      -r https://git.example.com/me/lib.git \
      -d node:24 \
      -c 'cd app && npm ci' \
      -c 'cd lib && npm ci' \
      -c 'cd lib/sub && yarn install --frozen-lockfile' \
      --git-credential git.example.com=GIT_TOKEN_GIT_EXAMPLE_COM
    "#);
    insta::assert_snapshot!(table_of(&proposal), @r#"
    WHAT	CHOICE	WHY
    repository	me/app	origin names it; 'main' is its default branch
    repository	https://git.example.com/me/lib.git	origin names it for SSH, whose keys runs don't have: this is its address on the web; 'main' is its default branch
    image	node:24	package.json names no version of Node.js; this one has long-term support
    setup command	cd app && npm ci	package-lock.json is there
    setup command	cd lib && npm ci	package-lock.json is there
    setup command	cd lib/sub && yarn install --frozen-lockfile	sub/yarn.lock is there
    git login	git.example.com=GIT_TOKEN_GIT_EXAMPLE_COM	git.example.com gives this repository to nobody without a login; store a token that may read it with `oz secret create GIT_TOKEN_GIT_EXAMPLE_COM`

    oz environment create -n shop \
      -r https://github.com/me/app.git \
      -r https://git.example.com/me/lib.git \
      -d node:24 \
      -c 'cd app && npm ci' \
      -c 'cd lib && npm ci' \
      -c 'cd lib/sub && yarn install --frozen-lockfile' \
      --git-credential git.example.com=GIT_TOKEN_GIT_EXAMPLE_COM
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&proposal.config).unwrap(), @r#"
    {
      "name": "shop",
      "description": null,
      "docker_image": "node:24",
      "github_repos": [
        {
          "owner": "me",
          "repo": "app"
        }
      ],
      "source_repos": [
        {
          "url": "https://github.com/me/app.git"
        },
        {
          "url": "https://git.example.com/me/lib.git"
        }
      ],
      "setup_commands": [
        "cd app && npm ci",
        "cd lib && npm ci",
        "cd lib/sub && yarn install --frozen-lockfile"
      ],
      "git_credentials": [
        {
          "host": "git.example.com",
          "secret": "GIT_TOKEN_GIT_EXAMPLE_COM"
        }
      ]
    }
    "#);
}

#[test]
fn a_host_that_says_nothing_is_told() {
    let mut one = checkout("https://user:hunter2@gitlab.com/g/app.git", &[]);
    one.login = Login::Unknown;
    let proposal = propose(None, &[one]).unwrap();
    assert!(proposal.config.git_credentials.is_empty());
    let shown = table_of(&proposal);
    assert!(
        shown.contains("--git-credential gitlab.com=GITLAB_TOKEN") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn a_checkout_without_an_origin_is_refused() {
    let one = Checkout { root: "/srv/app".into(), ..Checkout::default() };
    let error = propose(None, &[one]).unwrap_err().to_string();
    assert!(error.contains("'/srv/app'") && error.contains("git remote add origin"), "{error}");
}

fn table_of(proposal: &Proposal) -> String {
    text(proposal, Format::Text)
}

/// What git says of a real checkout, whose origin is a directory beside it.
#[tokio::test]
async fn a_checkout_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let run = |cwd: &str, words: &[&str]| {
        let config = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"];
        let mut git = std::process::Command::new("git");
        git.args(config).args(words).current_dir(dir.path().join(cwd)).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(git.output().unwrap().status.success(), "{words:?}");
    };
    run("", &["init", "-q", "origin"]);
    std::fs::write(dir.path().join("origin/go.mod"), "go 1.22").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("origin/.nvmrc")).unwrap();
    run("origin", &["add", "."]);
    run("origin", &["commit", "-qm", "a"]);
    run("", &["clone", "-q", "./origin", "clone"]);
    run("clone", &["checkout", "-qb", "fix"]);
    std::fs::create_dir(dir.path().join("clone/sub")).unwrap();
    std::fs::write(dir.path().join("clone/package.json"), "{}").unwrap();
    let seen = checkout::look(&dir.path().join("clone/sub")).await.unwrap();
    assert_eq!(seen.root.canonicalize().unwrap(), dir.path().join("clone").canonicalize().unwrap());
    assert_eq!((seen.branch.as_deref(), seen.default_branch.as_deref()), (Some("fix"), Some("trunk")));
    assert!(!seen.pushed && seen.login == Login::NotNeeded);
    let top = seen.tree.at("");
    assert_eq!(top.text("go.mod"), Some("go 1.22"));
    assert!(top.has(".nvmrc") && top.text(".nvmrc").is_none() && !top.has("package.json"));
    assert!(checkout::look(dir.path()).await.unwrap_err().to_string().contains("not in a checkout"));
}
