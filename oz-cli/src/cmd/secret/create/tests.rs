use super::*;
use crate::cli::{Cli, Command as Top};
use clap::Parser as _;

fn parsed(args: &[&str]) -> CreateArgs {
    let cli = Cli::try_parse_from([&["oz", "secret", "create"], args].concat()).unwrap();
    let Some(Top::Secret(crate::cmd::SecretCommand::Create(args))) = cli.command else { panic!("{args:?}") };
    *args
}

/// Name, type and value of what would be made.
fn made(args: &[&str]) -> Result<(String, String, String), String> {
    let draft = match parsed(args) {
        CreateArgs::Any(args) => args.draft(),
        CreateArgs::Typed(typed) => Ok(typed.draft()),
    };
    let draft = draft.map_err(|e| e.to_string())?;
    let text = draft.input.read().map_err(|e| e.to_string())?.unwrap_or_default();
    let value = value::of(&draft.kind, text, draft.base_url).map_err(|e| e.to_string())?;
    Ok((draft.name, draft.kind.to_string(), value))
}

#[test]
fn every_type_can_be_made() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "the-key").unwrap();
    let path = file.path().to_str().unwrap();
    for (args, kind, value) in [
        (&["n", "-f", path][..], "RAW_VALUE", "the-key"),
        (&["n", "-t", "dotenv", "-f", path], "DOTENVX", "the-key"),
        (&["n", "-t", "anthropic-api-key", "-f", path], "ANTHROPIC_API_KEY", r#"{"api_key":"the-key"}"#),
        (&["claude", "api-key", "n", "-f", path], "ANTHROPIC_API_KEY", r#"{"api_key":"the-key"}"#),
        (&["n", "-t", "openai-api-key", "-f", path], "OPENAI_API_KEY", r#"{"api_key":"the-key"}"#),
        (
            &["codex", "api-key", "n", "--base-url", "http://x", "-f", path],
            "OPENAI_API_KEY",
            r#"{"api_key":"the-key","base_url":"http://x"}"#,
        ),
        (
            &["claude", "bedrock-api-key", "n", "--bedrock-api-key", "k", "--region", "r"],
            "ANTHROPIC_BEDROCK_API_KEY",
            r#"{"aws_bearer_token_bedrock":"k","aws_region":"r"}"#,
        ),
        (
            &[
                "claude",
                "bedrock-access-key",
                "n",
                "--access-key-id",
                "i",
                "--secret-access-key",
                "s",
                "--session-token",
                "t",
                "--region",
                "r",
            ],
            "ANTHROPIC_BEDROCK_ACCESS_KEY",
            r#"{"aws_access_key_id":"i","aws_secret_access_key":"s","aws_session_token":"t","aws_region":"r"}"#,
        ),
    ] {
        assert_eq!(made(args), Ok(("n".into(), kind.into(), value.into())), "{args:?}");
    }
}

#[test]
fn a_secret_may_be_called_like_a_command_but_needs_a_name() {
    let CreateArgs::Any(args) = parsed(&["--personal", "--", "claude"]) else { panic!() };
    assert_eq!((args.name.as_deref(), args.about.owner.team()), (Some("claude"), Some(false)));
    insta::assert_snapshot!(made(&[]).unwrap_err(), @"
    Error: the secret needs a name
    => oz secret create NAME; `oz secret create --help` has examples
    ");
}

#[test]
fn options_before_a_command_are_refused() {
    let refused = |args: &[&str]| {
        let error = Cli::try_parse_from([&["oz", "secret", "create"], args].concat()).unwrap_err();
        (error.exit_code(), error.to_string().lines().next().unwrap_or_default().to_owned())
    };
    let said = |text: &str| (2, format!("error: {text} must stand after the command"));
    assert_eq!(refused(&["--team", "claude", "api-key", "N"]), said("--team"));
    assert_eq!(refused(&["N", "claude", "api-key", "N"]), said("NAME"));
    // Options of every command stand anywhere.
    let CreateArgs::Typed(_) = parsed(&["--output-format", "json", "codex", "api-key", "N"]) else {
        panic!()
    };
}
