//! A chosen model, and the making of what calls it.

use super::{
    anthropic::Anthropic, chat::Chat, fallback::Link, price::Price, responses::Responses, scripted::Scripted,
};
use oz_core::{Error, model::Model};
use std::{fmt, path::Path, sync::Arc, time::Duration};

/// The format that a model is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Anthropic,
    Responses,
    Chat,
    Ollama,
    Scripted,
}

/// What was chosen.
#[derive(Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) format: Format,
    /// The model's name at its service.
    pub(super) model: String,
    /// The base URL; the script's path for `scripted`.
    pub(super) address: String,
    pub(super) key: Option<String>,
    /// The configured service; absent for the environment's providers.
    pub(super) service: Option<String>,
    /// What its service's configuration says that it costs.
    pub(super) price: Option<Price>,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} at {} key:{}", self.format, self.name(), self.address, self.key.is_some())
    }
}

impl Choice {
    /// How transcripts name it.
    pub(super) fn name(&self) -> String {
        match &self.service {
            Some(service) => format!("{service}/{}", self.model),
            None => self.model.clone(),
        }
    }

    /// Whether both mean the same model at the same place.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.model, &self.address, self.format) == (&other.model, &other.address, other.format)
    }

    /// Makes what calls it. An answer that is silent for `silence` is given up.
    pub(super) fn make(self, silence: Duration) -> Result<Link, Error> {
        let name = self.name();
        let Self { format, model, address, key, service, price } = self;
        let made: Result<Arc<dyn Model>, Error> = (|| {
            Ok(match format {
                Format::Anthropic => Arc::new(Anthropic::new(&address, key, silence)?) as Arc<dyn Model>,
                Format::Responses => Arc::new(Responses::new(&address, key, silence)?),
                Format::Chat => Arc::new(Chat::new("openai-chat", &address, key, silence)?),
                Format::Ollama => Arc::new(Chat::new("ollama", &address, None, silence)?),
                Format::Scripted => Arc::new(Scripted::read(Path::new(&address))?),
            })
        })();
        let made = made.map_err(|e| match service {
            Some(service) => Error { detail: format!("model service '{service}': {}", e.detail), ..e },
            None => e,
        })?;
        Ok(Link { model: made, id: model, name, price })
    }
}
