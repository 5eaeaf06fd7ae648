//! Every method of the client by name, so that whoever is not Rust can list and call them: bindings for other
//! languages are made from this list, and a test fails when it lacks a method.
//!
//! ```no_run
//! # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
//! let method = oz_client::method::find("runs.get").expect("it is one of them");
//! let request = serde_json::json!({ "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e" });
//! let answer = method.call(&client, request).await?;
//! println!("{}", String::from_utf8_lossy(&answer));
//! # Ok(()) }
//! ```

mod own;
mod requests;
#[cfg(test)]
mod tests;
mod text;

pub use requests::*;

use crate::{Client, Error};
use bytes::Bytes;
use futures_util::{
    FutureExt as _, Stream, StreamExt as _, TryFutureExt as _, future::BoxFuture, stream::BoxStream,
};
use oz_core::api::{self, Endpoint, Info};
#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::LazyLock};

pub(crate) use own::NOUN as OWN;

// What requests and answers must have: a schema with the feature `schema`, nothing without it.
#[cfg(feature = "schema")]
use schemars::JsonSchema as Described;
#[cfg(not(feature = "schema"))]
pub(crate) trait Described {}
#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

/// Makes the schema of a type. Needs the feature `schema`.
#[cfg(feature = "schema")]
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;
/// Pieces of an answer: JSON texts, or bytes.
pub type Pieces = BoxStream<'static, Result<Bytes, Error>>;

/// Methods that belong together.
pub struct Noun {
    /// The method of [`Client`] that leads to them, such as `runs`; empty for the client's own.
    pub name: &'static str,
    /// Their type, such as `Runs`.
    pub type_name: &'static str,
    /// What they are about.
    pub doc: &'static str,
    /// Those that are one call of an endpoint.
    pub(crate) calls: &'static [Method],
    /// Those that do more.
    pub(crate) by_hand: &'static [Method],
}

impl Noun {
    /// The methods, in the order of their sources.
    pub fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.calls.iter().chain(self.by_hand)
    }
}

/// A method of the client.
pub struct Method {
    /// Its noun, such as `runs`; empty for the client's own methods.
    pub noun: &'static str,
    /// Its name, such as `create`.
    pub name: &'static str,
    /// What it does, as Rust's documentation says it; see [`summary`](Self::summary).
    pub doc: &'static str,
    /// The fields of the request that Rust takes one by one; none when it takes the request as a whole.
    pub arguments: &'static [&'static str],
    /// Schema of its request, an object. Needs the feature `schema`.
    #[cfg(feature = "schema")]
    pub request: SchemaOf,
    /// Schema of its answer, or of each item of a stream; none for bytes. Needs the feature `schema`.
    #[cfg(feature = "schema")]
    pub answer: Option<SchemaOf>,
    pub(crate) row: Option<fn() -> Info>,
    pub(crate) how: How,
}

/// What comes of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One answer.
    Call,
    /// Items, one after the other.
    Stream,
    /// Bytes, as they come.
    Bytes,
    /// Takes bytes beside its request, and answers nothing.
    Upload,
}

/// How a method is done.
pub(crate) enum How {
    Row,
    Call(fn(Client, Value) -> BoxFuture<'static, Result<Bytes, Error>>),
    Stream(fn(Client, Value) -> Result<Pieces, Error>),
    Bytes(fn(Client, Value) -> BoxFuture<'static, Result<Pieces, Error>>),
    Upload(fn(Client, Value, Bytes) -> BoxFuture<'static, Result<(), Error>>),
}

/// Every noun; that of the client's own methods, which has no name, comes first.
#[must_use]
pub fn nouns() -> &'static [Noun] {
    crate::resources::NOUNS
}

/// Every method, noun by noun.
pub fn all() -> impl Iterator<Item = &'static Method> {
    nouns().iter().flat_map(Noun::methods)
}

/// The method of this name, such as `runs.create` or `watch`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    static BY_NAME: LazyLock<HashMap<String, &'static Method>> =
        LazyLock::new(|| all().map(|method| (method.full_name(), method)).collect());
    BY_NAME.get(name).copied()
}

