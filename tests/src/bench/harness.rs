//! The same task done by each agent on the same model: a look, a read, an edit, two commands and a last word. The model
//! answers at once, so what is measured is what the agents add: time, processor and memory of all their processes.

use crate::{Figure, oz, percentile, server::bench_dir};
use fake_model::{FakeModel, Turn};
use oz_tests::tools;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// How often each agent does the task.
const TIMES: usize = 5;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How long a task may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Clock ticks of the kernel in a second, which Linux shows to all programs alike.
const TICKS: f64 = 100.0;
const KEY: &str = "bench-key";
const CLAUDE: &str = "Claude Code";
const CODEX: &str = "Codex";
const PROMPT: &str = "mend the greeting";

/// One agent and how to start it.
struct Agent {
    name: &'static str,
    /// Program and arguments.
    words: Vec<String>,
    /// Its variables beside `HOME` and `PATH`.
    env: fn(url: &str, home: &Path) -> BTreeMap<String, String>,
    /// Files of its home.
    files: fn(url: &str) -> Vec<(&'static str, String)>,
    /// Its tools and their arguments, for the file at this path.
    calls: fn(file: &str) -> [(&'static str, Value); 5],
    /// Whether it reads its prompt.
    reads: bool,
}

#[derive(Default)]
struct Sample {
    wall: f64,
    cpu: f64,
    peak_mib: f64,
}

pub(crate) fn run(runtime: &Runtime) -> Vec<Figure> {
    let programs = tools::node_modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("clis")).join(".bin");
    let mut figures = Vec::new();
    let mut ours: Option<Sample> = None;
    let mut better = Sample { wall: f64::MAX, cpu: f64::MAX, peak_mib: f64::MAX };
    for agent in agents() {
        let sample = median(runtime, &agent, &programs);
        let beside = |value: f64, of: fn(&Sample) -> f64| match &ours {
            Some(ours) => format!(" ({:.1}x)", value / of(ours)),
            None => String::new(),
        };
        let name = agent.name;
        figures.push(Figure::info(
            format!("six turns with {name}, exec to exit"),
            format!("{:.0} ms{}", sample.wall, beside(sample.wall, |s| s.wall)),
        ));
        figures.push(Figure::info(
            format!("six turns with {name}, processor"),
            format!("{:.0} ms{}", sample.cpu, beside(sample.cpu, |s| s.cpu)),
        ));
        figures.push(Figure::info(
            format!("six turns with {name}, peak of all its processes"),
            format!("{:.0} MiB{}", sample.peak_mib, beside(sample.peak_mib, |s| s.peak_mib)),
        ));
        if [CLAUDE, CODEX].contains(&name) {
            better.cpu = better.cpu.min(sample.cpu);
            better.peak_mib = better.peak_mib.min(sample.peak_mib);
        }
        ours.get_or_insert(sample);
    }
    let ours = ours.unwrap_or_default();
    for (what, of) in
        [("processor", (|s| s.cpu) as fn(&Sample) -> f64), ("peak of memory", |s: &Sample| s.peak_mib)]
    {
        let times = of(&better) / of(&ours);
        figures.push(Figure::new(
            format!("`oz agent run` against the better of {CLAUDE} and {CODEX}, {what}"),
            format!("1/{times:.1}"),
            "<= 1/5",
            times >= 5.0,
        ));
    }
    figures
}

fn agents() -> Vec<Agent> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let with_prompt = |text: &str| [words(text), vec![PROMPT.to_owned()]].concat();
    let native = "agent run --offline --model anthropic/bench --output-format json -p";
    let claude = "claude --output-format stream-json --verbose --dangerously-skip-permissions -p";
    vec![
        Agent {
            name: "`oz agent run`",
            words: [vec![oz().to_string_lossy().into_owned()], with_prompt(native)].concat(),
            env: |url, _| anthropic(url),
            files: |_| Vec::new(),
            calls: |_| {
                let edit = json!({ "path": "greet.sh", "old": "hallo", "new": "hello" });
                [
                    ("run_command", json!({ "command": "ls" })),
                    ("read_files", json!({ "files": [{ "path": "greet.sh" }] })),
                    ("edit_files", json!({ "title": "Mend", "edits": [edit] })),
                    ("run_command", json!({ "command": "sh greet.sh" })),
                    ("run_command", json!({ "command": "git diff" })),
                ]
            },
            reads: false,
        },
        Agent {
            name: CLAUDE,
            words: with_prompt(claude),
            env: |url, _| {
                let quiet = ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "IS_SANDBOX"];
                let mut env = anthropic(url);
                env.extend(quiet.map(|name| (name.to_owned(), "1".to_owned())));
                env
            },
            files: |_| Vec::new(),
            calls: |file| {
                [
                    ("Bash", json!({ "command": "ls", "description": "look" })),
                    ("Read", json!({ "file_path": file })),
                    ("Edit", json!({ "file_path": file, "old_string": "hallo", "new_string": "hello" })),
                    ("Bash", json!({ "command": "sh greet.sh", "description": "try" })),
                    ("Bash", json!({ "command": "git diff", "description": "check" })),
                ]
            },
            reads: false,
        },
        Agent {
            name: CODEX,
            words: with_prompt("codex exec --json"),
            env: |_, home| {
                let directory = home.join(".codex").to_string_lossy().into_owned();
                BTreeMap::from([
                    ("OPENAI_API_KEY".to_owned(), KEY.to_owned()),
                    ("CODEX_HOME".to_owned(), directory),
                ])
            },
            files: |url| vec![(".codex/config.toml", CODEX_CONFIG.replace("URL", url))],
            calls: |_| {
                let patch =
                    "*** Begin Patch\n*** Update File: greet.sh\n@@\n-echo hallo\n+echo hello\n*** End Patch";
                [
                    ("exec_command", json!({ "cmd": "ls" })),
                    ("exec_command", json!({ "cmd": "cat greet.sh" })),
                    ("apply_patch", json!(patch)),
                    ("exec_command", json!({ "cmd": "sh greet.sh" })),
                    ("exec_command", json!({ "cmd": "git diff" })),
                ]
            },
            reads: false,
        },
        Agent {
            name: "Gemini CLI",
            words: words("gemini --output-format stream-json --approval-mode yolo --model gemini-2.5-pro"),
            env: |url, _| {
                let pairs = [
                    ("GEMINI_API_KEY", KEY),
                    ("GOOGLE_GEMINI_BASE_URL", url),
                    ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
                ];
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
            },
            files: |_| vec![(".gemini/settings.json", GEMINI.to_owned())],
            calls: |file| {
                let edit = json!({ "file_path": file, "instruction": "mend", "old_string": "hallo", "new_string": "hello" });
                [
                    ("run_shell_command", json!({ "command": "ls", "description": "look" })),
                    ("read_file", json!({ "file_path": file })),
                    ("replace", edit),
                    ("run_shell_command", json!({ "command": "sh greet.sh", "description": "try" })),
                    ("run_shell_command", json!({ "command": "git diff", "description": "check" })),
                ]
            },
            reads: true,
        },
        Agent {
            name: "opencode",
            words: with_prompt("opencode run --format json --title bench --model anthropic/bench"),
            env: |_, home| {
                let config = home.join("opencode.json").to_string_lossy().into_owned();
                let quiet = [
                    "OPENCODE_DISABLE_AUTOUPDATE",
                    "OPENCODE_DISABLE_DEFAULT_PLUGINS",
                    "OPENCODE_DISABLE_LSP_DOWNLOAD",
                    "OPENCODE_DISABLE_MODELS_FETCH",
                    "OPENCODE_DISABLE_SHARE",
                ];
                let quiet = quiet.map(|name| (name.to_owned(), "1".to_owned()));
                [("OPENCODE_CONFIG".to_owned(), config)].into_iter().chain(quiet).collect()
            },
            files: |url| {
                let lock = r#"{ "packages": { "": { "dependencies": { "@opencode-ai/plugin": "*" } } } }"#;
                vec![
                    ("opencode.json", OPENCODE.replace("ADDRESS", url).replace("KEY", KEY)),
                    (".config/opencode/package-lock.json", lock.to_owned()),
                    (".config/opencode/package.json", "{}".to_owned()),
                    (".config/opencode/node_modules/.package-lock.json", "{}".to_owned()),
                ]
            },
            calls: |file| {
                [
                    ("bash", json!({ "command": "ls", "description": "look" })),
                    ("read", json!({ "filePath": file })),
                    ("edit", json!({ "filePath": file, "oldString": "hallo", "newString": "hello" })),
                    ("bash", json!({ "command": "sh greet.sh", "description": "try" })),
                    ("bash", json!({ "command": "git diff", "description": "check" })),
                ]
            },
            reads: false,
        },
    ]
}

