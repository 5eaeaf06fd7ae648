//! The commands. Here: what they share, and which one runs.

pub(crate) mod agent;
pub(crate) mod agent_run;
pub(crate) mod config;
pub(crate) mod login;
pub(crate) mod quickstart;
pub(crate) mod run;
pub(crate) mod run_cloud;
pub(crate) mod serve;
pub(crate) mod worker;

use crate::{
    cli::{Cli, Command, Global},
    error::{CliError, FAILED, INTERRUPTED},
    settings,
};
use clap::CommandFactory as _;
use oz_client::Client;
use oz_core::env;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};
use tokio_util::sync::CancellationToken;

const DEFAULT_SERVER: &str = "http://127.0.0.1:7700";

/// What a command answers: whether it, and the run it is about, went well.
pub(crate) type Outcome = Result<bool, CliError>;

/// Runs the command; returns the exit code.
pub(crate) fn run(cli: Cli) -> ExitCode {
    if cli.version {
        let _ = writeln!(io::stdout(), "Oz {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let Some(command) = cli.command else {
        let _ = Cli::command().print_long_help();
        return ExitCode::SUCCESS;
    };
    start_logging(cli.global.debug, matches!(command, Command::Serve(_) | Command::Worker(_)));
    let outcome = match runtime(&command) {
        Ok(runtime) => {
            let outcome = runtime.block_on(dispatch(command, cli.global));
            // Reads under way on other threads must not hold up the end.
            runtime.shutdown_background();
            outcome
        }
        Err(e) => Err(e.into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(e) => {
            let _ = writeln!(anstream::stderr(), "{e}");
            ExitCode::from(FAILED)
        }
    }
}

/// A control plane gets a thread per core; everything else is one thread, which starts faster and is smaller.
fn runtime(command: &Command) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Serve(_) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.max_blocking_threads(8);
            builder
        }
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

fn start_logging(debug: bool, daemon: bool) {
    let level = match (debug, daemon) {
        (true, _) => tracing::Level::DEBUG,
        (false, true) => tracing::Level::INFO,
        (false, false) => return,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}

async fn dispatch(command: Command, global: Global) -> Outcome {
    match command {
        Command::Quickstart(args) => quickstart::run(args, &global).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Worker(args) => worker::run(args, &global).await,
        Command::Agent(command) => agent::run(command, &global).await,
        Command::Run(command) => run::run(command, &global).await,
        Command::Login(args) => login::login(args, &global).await,
        Command::Logout => login::logout(),
        Command::Whoami => login::whoami(&global).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "oz", &mut io::stdout());
            Ok(true)
        }
    }
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok())
}

impl Global {
    /// The control plane's address: flag, environment, stored login, default.
    pub(crate) fn server_url(&self) -> String {
        self.server_root_url
            .clone()
            .or_else(|| variable(&[env::SERVER_URL, env::WARP_SERVER_ROOT_URL]))
            .or_else(|| settings::load().map(|login| login.server_url))
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }

    /// The key: flag, environment, or the one stored for this address.
    pub(crate) fn key(&self) -> Option<String> {
        self.api_key.clone().or_else(|| variable(&[env::API_KEY, env::WARP_API_KEY])).or_else(|| {
            let url = self.server_url();
            settings::load()
                .filter(|login| login.server_url.trim_end_matches('/') == url.trim_end_matches('/'))
                .map(|login| login.api_key)
        })
    }

    /// A client that has a key.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        let Some(key) = self.key() else {
            return Err(CliError::new("You are not logged in.")
                .hint("run `oz login --server URL --api-key KEY`, or start a control plane of your own with `oz serve`"));
        };
        let source =
            if std::env::var("GITHUB_ACTIONS").is_ok_and(|v| v == "true") { "GITHUB_ACTION" } else { "CLI" };
        Ok(Client::new(&self.server_url(), Some(key))?.with_source(source))
    }
}

/// A token that SIGINT and SIGTERM cancel; a second signal ends the process at once.
pub(crate) fn on_signals() -> Result<CancellationToken, CliError> {
    let token = CancellationToken::new();
    let cancel = token.clone();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::spawn(async move {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            cancel.cancel();
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            std::process::exit(INTERRUPTED.into());
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        cancel.cancel();
        let _ = tokio::signal::ctrl_c().await;
        std::process::exit(INTERRUPTED.into());
    });
    Ok(token)
}
