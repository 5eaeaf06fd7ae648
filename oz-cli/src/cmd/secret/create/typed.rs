//! `oz secret create claude …` and `codex …`: secrets that log a harness in.

use super::{About, Draft, bedrock};
use crate::cmd::secret::value::Input;
use clap::{Args, Subcommand};
use oz_core::secret::SecretKind;
use std::path::PathBuf;

/// Secrets that log a harness in.
#[derive(Debug, Subcommand)]
pub(crate) enum Typed {
    /// Make a secret that logs Claude Code in
    #[command(
        subcommand,
        after_help = "Examples:
  oz secret create claude api-key claude-login
  oz secret create claude bedrock-api-key claude-bedrock --region us-east-1"
    )]
    Claude(Claude),
    /// Make a secret that logs Codex in
    #[command(subcommand, after_help = "Examples:\n  oz secret create codex api-key codex-login")]
    Codex(Codex),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Claude {
    /// A key for Anthropic's API
    #[command(after_help = "Examples:
  oz secret create claude api-key claude-login
  oz secret create claude api-key claude-login -f key.txt --personal")]
    ApiKey(KeyArgs),
    /// An API key for Anthropic's models on Amazon Bedrock
    #[command(name = "bedrock-api-key")]
    Bedrock(BedrockApiKeyArgs),
    /// An access key for Anthropic's models on Amazon Bedrock
    #[command(name = "bedrock-access-key")]
    BedrockAccess(BedrockAccessKeyArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Codex {
    /// A key for OpenAI's API or a compatible one
    ApiKey(CodexKeyArgs),
}

/// A key that is one text.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// Its name
    name: String,
    /// Read the key from this file, as it is; absent means asking, or reading standard input
    #[arg(short = 'f', long, value_name = "PATH")]
    value_file: Option<PathBuf>,
    #[command(flatten)]
    about: About,
}

/// A key for OpenAI's API or a compatible one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret create codex api-key codex-login
  oz secret create codex api-key codex-proxy --base-url https://llm.example.com/v1 -f key.txt")]
pub(crate) struct CodexKeyArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// Address of a compatible API
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

/// An API key for Anthropic's models on Amazon Bedrock. What is not given is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret create claude bedrock-api-key claude-bedrock --region us-east-1
  oz secret create claude-bedrock -t anthropic-bedrock-api-key -f key.json")]
pub(crate) struct BedrockApiKeyArgs {
    /// Its name
    name: String,
    /// The key; others on this machine can see it here, so better leave it out and be asked
    #[arg(long, value_name = "KEY")]
    bedrock_api_key: Option<String>,
    /// Region of Bedrock
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    about: About,
}

/// An access key for Anthropic's models on Amazon Bedrock. What is not given is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret create claude bedrock-access-key claude-bedrock --region us-east-1
  oz secret create claude-bedrock -t anthropic-bedrock-access-key -f key.json")]
pub(crate) struct BedrockAccessKeyArgs {
    /// Its name
    name: String,
    /// Id of the access key
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// The secret part; others on this machine can see it here, so better leave it out and be asked
    #[arg(long, value_name = "KEY")]
    secret_access_key: Option<String>,
    /// Token of a temporary access key; others on this machine can see it here
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    /// Region of Bedrock
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    about: About,
}

impl KeyArgs {
    fn draft(self, kind: SecretKind) -> Draft {
        let input = self.value_file.map_or(Input::Text, Input::File);
        Draft { name: self.name, kind, about: self.about, input, base_url: None }
    }
}

impl Typed {
    pub(super) fn draft(self) -> Draft {
        match self {
            Self::Claude(Claude::ApiKey(args)) => args.draft(SecretKind::AnthropicApiKey),
            Self::Claude(Claude::Bedrock(args)) => Draft {
                name: args.name,
                kind: SecretKind::AnthropicBedrockApiKey,
                about: args.about,
                input: bedrock::api_key(args.bedrock_api_key, args.region),
                base_url: None,
            },
            Self::Claude(Claude::BedrockAccess(args)) => Draft {
                name: args.name,
                kind: SecretKind::AnthropicBedrockAccessKey,
                about: args.about,
                input: bedrock::access_key(
                    args.access_key_id,
                    args.secret_access_key,
                    args.session_token,
                    args.region,
                ),
                base_url: None,
            },
            Self::Codex(Codex::ApiKey(args)) => {
                Draft { base_url: args.base_url, ..args.key.draft(SecretKind::OpenAiApiKey) }
            }
        }
    }
}