const CODEX_CONFIG: &str = "model = \"gpt-5.5\"\nmodel_provider = \"bench\"\napproval_policy = \"never\"\n\
    sandbox_mode = \"danger-full-access\"\ncheck_for_update_on_startup = false\n[analytics]\nenabled = false\n\
    [model_providers.bench]\nname = \"bench\"\nbase_url = \"URL/v1\"\nenv_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n";
const GEMINI: &str = r#"{ "general": { "enableAutoUpdate": false }, "privacy": { "usageStatisticsEnabled": false },
    "security": { "auth": { "selectedType": "gemini-api-key" } } }"#;
const OPENCODE: &str = r#"{ "autoupdate": false, "share": "disabled", "permission": "allow", "provider": { "anthropic": {
    "options": { "baseURL": "ADDRESS/v1", "apiKey": "KEY" }, "models": { "bench": {} } } } }"#;

fn anthropic(url: &str) -> BTreeMap<String, String> {
    let pairs = [("ANTHROPIC_BASE_URL", url), ("ANTHROPIC_API_KEY", KEY)];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The median of each figure, once the agent's files are in the cache of the machine.
fn median(runtime: &Runtime, agent: &Agent, programs: &Path) -> Sample {
    sample(runtime, agent, programs);
    let samples: Vec<Sample> = (0..TIMES).map(|_| sample(runtime, agent, programs)).collect();
    let of =
        |figure: fn(&Sample) -> f64| percentile(&mut samples.iter().map(figure).collect::<Vec<_>>(), 0.5);
    Sample { wall: of(|s| s.wall), cpu: of(|s| s.cpu), peak_mib: of(|s| s.peak_mib) }
}

fn sample(runtime: &Runtime, agent: &Agent, programs: &Path) -> Sample {
    let dir = bench_dir();
    let (home, workspace) = (dir.path().join("home"), dir.path().join("work"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&workspace).unwrap();
    let file = workspace.join("greet.sh");
    fs::write(&file, "echo hallo\n").unwrap();
    let git = |args: &[&str]| {
        assert!(Command::new("git").args(args).current_dir(&workspace).status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    let calls = (agent.calls)(&file.to_string_lossy());
    let mut turns: Vec<Turn> = calls.map(|(name, arguments)| Turn::call(name, arguments)).into();
    turns.push(Turn::text("The greeting is mended."));
    let asked = turns.len();
    let model = runtime.block_on(FakeModel::for_foreign(KEY, turns));
    let url = model.url();
    for (path, text) in (agent.files)(&url) {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let prompt = home.join("prompt");
    fs::write(&prompt, PROMPT).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let log = fs::File::create(dir.path().join("log")).unwrap();
    let mut command = Command::new(&agent.words[0]);
    command
        .args(&agent.words[1..])
        .env_clear()
        .env("PATH", path)
        .env("HOME", &home)
        .envs((agent.env)(&url, &home))
        .current_dir(&workspace)
        .stdin(if agent.reads { fs::File::open(&prompt).unwrap().into() } else { Stdio::null() })
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let (sample, status) = measured(&mut command);
    let said = || fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    assert!(status.success(), "{}: {status}\n{}", agent.name, said());
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "echo hello\n",
        "{} did not do it\n{}",
        agent.name,
        said()
    );
    let turns = model.finish().iter().filter(|request| !request.aside).count();
    assert_eq!(turns, asked, "{} took other turns\n{}", agent.name, said());
    sample
}

/// Runs a command to its end and measures it with all that it starts.
fn measured(command: &mut Command) -> (Sample, ExitStatus) {
    let before = processor();
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        peak = peak.max(family(child.id()).iter().filter_map(|pid| memory(*pid)).sum());
        assert!(started.elapsed() < LIMIT, "{command:?} takes too long");
        thread::sleep(LOOK);
    };
    let wall = started.elapsed().as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    let peak_mib = peak as f64 / 1024.0;
    (Sample { wall, cpu: processor() - before, peak_mib }, status)
}

/// The processor time of all processes that this one has started and that are over, in milliseconds.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // User and system time of children: the 16th and 17th field, of which two stand before the parenthesis.
    fields[13..15].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS * 1e3
}

/// A process and its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect();
        family.extend(children);
    }
    family
}

/// The kernel's flag of a process that is a copy of its parent still (`PF_FORKNOEXEC`).
const COPY: u64 = 0x40;

/// The memory of a process in KiB, with its part of what it shares. One that is about to become another program has that
/// of its parent, which counts once.
fn memory(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let flags: u64 = stat.rsplit(')').next()?.split_whitespace().nth(6)?.parse().ok()?;
    if flags & COPY != 0 {
        return None;
    }
    let rollup = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/smaps_rollup"))).ok()?;
    rollup.lines().find(|line| line.starts_with("Pss:"))?.split_whitespace().nth(1)?.parse().ok()
}
