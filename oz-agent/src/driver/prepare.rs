//! The preparation of a workspace: repositories and setup commands. What fails names its command, its exit code and its
//! last lines.

mod clone;
mod mirror;
mod setup;

pub(super) use clone::{Cloning, directories, workspace};
pub(super) use setup::{GATHER, set_up};

use crate::{
    command::{self, Command, Live},
    memory::Memory,
    process::Household,
};
use oz_core::{Redactor, egress::Network};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How much of the output of a failed command is told.
const LINES: usize = 50;

/// What the commands of the preparation run with.
#[derive(Clone, Copy)]
pub(super) struct Shell<'a> {
    /// Their whole environment.
    pub(super) env: &'a BTreeMap<String, String>,
    /// To whom they belong.
    pub(super) household: &'a Household,
    pub(super) redactor: &'a Redactor,
    /// How they are started.
    pub(super) network: &'a Network,
}

impl Shell<'_> {
    /// Runs a command that must succeed; an error goes on after the command's name.
    async fn run(
        &self,
        words: &[&str],
        directory: &Path,
        limit: Duration,
        live: Option<&Live>,
    ) -> Result<(), String> {
        let mark = self.household.mark();
        let memory = Memory::new(self.env);
        let killed = memory.kills();
        let (words, refused) = (self.network.words(words.iter().copied()), self.network.count());
        let command =
            Command { words: &words, directory, env: self.env, mark, limit, redactor: self.redactor, live };
        let ran = command::run(command).await.map_err(|e| format!("could not be started: {e}"))?;
        let how = match ran.exit_code {
            Some(0) => return Ok(()),
            Some(code) => format!("ended with exit code {code}"),
            None => format!("did not end within {} s and was killed", limit.as_secs()),
        };
        let output = ran.output.into_text();
        let lines: Vec<&str> = output.trim_end().lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        // What it was kept from says more than what it made of that.
        let kept = self.network.refused(refused).into_iter().chain(memory.since(killed));
        let told: Vec<String> = [how, last].into_iter().chain(kept).filter(|text| !text.is_empty()).collect();
        Err(told.join("\n"))
    }
}

#[cfg(test)]
mod tests;
