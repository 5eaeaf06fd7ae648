//! How much a worker logs, and in which form.

use clap::{Args, ValueEnum};
use std::io;
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How much is logged, and how.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Logging {
    /// How much is logged
    #[arg(long = "log-level", value_name = "LEVEL", default_value = "info")]
    level: LogLevel,
    /// How the log is written to standard error
    #[arg(long = "log-format", value_name = "FORMAT", default_value = "text")]
    format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    /// What happens inside, and what agents print
    Debug,
    /// What happens
    Info,
    /// What should not happen
    Warn,
    /// What went wrong
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// A JSON object a line
    Json,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error => Self::ERROR,
        }
    }
}

/// The libraries below exporters and sockets, whose own doings are of no interest.
const QUIET: [&str; 6] = ["opentelemetry", "h2", "hyper", "hyper_util", "tonic", "tower"];

impl Logging {
    /// Begins to log; `debug` asks for everything.
    pub(crate) fn start(self, debug: bool) {
        let level = if debug { Level::DEBUG } else { self.level.into() };
        let quiet = LevelFilter::from_level(level).min(LevelFilter::WARN);
        let targets =
            QUIET.iter().fold(Targets::new().with_default(level), |all, name| all.with_target(*name, quiet));
        let registry = tracing_subscriber::registry().with(targets);
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
        match self.format {
            LogFormat::Text => registry.with(layer.with_target(false)).init(),
            LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
        }
    }
}
