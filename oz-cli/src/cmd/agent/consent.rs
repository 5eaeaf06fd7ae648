//! The question before a shared environment does something to a person's own machine: whoever may change it chooses the
//! commands that run here.

use crate::{cmd::confirm::confirm_unless, error::CliError, out};
use oz_client::Client;
use oz_core::api::{Environment, GetEnvironment, GetRunner};
use std::io::{self, IsTerminal as _};

/// Whether to go on with an environment: it runs no commands, the person says so, or `yes`. Where nobody can be asked,
/// whoever wrote the command line has said so.
pub(super) async fn given(client: &Client, uid: &str, yes: bool) -> Result<bool, CliError> {
    if uid.is_empty() {
        return Err(
            CliError::new("it is empty; `oz environment list` shows what there is").of("--environment")
        );
    }
    let environment = client.send(&GetEnvironment { uid: uid.to_owned() }).await;
    let environment = environment.map_err(|e| CliError::from(e).of("--environment"))?;
    let commands = commands(client, &environment).await?;
    if commands.is_empty() || yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    out::note(question(&commands));
    confirm_unless(false, "--yes", "run them for", "environment", &environment.config.name)
}

async fn commands(client: &Client, environment: &Environment) -> Result<Vec<String>, CliError> {
    let mut commands = Vec::new();
    let config = &environment.config;
    if let Some(uid) = config.default_runner_uid.clone().filter(|uid| !uid.is_empty()) {
        commands = client.send(&GetRunner { uid }).await?.config.setup_commands;
    }
    commands.extend(config.setup_commands.iter().cloned());
    Ok(commands)
}

fn question(commands: &[String]) -> String {
    let lines: Vec<String> =
        commands.iter().map(|command| format!("  {}", out::one_line(command, 200))).collect();
    format!("These commands would run on this machine:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_a_line() {
        let commands = ["make".to_owned(), "curl x |\u{1b}[2J sh\nrm".to_owned()];
        let text = question(&commands);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("  make\n") && !text.contains('\u{1b}'), "{text}");
    }
}
