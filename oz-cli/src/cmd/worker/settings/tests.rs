use super::*;
use crate::cli::Format;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: WorkerArgs,
}

fn defaults() -> Defaults {
    Defaults { backend: Backend::Direct, workspace_root: Some("/w/workspaces"), oz: "/usr/bin/oz".into() }
}

fn merged(yaml: &str, line: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("worker.yaml");
    std::fs::write(&path, yaml).unwrap();
    let words = ["worker", "--config-file", path.to_str().unwrap()];
    let args = Line::try_parse_from(words.into_iter().chain(line.split_whitespace())).unwrap().args;
    let global = Global {
        api_key: Some("key".to_owned()),
        output_format: Format::Pretty,
        debug: false,
        server_root_url: Some("http://h:1".to_owned()),
    };
    config(args, &global, defaults()).map_err(|e| e.to_string())
}

#[test]
fn flags_win_over_the_file_and_that_over_defaults() {
    let config = merged("", "--worker-id w").unwrap();
    assert_eq!((config.max_concurrent_tasks, config.cleanup, config.drain), (0, true, DRAIN));
    let yaml = "worker_id: f\ncleanup: false\nmax_concurrent_tasks: 4\nidle_on_complete: 10m\ndrain_timeout: 1m\n\
                labels: {a: file, b: file}\n";
    let config = merged(yaml, "").unwrap();
    assert_eq!((config.worker_id.as_str(), config.max_concurrent_tasks, config.cleanup), ("f", 4, false));
    assert_eq!((config.idle_on_complete.as_deref(), config.drain.as_secs()), (Some("10m"), 60));
    let line =
        "--worker-id w --max-concurrent-tasks 0 --idle-on-complete 5m --drain-timeout 2s --label a=flag";
    let config = merged(yaml, line).unwrap();
    assert_eq!((config.worker_id.as_str(), config.max_concurrent_tasks), ("w", 0));
    assert_eq!((config.idle_on_complete.as_deref(), config.drain.as_secs()), (Some("5m"), 2));
    assert_eq!((config.labels["a"].as_str(), config.labels["b"].as_str()), ("flag", "file"));
}

#[test]
fn environments_are_merged_by_name_and_volumes_appended() {
    let yaml = "worker_id: f\nbackend:\n  docker:\n    volumes: [/a:/a]\n    environment:\n      - {name: A, value: file}\n      \
                - {name: B, value: 'x,y'}\n      - {name: OZ_TEST_NOBODY_SETS_THIS}\n";
    let config = merged(yaml, "-e A=flag,PATH -v /b:/b,/c:/c").unwrap();
    let path = std::env::var("PATH").unwrap();
    for (name, value) in [("A", "flag"), ("B", "x,y"), ("PATH", &path), ("OZ_TEST_NOBODY_SETS_THIS", "")] {
        assert_eq!(config.environment[name], value, "{name}");
    }
    let BackendConfig::Docker(docker) = config.backend else { panic!("{}", config.backend.name()) };
    assert_eq!(docker.volumes, ["/a:/a", "/b:/b", "/c:/c"]);
}

#[test]
fn the_backend_is_that_of_the_flag_or_the_file_or_the_program() {
    let backend = |yaml: &str, line: &str| merged(yaml, line).map(|config| config.backend.name());
    assert_eq!(backend("worker_id: w", ""), Ok("direct"));
    assert_eq!(backend("worker_id: w", "--backend docker"), Ok("docker"));
    assert_eq!(backend("worker_id: w\nbackend: {kubernetes: {namespace: n}}", ""), Ok("kubernetes"));
    let yaml = "worker_id: w\nbackend: {command: {dispatch_command: ./d}}";
    assert_eq!(backend(yaml, "--backend command"), Ok("command"));
    for (yaml, line, problem) in [
        (yaml, "--backend docker", "--backend docker: the file sets up backend.command"),
        ("worker_id: w", "--backend command", "backend.command.dispatch_command: it is missing"),
        ("worker_id: w", "-v /a:/b", "--volumes: it is for the backend docker, and this worker's is direct"),
        ("worker_id: w", "--backend docker --target-dir /d", "--target-dir: it is for the backend direct"),
        (
            "worker_id: w",
            "--backend docker --setup-command x",
            "--setup-command: it is for the backend direct or kube",
        ),
        ("", "", "--worker-id: it is missing"),
        ("worker_id: w\nlog_level: debug", "", "the level of the log is the flag --log-level"),
    ] {
        let told = backend(yaml, line).unwrap_err();
        assert!(told.contains(problem), "{yaml:?} {line:?}: {told}");
    }
}

#[test]
fn no_name_of_a_worker_leads_out_of_the_directory() {
    for (name, directory) in [("build-1", "build-1"), ("../x", "___x"), ("..", "__"), ("a b/c", "a_b_c")] {
        assert_eq!(directory_of(name), directory);
    }
}
