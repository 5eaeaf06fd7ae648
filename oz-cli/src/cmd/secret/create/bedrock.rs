//! The parts of the keys for Anthropic's models on Amazon Bedrock.

use super::super::value::{Input, Part, Parts, json};
use oz_core::secret::{BedrockAccessKey, BedrockApiKey};

/// An API key with its region.
pub(super) fn api_key(key: Option<String>, region: Option<String>) -> Input {
    Input::Parts(Parts {
        parts: vec![hidden("--bedrock-api-key", "Bedrock API key", key), aws_region(region)],
        join: |parts| {
            let mut parts = parts.into_iter();
            let mut next = || parts.next().unwrap_or_default();
            json(&BedrockApiKey { aws_bearer_token_bedrock: next(), aws_region: next() })
        },
        instead: "or its JSON: oz secret create NAME -t anthropic-bedrock-api-key -f FILE",
    })
}

/// An access key with its region and, if it is a temporary one, its token.
pub(super) fn access_key(
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
    region: Option<String>,
) -> Input {
    let id = Part { hidden: false, ..hidden("--access-key-id", "AWS access key id", id) };
    let token = Part { optional: true, ..hidden("--session-token", "AWS session token", token) };
    Input::Parts(Parts {
        parts: vec![
            id,
            hidden("--secret-access-key", "AWS secret access key", secret),
            token,
            aws_region(region),
        ],
        join: |parts| {
            let mut parts = parts.into_iter();
            let mut next = || parts.next().unwrap_or_default();
            json(&BedrockAccessKey {
                aws_access_key_id: next(),
                aws_secret_access_key: next(),
                aws_session_token: Some(next()).filter(|token| !token.is_empty()),
                aws_region: next(),
            })
        },
        instead: "or its JSON: oz secret create NAME -t anthropic-bedrock-access-key -f FILE",
    })
}

fn hidden(flag: &'static str, label: &'static str, given: Option<String>) -> Part {
    Part { flag, label, hidden: true, optional: false, given }
}

fn aws_region(given: Option<String>) -> Part {
    Part { flag: "--region", label: "AWS region", hidden: false, optional: false, given }
}
