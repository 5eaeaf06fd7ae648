//! `--saved-prompt`: the text of a saved prompt stands in for `--prompt`.

use super::options::AgentOptions;
use crate::{cmd::prompt::read, error::CliError};
use oz_client::Client;

/// Reads the saved prompt that is named, if one is, and makes it the prompt.
pub(super) async fn resolve(
    options: &mut AgentOptions,
    client: impl FnOnce() -> Result<Client, CliError>,
) -> Result<(), CliError> {
    if let Some(id) = options.saved_prompt.take() {
        options.prompt = Some(read::prompt(&client()?, &id).await?.config.prompt);
    }
    Ok(())
}
