//! Which turn answers which request. Conversations are told apart by how they begin, so that runs which share a fake
//! model don't get each other's answers.

use crate::Turn;
use serde::Deserialize;
use serde_json::Value;

/// A request for an answer, as far as a script needs to know it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The path, which tells the wire format.
    pub path: &'static str,
    /// The conversation's first user message.
    pub opening: &'a str,
    /// How many answers the conversation holds already.
    pub turn: usize,
    /// How often this answer to this opening was asked for before.
    pub attempt: usize,
    /// The whole request.
    pub body: &'a Value,
}

/// The answers of a fake model.
pub struct Script(Box<Choose>);

type Choose = dyn Fn(&Asked<'_>) -> Option<Turn> + Send + Sync;

impl Script {
    /// A function chooses; a request for which it has no turn is a violation.
    pub fn by(choose: impl Fn(&Asked<'_>) -> Option<Turn> + Send + Sync + 'static) -> Self {
        Self(Box::new(choose))
    }

    /// A list of turns for each kind of conversation: the first whose text occurs in the first user message.
    pub fn conversations<S: Into<String>>(list: impl IntoIterator<Item = (S, Vec<Turn>)>) -> Self {
        let list: Vec<(String, Vec<Turn>)> =
            list.into_iter().map(|(text, turns)| (text.into(), turns)).collect();
        Self::by(move |asked| {
            let (_, turns) = list.iter().find(|(text, _)| asked.opening.contains(text))?;
            turns.get(asked.turn).cloned()
        })
    }

    /// The conversations in a JSON document: `{"conversations": [{"match": "fix", "turns": [{"text": "Done."}]}]}`.
    ///
    /// # Errors
    /// What is wrong with the document and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        Ok(Self::conversations(file.conversations.into_iter().map(|c| (c.opening, c.turns))))
    }

    pub(crate) fn turn(&self, asked: &Asked<'_>) -> Option<Turn> {
        (self.0)(asked)
    }
}

impl From<Vec<Turn>> for Script {
    /// Every conversation gets these turns in order.
    fn from(turns: Vec<Turn>) -> Self {
        Self::conversations([("", turns)])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    #[serde(rename = "match", default)]
    opening: String,
    turns: Vec<Turn>,
}
