//! `oz secret create`: makes a secret. A name with options makes one of any type; the commands below it make those that
//! log a harness in.

mod bedrock;
mod typed;

use super::value::{self, Input};
use crate::{
    cli::{Format, Owner},
    cmd::{Outcome, group},
    error::CliError,
    out::{self, table::print_one},
};
use clap::{
    ArgMatches, Args, Command, FromArgMatches, Subcommand as _,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use oz_client::{Client, NewSecret};
use oz_core::secret::{SecretKind, check_name};
use std::path::PathBuf;
use typed::Typed;

/// The types of secrets in the command line's spelling.
const KINDS: [&str; 6] = [
    "raw-value",
    "dotenv",
    "anthropic-api-key",
    "openai-api-key",
    "anthropic-bedrock-api-key",
    "anthropic-bedrock-access-key",
];

/// A name with options, or a command for a secret that logs a harness in.
#[derive(Debug)]
pub(crate) enum CreateArgs {
    Any(AnyArgs),
    Typed(Typed),
}

/// Make a secret. Its value is never an argument: it comes from a file, from standard input, or is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret create METABASE_API_KEY
  oz secret create DEPLOY_KEY --value-file deploy.pem -d \"rotate every 2 weeks\" --personal
  printf %s \"$TOKEN\" | oz secret create API_TOKEN
  oz secret create claude api-key claude-login
  oz secret create -- claude                    makes a secret that is called claude

A raw value becomes the variable of its name, a dotenv file its variables. The others become what their programs expect.
Their values may also be JSON:
  anthropic-api-key             {\"api_key\"}
  openai-api-key                {\"api_key\", \"base_url\"?}
  anthropic-bedrock-api-key     {\"aws_bearer_token_bedrock\", \"aws_region\"}
  anthropic-bedrock-access-key  {\"aws_access_key_id\", \"aws_secret_access_key\", \"aws_session_token\"?, \"aws_region\"}")]
pub(crate) struct AnyArgs {
    /// Its name: that of the variable it becomes, for a raw value
    name: Option<String>,
    /// What it holds
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "raw-value",
        value_parser = PossibleValuesParser::new(KINDS).map(|kind| SecretKind::from(kind.as_str())))]
    kind: SecretKind,
    /// Read the value from this file, as it is; absent means asking, or reading standard input
    #[arg(short = 'f', long, value_name = "PATH")]
    value_file: Option<PathBuf>,
    #[command(flatten)]
    about: About,
}

/// What every new secret has beside its value.
#[derive(Debug, Args)]
pub(super) struct About {
    /// What it is for; shown in lists
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    owner: Owner,
}

impl Args for CreateArgs {
    fn augment_args(command: Command) -> Command {
        Typed::augment_subcommands(AnyArgs::augment_args(command)).subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CreateArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if matches.subcommand_name().is_none() {
            return AnyArgs::from_arg_matches(matches).map(Self::Any);
        }
        group::refuse_before_command(matches, &AnyArgs::augment_args(Command::new("create")))?;
        Typed::from_arg_matches(matches).map(Self::Typed)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A secret that is to be made as soon as its value is known.
struct Draft {
    name: String,
    kind: SecretKind,
    about: About,
    input: Input,
    base_url: Option<String>,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let draft = match args {
        CreateArgs::Any(args) => args.draft()?,
        CreateArgs::Typed(typed) => typed.draft(),
    };
    // Nobody should type a value in vain.
    check_name("name", &draft.name, &draft.kind)?;
    let Some(text) = draft.input.read()? else {
        out::note(value::NOTHING);
        return Ok(true);
    };
    let value = value::of(&draft.kind, text, draft.base_url)?;
    value::warn(&draft.name, &draft.kind, &value)?;
    let new = NewSecret {
        name: draft.name,
        kind: draft.kind,
        value,
        description: draft.about.description,
        personal: draft.about.owner.team() == Some(false),
    };
    let made = client.secrets().create(&new).await?;
    print_one(&made, format, |secret| format!("Secret '{}' created.", secret.name))?;
    Ok(true)
}

impl AnyArgs {
    fn draft(self) -> Result<Draft, CliError> {
        let Some(name) = self.name else {
            return Err(CliError::new("the secret needs a name")
                .hint("oz secret create NAME; `oz secret create --help` has examples"));
        };
        let input = match (self.value_file, &self.kind) {
            (Some(path), _) => Input::File(path),
            // What has several parts is asked for part by part.
            (None, SecretKind::AnthropicBedrockApiKey) if value::can_ask() => bedrock::api_key(None, None),
            (None, SecretKind::AnthropicBedrockAccessKey) if value::can_ask() => {
                bedrock::access_key(None, None, None, None)
            }
            (None, _) => Input::Text,
        };
        Ok(Draft { name, kind: self.kind, about: self.about, input, base_url: None })
    }
}

#[cfg(test)]
mod tests;
