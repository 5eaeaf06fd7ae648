use super::*;
use clap::CommandFactory as _;

mod documented;
mod hints;
mod lines;
mod vectors;

const T: &str = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";

#[test]
fn the_arguments_fit_together() {
    Cli::command().debug_assert();
}

/// 0 when the line parses, else the parser's exit code.
fn parse(line: &str) -> i32 {
    Cli::try_parse_from(words(line)).map_or_else(|e| e.exit_code(), |_| 0)
}

/// What a person reads who types the line; `None` when it parses.
fn refusal(line: &str) -> Option<String> {
    let words = words(line);
    let error = Cli::try_parse_from(&words).err()?;
    Some(shown(&super::hints::explain(error, &words[1..]).render()))
}

/// The words of a line as a shell makes them, after the program's name. `T` stands for an id.
fn words(line: &str) -> Vec<String> {
    let words = shlex::split(line).unwrap();
    let id = |word: String| if word == "T" { T.to_owned() } else { word };
    std::iter::once("oz".to_owned()).chain(words.into_iter().map(id)).collect()
}

#[test]
fn a_schedule_is_made_without_a_command() {
    for line in
        ["schedule --name a --cron b -p c --personal", "schedule create --name a --cron b -p c --personal"]
    {
        let cli = Cli::try_parse_from(std::iter::once("oz").chain(line.split(' '))).unwrap();
        let Some(Command::Schedule(args)) = cli.command else { panic!("{line}") };
        let shown = format!("{args:?}");
        assert!(shown.contains("Create(") && shown.contains("personal: true"), "{shown}");
    }
}

#[test]
fn descriptions_of_environments_have_an_end() {
    for (length, expected) in [(240, 0), (241, 2)] {
        let line = format!("environment create -n x --description {}", "ü".repeat(length));
        assert_eq!(parse(&line), expected, "{length}");
    }
}

