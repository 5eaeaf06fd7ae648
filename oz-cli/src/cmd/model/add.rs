//! `oz model add`: adds a model service.

use super::spec;
use crate::{cli::Format, cmd::Outcome, error::CliError, out::table::print_one};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{CreateModelEndpoint, Validate as _},
    config::SecretRef,
    inference::{EndpointApi, EndpointConfig, EndpointModel},
};

/// Add a model service: anything that speaks one of the known formats, also on the machine of the agents. Runs choose
/// its models as NAME/ID.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz model add local --api openai-chat --base-url http://localhost:11434/v1 --model qwen3-coder,open,input=0,output=0
  oz model add gateway --api anthropic --base-url https://llm.example.com --secret GATEWAY_KEY \\
    --model claude-opus-4-5,tier=genius --model claude-haiku-4-5,tier=efficient")]
pub(crate) struct AddArgs {
    /// Its name: small letters, digits, `-` and `_`
    name: String,
    /// The format that it speaks: openai-chat, openai-responses or anthropic
    #[arg(long, value_name = "FORMAT", value_parser = api)]
    api: EndpointApi,
    /// Its address, as the machine of the agents reaches it
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// One of its models, what it is chosen for, whether its weights are open, and its prices for a million tokens;
    /// repeatable
    #[arg(
        long = "model",
        value_name = "ID[,tier=TIER][,open][,input=USD,output=USD]",
        value_parser = spec::model,
        required = true
    )]
    models: Vec<EndpointModel>,
    /// The secret with its key
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// It is yours alone, not the team's
    #[arg(long)]
    personal: bool,
}

pub(super) async fn run(client: &Client, args: AddArgs, format: Format) -> Outcome {
    let request = request(args)?;
    print_one(&client.model_endpoints().create(&request).await?, format, |made| {
        let models: Vec<_> =
            made.config.models.iter().map(|model| format!("{}/{}", made.config.name, model.id)).collect();
        format!("Model service '{}' added. Runs choose {}.", made.config.name, models.join(", "))
    })?;
    Ok(true)
}

fn api(text: &str) -> Result<EndpointApi, String> {
    let api = EndpointApi::from(text);
    if api.is_known() { Ok(api) } else { Err(format!("expected one of {}", EndpointApi::KNOWN.join(", "))) }
}

fn request(args: AddArgs) -> Result<CreateModelEndpoint, CliError> {
    let config = EndpointConfig {
        name: args.name,
        api: args.api,
        base_url: args.base_url,
        models: args.models,
        secret: args.secret.map(|name| SecretRef { name }),
    };
    let request = CreateModelEndpoint { config, team: args.personal.then_some(false) };
    request.validate()?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{Cli, Command},
        cmd::ModelCommand,
    };
    use clap::Parser as _;
    use serde_json::{Value, json};

    fn sent(line: &str) -> Result<Value, String> {
        let cli = Cli::try_parse_from(format!("oz model add {line}").split(' ')).unwrap();
        let Some(Command::Model(ModelCommand::Add(args))) = cli.command else { panic!("{line}") };
        request(*args).map(|request| serde_json::to_value(request).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn flags_are_sent() {
        assert_eq!(
            sent("lab --api responses --base-url http://lab/v1 --model a,open --model b,tier=efficient,input=1,output=2 --secret K --personal")
                .unwrap(),
            json!({ "team": false, "config": { "name": "lab", "api": "openai-responses", "base_url": "http://lab/v1",
                "models": [{ "id": "a", "open": true },
                    { "id": "b", "tier": "efficient", "open": false, "input_usd_per_million": 1.0,
                        "output_usd_per_million": 2.0 }],
                "secret": { "name": "K" } } })
        );
        for (line, expected) in [
            ("ollama --api anthropic --base-url http://x --model a", "config.name"),
            ("lab --api anthropic --base-url lab --model a", "config.base_url"),
        ] {
            let error = sent(line).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