impl Method {
    /// Its noun and name, such as `runs.create`, or `watch` for the client's own.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.noun.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.noun, self.name) }
    }

    /// What it does, in plain text without examples, for the documentation of other languages.
    #[must_use]
    pub fn summary(&self) -> String {
        text::plain(self.doc)
    }

    /// The row of the endpoint table that it is about, if there is one.
    #[must_use]
    pub fn row(&self) -> Option<Info> {
        self.row.map(|row| row())
    }

    /// What comes of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.how {
            How::Row | How::Call(_) => Kind::Call,
            How::Stream(_) => Kind::Stream,
            How::Bytes(_) => Kind::Bytes,
            How::Upload(_) => Kind::Upload,
        }
    }

    /// Calls it. The answer is JSON.
    ///
    /// # Errors
    /// `invalid_request` that names the field when the request is none of this method; otherwise those of
    /// [`Client::send`]. [`Error::Config`] when it answers otherwise than at once.
    pub async fn call(&self, client: &Client, request: Value) -> Result<Bytes, Error> {
        match (&self.how, &self.row) {
            (How::Row, Some(row)) => client.send_row(&row(), object(request)?).await?.json(),
            (How::Call(call), _) => call(client.clone(), request).await,
            _ => Err(self.other("call")),
        }
    }

    /// What it streams: JSON texts, or bytes. Nothing is asked for before the stream is read.
    ///
    /// # Errors
    /// `invalid_request` that names the field when the request is none of this method; [`Error::Config`] when it does
    /// not stream. What goes wrong later is an item of the stream, its last.
    pub fn stream(&self, client: &Client, request: Value) -> Result<Pieces, Error> {
        match self.how {
            How::Stream(open) => open(client.clone(), request),
            How::Bytes(open) => Ok(open(client.clone(), request).try_flatten_stream().boxed()),
            _ => Err(self.other("stream")),
        }
    }

    /// Sends bytes with it.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn upload(&self, client: &Client, request: Value, bytes: Bytes) -> Result<(), Error> {
        match self.how {
            How::Upload(send) => send(client.clone(), request, bytes).await,
            _ => Err(self.other("upload")),
        }
    }

    fn other(&self, tried: &str) -> Error {
        let (name, kind) = (self.full_name(), self.kind());
        Error::Config(format!("the method '{name}' is no {tried} but: {kind:?}"))
    }

    /// A method that is one call of the endpoint of `Q`.
    pub(crate) const fn row_of<Q: Endpoint + Described, A: Described>(
        name: (&'static str, &'static str),
        doc: &'static str,
    ) -> Self {
        Self::new::<Q>(name, doc, How::Row).answering::<A>().on::<Q>()
    }

    /// A method that answers once; `call` does it.
    pub(crate) const fn called<Q: Described, A: Described>(
        name: (&'static str, &'static str),
        doc: &'static str,
        call: fn(Client, Value) -> BoxFuture<'static, Result<Bytes, Error>>,
    ) -> Self {
        Self::new::<Q>(name, doc, How::Call(call)).answering::<A>()
    }

    /// A method that streams items; `open` begins.
    pub(crate) const fn streamed<Q: Described, A: Described>(
        name: (&'static str, &'static str),
        doc: &'static str,
        open: fn(Client, Value) -> Result<Pieces, Error>,
    ) -> Self {
        Self::new::<Q>(name, doc, How::Stream(open)).answering::<A>()
    }

    /// A method that streams bytes, or takes them.
    pub(crate) const fn transferred<Q: Described>(
        name: (&'static str, &'static str),
        doc: &'static str,
        how: How,
    ) -> Self {
        Self::new::<Q>(name, doc, how)
    }

    const fn new<Q: Described>(
        (noun, name): (&'static str, &'static str),
        doc: &'static str,
        how: How,
    ) -> Self {
        Self {
            noun,
            name,
            doc,
            arguments: &[],
            #[cfg(feature = "schema")]
            request: schema_of::<Q>,
            #[cfg(feature = "schema")]
            answer: None,
            row: None,
            how,
        }
    }

    /// The same method, which answers this, or a stream of it.
    const fn answering<A: Described>(self) -> Self {
        Self {
            #[cfg(feature = "schema")]
            answer: Some(schema_of::<A>),
            ..self
        }
    }

    /// The same method, which is about this row.
    pub(crate) const fn on<E: Endpoint>(mut self) -> Self {
        self.row = Some(|| E::INFO);
        self
    }

    /// The same method, which takes these fields of its request one by one.
    pub(crate) const fn taking(mut self, arguments: &'static [&'static str]) -> Self {
        self.arguments = arguments;
        self
    }
}

#[cfg(feature = "schema")]
fn schema_of<T: Described>(g: &mut SchemaGenerator) -> Schema {
    g.subschema_for::<T>()
}

fn object(request: Value) -> Result<Map<String, Value>, Error> {
    match request {
        Value::Object(fields) => Ok(fields),
        other => Err(oz_core::Error::invalid(format!("request: expected an object, not {other}")).into()),
    }
}

/// Reads a request, does it, and writes its answer.
pub(crate) fn answering<Q, A, F>(
    request: &Value,
    call: impl FnOnce(Q) -> F,
) -> BoxFuture<'static, Result<Bytes, Error>>
where
    Q: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, Error>> + Send + 'static,
{
    match api::parse(request) {
        Ok(request) => call(request).map(|answer| json(&answer?)).boxed(),
        Err(e) => std::future::ready(Err(e.into())).boxed(),
    }
}

/// Items as JSON texts.
pub(crate) fn texts<A: Serialize>(items: impl Stream<Item = Result<A, Error>> + Send + 'static) -> Pieces {
    items.map(|item| json(&item?)).boxed()
}

/// Bytes of which one has to be asked first whether they are there.
pub(crate) fn bytes<Q, S, F>(
    request: &Value,
    open: impl FnOnce(Q) -> F,
) -> BoxFuture<'static, Result<Pieces, Error>>
where
    Q: DeserializeOwned,
    S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
    F: Future<Output = Result<S, Error>> + Send + 'static,
{
    match api::parse(request) {
        Ok(request) => open(request).map_ok(futures_util::StreamExt::boxed).boxed(),
        Err(e) => std::future::ready(Err(e.into())).boxed(),
    }
}

fn json(value: &impl Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| Error::Config(e.to_string()))
}