#[test]
fn durations_need_units() {
    for (text, seconds) in [("90s", 90), ("1h 30m", 5400), ("1h30m", 5400), ("2days", 172_800), ("1min", 60)]
    {
        assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in ["", "0", "10", "1.5h", "-1s", "10 MS", "ten"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

/// Every command with its help.
fn commands(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
    found.push((path.to_owned(), command.clone().render_long_help().to_string()));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        commands(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

#[test]
fn every_command_shows_examples() {
    let mut found = Vec::new();
    commands(&Cli::command(), "oz", &mut found);
    assert!(found.len() > 15, "{}", found.len());
    for (path, help) in found {
        let examples = help.split_once("Examples:\n").map(|(_, examples)| examples).unwrap_or_default();
        assert!(examples.contains(&path), "{path} has no example of itself:\n{help}");
    }
}

#[test]
fn a_group_without_a_command_shows_its_help_as_an_error() {
    let mut found = Vec::new();
    commands(&Cli::command(), "oz", &mut found);
    // These do something by themselves.
    let is_command = |path: &str| matches!(path, "oz" | "oz schedule" | "oz secret create" | "oz worker");
    let groups = |path: &&str| found.iter().any(|(other, _)| other.starts_with(&format!("{path} ")));
    let paths = found.iter().map(|(path, _)| path.as_str()).filter(groups);
    for path in paths.filter(|path| !is_command(path)) {
        let error = Cli::try_parse_from(path.split(' ')).unwrap_err();
        assert_eq!((error.exit_code(), error.use_stderr()), (2, true), "{path}");
        let text = error.to_string();
        let usage = text.lines().find(|line| line.starts_with("Usage: oz")).unwrap_or_default();
        assert!(usage.ends_with("<COMMAND>") && text.contains("\nCommands:\n"), "{path}: {text}");
    }
}

#[test]
fn the_guide_says_what_every_command_prints() {
    let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/output.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let mut found = Vec::new();
    commands(&Cli::command(), "oz", &mut found);
    let paths: Vec<String> = found.into_iter().map(|(path, _)| path).collect();
    let is_group = |path: &str| paths.iter().any(|other| other.starts_with(&format!("{path} ")));
    let with_kinds = |path: &str| {
        path.match_indices(' ').any(|(end, _)| guide.contains(&format!("`{}` and its kinds", &path[..end])))
    };
    let is_there = |path: &str| is_group(path) || with_kinds(path) || guide.contains(&format!("`{path}`"));
    let missing: Vec<_> = paths.iter().filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "not in docs/guide/output.md: {missing:#?}");
}

/// Help without the spaces that clap leaves at the ends of lines.
fn shown(help: &clap::builder::StyledStr) -> String {
    help.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_help_of_oz() {
    insta::assert_snapshot!(shown(&Cli::command().term_width(100).render_long_help()), @r#"
    Dispatch coding agents, watch them work, and host the platform that runs them

    Usage: oz [OPTIONS] [COMMAND]

    Commands:
      quickstart    See the whole thing work, in a temporary directory
      serve         Host a control plane with a worker
      worker        Take runs from a control plane on this machine
      agent         Run agents, here or on workers, and name them
      run           Look at runs and steer them
      environment   What runs find prepared: repositories, an image, setup commands [alias: e]
      schedule      Runs that start by the clock
      secret        What runs may know and nobody can read back: keys, tokens, passwords
      usage         What runs used: calls, tokens, dollars
      budget        How much runs may cost
      federate      Prove to other services which run this is
      artifact      Files that runs leave behind
      mcp           MCP servers that your team shares
      model         Models that runs may use, and services that have them
      prompt        Prompts that are kept to be used again
      runner        What runs compute on
      integration   Other services that start runs [alias: i]
      memory-store  Places where agents keep what they learn
      memory        What agents have learned
      api-key       Keys of people and agents
      team          Your team
      user          The people of your team
      login         Remember the address and key of a control plane
      logout        Forget the address and key
      whoami        Show who you are
      doctor        Check this machine and the control plane, and say what to do
      completions   Print a completion script for a shell
      man           Print the manual page, or write a page for each command
      help          Print this message or the help of the given subcommand(s)

    Options:
      -V, --version
              Print the version

      -h, --help
              Print help (see a summary with '-h')

    Global options:
          --api-key <KEY>
              API key [env: OZ_API_KEY, WARP_API_KEY]

          --output-format <FORMAT>
              How to print

              Possible values:
              - pretty: For people
              - json:   JSON
              - ndjson: One JSON value a line
              - text:   Plain text for scripts

              [env: WARP_OUTPUT_FORMAT]
              [default: pretty]

          --debug
              Write logs to standard error

    Examples:
      oz quickstart                 see it work, in a temporary directory
      oz serve                      host a control plane with a worker
      oz agent run-cloud -p "fix the tests" --repo https://github.com/me/app --wait
      oz agent run -p "explain the build"
      oz run list
    "#);
}

#[test]
fn the_help_of_run_cloud() {
    let mut oz = Cli::command().term_width(100);
    oz.build();
    let agent = oz.find_subcommand_mut("agent").unwrap();
    let run_cloud = agent.find_subcommand_mut("run-cloud").unwrap();
    insta::assert_snapshot!(shown(&run_cloud.render_help()), @r#"
    Dispatch a run to a worker

    Usage: oz agent run-cloud [OPTIONS] <--prompt <TEXT>|--skill <SPEC>|--file <PATH>>

    Options:
      -p, --prompt <TEXT>              What the agent is to do
          --saved-prompt <ID>          A saved prompt, as `oz prompt list` names it
          --skill <SPEC>               A skill: a name, `repo:name`, `owner/repo:name`, or the path of
                                       its file in place of the name
          --model <ID>                 The model, such as `claude-sonnet-4-5` or `ollama/qwen3-coder`
          --fallback-model <ID>        Go on with this model while the chosen one is away; repeatable
      -f, --file <PATH>                Configuration file (YAML or JSON) [env: WARP_AGENT_CONFIG_FILE]
      -n, --name <NAME>                Label of the run
          --harness <HARNESS>          Which agent works: oz, or another that the worker has
          --repo <URL[@REF]>           Clone this repository into the workspace; repeatable
          --setup-command <COMMAND>    Run this command before the agent starts; repeatable
          --max-turns <N>              Stop after this many model calls
          --max-tokens <N>             Stop after this many tokens
          --max-cost <USD>             Stop at this cost in US dollars
          --max-time <DURATION>        Stop after this time, such as 30m
          --mcp <SPEC>                 An MCP server: the id or name of a shared one, a file or JSON;
                                       repeatable
      -e, --environment <ID>           The environment to prepare
          --conversation <ID>          The conversation to continue
          --secret <NAME>              A secret that the run gets, rather than all that it may have;
                                       repeatable
          --no-secrets                 The run gets no secrets
          --env <KEY=VALUE>            A variable of setup commands and agent, which everybody may read;
                                       repeatable
          --git-credential <LOGIN>     Log git in to a host with a secret: HOST=SECRET, or
                                       HOST=SECRET:USER; repeatable
          --title <TITLE>              Title of the run
          --host <WORKER_ID>           The worker to run on
          --label <KEY=VALUE>          A label that the worker must have, among those of that id;
                                       repeatable
          --vcpus <N>                  Processors of the container, on workers that use containers
          --memory-gb <N>              Memory of the container, in GiB
          --team                       The run belongs to the team (default)
          --personal                   The run is yours alone
          --parent-run-id <RUN_ID>     The run that starts this one
          --no-environment             Run without an environment, even if the file or the agent has one
          --agent <UID>                The agent to run as
          --attach <PATH>              A file for the agent; repeatable, at most 5 of at most 10 MiB
                                       each
          --claude-auth-secret <NAME>  The secret that logs Claude Code in
          --codex-auth-secret <NAME>   The secret that logs Codex in
          --wait                       Show the run live, until its end; the exit code is then 0 only
                                       when it succeeded [alias: --follow]
          --runner <UID>               The runner: what to compute on
      -h, --help                       Print help (see more with '--help')

    Global options:
          --api-key <KEY>           API key [env: OZ_API_KEY, WARP_API_KEY]
          --output-format <FORMAT>  How to print [env: WARP_OUTPUT_FORMAT] [default: pretty] [possible
                                    values: pretty, json, ndjson, text]
          --debug                   Write logs to standard error

    Examples:
      oz agent run-cloud -p "fix the failing test" --repo https://github.com/me/app --wait
      oz agent run-cloud -p "update the docs" --host build-1 --max-cost 2 --max-time 30m
      oz agent run-cloud -p "train it" --host lab --label gpu=a100 --vcpus 8 --memory-gb 64
      oz agent run-cloud -p "what is wrong here?" --attach crash.log -e ENVIRONMENT --mcp servers.json
      oz agent run-cloud --skill me/app:triage --agent UID
      oz agent run-cloud -p "deploy it" --secret DEPLOY_TOKEN --git-credential github.com=BOT_TOKEN
      oz agent run-cloud --saved-prompt ID --runner UID
      oz agent run-cloud -f agent.yaml -p "review this" --output-format json
    "#);
}
