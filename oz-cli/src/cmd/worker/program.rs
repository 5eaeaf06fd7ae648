//! `oz-agent-worker`: the same worker under the name and with the defaults that scripts for the published one rely on.
//! It is a program of its own, which finds `oz`, the agent, beside it or in PATH.

use super::{Backend, Defaults, Outcome, WorkerArgs, run_as};
use crate::cli::{Format, Global};
use clap::Parser;
use std::path::{Path, PathBuf};

/// The name.
const NAME: &str = "oz-agent-worker";

/// Take runs from a control plane.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    version,
    after_help = "Examples:
  oz-agent-worker --worker-id build-1 --max-concurrent-tasks 2
  oz-agent-worker --worker-id build-1 --backend direct
  oz-agent-worker --config-file /etc/oz-agent-worker/config.yaml --log-format json",
    mut_arg("backend", |arg| arg.help("Where agents run; that of the file when absent, or else docker")),
    mut_arg("workspace_root", |arg| arg.help("Directory of the workspaces, with direct; /var/lib/oz/workspaces when absent"))
)]
pub(crate) struct AgentWorker {
    /// API key [env: OZ_API_KEY, WARP_API_KEY]
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Address of the control plane [env: OZ_SERVER_URL, WARP_SERVER_ROOT_URL]
    #[arg(long, value_name = "URL", hide = true)]
    server_root_url: Option<String>,
    #[command(flatten)]
    args: WorkerArgs,
}

impl AgentWorker {
    /// How much is logged, and how.
    pub(crate) fn logging(&self) -> &super::Logging {
        self.args.logging()
    }

    /// Works until it is asked to end.
    pub(crate) async fn run(self) -> Outcome {
        let global = Global {
            api_key: self.api_key,
            output_format: Format::Pretty,
            debug: false,
            server_root_url: self.server_root_url,
        };
        let defaults = Defaults {
            backend: Backend::Docker,
            workspace_root: Some("/var/lib/oz/workspaces"),
            oz: beside(&std::env::current_exe()?),
        };
        run_as(self.args, &global, defaults).await
    }
}

/// The `oz` in the directory of this program, or else the name alone, which is looked up in PATH.
fn beside(program: &Path) -> PathBuf {
    let oz = program.with_file_name("oz");
    if oz.is_file() { oz } else { "oz".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_fit_together() {
        AgentWorker::command().debug_assert();
    }

    #[test]
    fn the_agent_beside_it_comes_before_that_of_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join(NAME);
        assert_eq!(beside(&program), Path::new("oz"));
        std::fs::write(dir.path().join("oz"), "").unwrap();
        assert_eq!(beside(&program), dir.path().join("oz"));
    }

    #[test]
    fn every_published_flag_is_taken() {
        let line = "oz-agent-worker --api-key k --worker-id w --config-file f --backend docker --web-socket-url ws://h \
             --server-root-url http://h --session-sharing-server-url ws://s --log-level debug --no-cleanup \
             -v /a:/b:ro,/c:/d --volumes /e:/f -e A=1,B --env C=2 --max-concurrent-tasks 4 --idle-on-complete 45m";
        let AgentWorker { args, .. } = AgentWorker::try_parse_from(line.split_whitespace()).unwrap();
        assert_eq!(args.volumes, ["/a:/b:ro", "/c:/d", "/e:/f"]);
        let names: Vec<&str> = args.env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "B", "C"]);
        assert_eq!(args.session_sharing_server_url.as_deref(), Some("ws://s"));
        let line = "oz-agent-worker --worker-id w --target-dir /w --backend direct";
        assert!(AgentWorker::try_parse_from(line.split_whitespace()).is_ok());
    }

    #[test]
    fn its_help() {
        let help = AgentWorker::command().term_width(100).render_help().to_string();
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(help, @r#"
        Take runs from a control plane

        Usage: oz-agent-worker [OPTIONS]

        Options:
              --api-key <KEY>                API key [env: OZ_API_KEY, WARP_API_KEY]
              --worker-id <NAME>             Its name; runs with `--host NAME` come here. Needed here or in
                                             the file
              --config-file <FILE>           Configuration file (YAML); flags win over it
              --backend <BACKEND>            Where agents run; that of the file when absent, or else docker
                                             [possible values: direct, docker, kubernetes, command]
              --max-concurrent-tasks <N>     How many runs it takes at once; 0, which is usual, means no
                                             limit
              --label <KEY=VALUE>            What it offers to runs that ask for it; repeatable
          -e, --env <KEY[=VALUE]>            Further environment of the agents; KEY alone takes the value
                                             from here; repeatable, or with commas
          -v, --volumes <VOLUME>             A directory of this machine for the containers, with docker:
                                             `HOST:CONTAINER[:MODE]`; repeatable, or with commas
              --workspace-root <DIR>         Directory of the workspaces, with direct;
                                             /var/lib/oz/workspaces when absent
              --target-dir <DIR>             One directory for all runs instead, which is never deleted,
                                             with direct
              --git-cache <DIR>              Directory where runs keep mirrors of repositories, so that each
                                             clones faster; beside the workspaces when absent
              --no-git-cache                 Keep no mirrors of repositories
              --setup-command <COMMAND>      Shell command to run in each workspace before the agent, with
                                             direct and kubernetes
              --teardown-command <COMMAND>   Shell command to run in each workspace after the agent, with
                                             direct and kubernetes
              --idle-on-complete <DURATION>  How long agents stay after their work
              --drain-timeout <DURATION>     How long runs may go on when the worker was asked to end,
                                             before they are stopped and tried elsewhere; 20s when absent
              --no-cleanup                   Keep what runs leave: workspaces, containers, Jobs
              --log-level <LEVEL>            How much is logged [default: info] [possible values: debug,
                                             info, warn, error]
              --log-format <FORMAT>          How the log is written to standard error [default: text]
                                             [possible values: text, json]
          -h, --help                         Print help (see more with '--help')
          -V, --version                      Print version

        Examples:
          oz-agent-worker --worker-id build-1 --max-concurrent-tasks 2
          oz-agent-worker --worker-id build-1 --backend direct
          oz-agent-worker --config-file /etc/oz-agent-worker/config.yaml --log-format json
        "#);
    }
}
