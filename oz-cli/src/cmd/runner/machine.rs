//! What machine a runner is, as options of `create` and `update`.

use crate::error::CliError;
use clap::{Args, ValueEnum};
use oz_core::api::{RunnerArch, RunnerConfig, RunnerOs};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Os {
    Linux,
    Macos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Arch {
    /// Whichever a worker has
    Auto,
    #[value(name = "x86-64")]
    X86_64,
    Aarch64,
}

/// What machine it is.
#[derive(Debug, Default, Args)]
pub(super) struct Machine {
    /// The system; linux when not given
    #[arg(long)]
    pub(super) os: Option<Os>,
    /// The processor; auto when not given
    #[arg(long)]
    pub(super) arch: Option<Arch>,
    /// The image to run in, on Linux
    #[arg(long, value_name = "IMAGE")]
    pub(super) docker_image: Option<String>,
    /// The version of macOS
    #[arg(long, value_name = "VERSION", value_parser = ["14", "15", "26", "27"])]
    pub(super) macos_version: Option<String>,
}

impl Machine {
    /// Puts the options over what there is. A system has no settings of the other one.
    pub(super) fn apply(self, config: &mut RunnerConfig) -> Result<(), CliError> {
        config.os = match self.os {
            Some(Os::Linux) => Some(RunnerOs::Linux),
            Some(Os::Macos) => Some(RunnerOs::MacOs),
            None => config.os.take(),
        };
        config.arch = match self.arch {
            Some(Arch::Auto) => None,
            Some(Arch::X86_64) => Some(RunnerArch::X86_64),
            Some(Arch::Aarch64) => Some(RunnerArch::Aarch64),
            None => config.arch.take(),
        };
        let mac = config.os == Some(RunnerOs::MacOs);
        if self.macos_version.is_some() && !mac {
            return Err(CliError::new("--macos-version needs a runner with macOS (--os macos)"));
        }
        if self.docker_image.is_some() && mac {
            return Err(CliError::new("--docker-image needs a runner with Linux (--os linux)"));
        }
        config.docker_image = self.docker_image.or(config.docker_image.take()).filter(|_| !mac);
        config.macos_version = self.macos_version.or(config.macos_version.take()).filter(|_| mac);
        Ok(())
    }
}

/// Reads a description, which may have 240 characters.
pub(super) fn description(text: &str) -> Result<String, String> {
    match text.chars().count() {
        0..=240 => Ok(text.to_owned()),
        count => Err(format!("{count} characters; at most 240 are allowed")),
    }
}
