//! Which turn answers which request. Conversations are told apart by how they begin, so that runs which share a fake
//! model don't get each other's answers.

use crate::{Turn, wire::Said};
use serde::Deserialize;
use serde_json::Value;

/// A request for an answer, as far as a script needs to know it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The path, which tells the wire format.
    pub path: &'static str,
    /// The conversation's first user message; of somebody else's client, the one that the script knows.
    pub opening: &'a str,
    /// How many answers the conversation holds after it.
    pub turn: usize,
    /// How often this answer to this opening was asked for before.
    pub attempt: usize,
    /// The whole request.
    pub body: &'a Value,
}

/// The answers of a fake model.
pub struct Script(Kind);

enum Kind {
    Choice(Box<Choose>),
    Conversations(Vec<(String, Vec<Turn>)>),
}

type Choose = dyn Fn(&Asked<'_>) -> Option<Turn> + Send + Sync;

impl Script {
    /// A function chooses; a request for which it has no turn is a violation.
    pub fn by(choose: impl Fn(&Asked<'_>) -> Option<Turn> + Send + Sync + 'static) -> Self {
        Self(Kind::Choice(Box::new(choose)))
    }

    /// A list of turns for each kind of conversation: the first whose text occurs in the first user message. For somebody
    /// else's client it is the last user message that holds the text of any, and its turns begin after that message; so
    /// the next prompt of a conversation may have turns of its own.
    pub fn conversations<S: Into<String>>(list: impl IntoIterator<Item = (S, Vec<Turn>)>) -> Self {
        Self(Kind::Conversations(list.into_iter().map(|(text, turns)| (text.into(), turns)).collect()))
    }

    /// The conversations in a JSON document: `{"conversations": [{"match": "fix", "turns": [{"text": "Done."}]}]}`.
    ///
    /// # Errors
    /// What is wrong with the document and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        Ok(Self::conversations(file.conversations.into_iter().map(|c| (c.opening, c.turns))))
    }

    /// Where a client of our own stands: in the conversation that its first message opens.
    pub(crate) fn opened<'a>(said: &'a [Said]) -> Place<'a> {
        Place::after(said, said.iter().position(|s| matches!(s, Said::User(_))).unwrap_or_default())
    }

    /// Where somebody else's client stands. Such clients put texts of their own before, around and after what a user says.
    pub(crate) fn found<'a>(&self, said: &'a [Said]) -> Option<Place<'a>> {
        let Kind::Conversations(list) = &self.0 else { return Some(Self::opened(said)) };
        let named =
            |text: &str| list.iter().any(|(name, _)| !name.is_empty() && text.contains(name.as_str()));
        let last = said.iter().rposition(|s| matches!(s, Said::User(text) if named(text)));
        let any = || list.iter().any(|(name, _)| name.is_empty()).then(|| Self::opened(said));
        last.map(|at| Place::after(said, at)).or_else(any)
    }

    pub(crate) fn turn(&self, asked: &Asked<'_>) -> Option<Turn> {
        match &self.0 {
            Kind::Choice(choose) => choose(asked),
            Kind::Conversations(list) => {
                let (_, turns) = list.iter().find(|(text, _)| asked.opening.contains(text))?;
                turns.get(asked.turn).cloned()
            }
        }
    }
}

/// Where a conversation stands.
#[derive(Default)]
pub(crate) struct Place<'a> {
    /// The user message that says which conversation it is.
    pub(crate) opening: &'a str,
    /// How many answers follow it.
    pub(crate) turn: usize,
}

impl<'a> Place<'a> {
    fn after(said: &'a [Said], at: usize) -> Self {
        let Some(Said::User(opening)) = said.get(at) else { return Self::default() };
        Self { opening, turn: said[at..].iter().filter(|s| **s == Said::Model).count() }
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
