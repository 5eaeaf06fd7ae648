//! Calls: turns rows of the endpoint table into HTTP and back, again and again where that is safe.

use crate::{
    Client, Error, RawResponse,
    answer::answer,
    options::header_value,
    retry::{self, Call, Key},
};
use oz_core::api::{BASE, Endpoint, IDEMPOTENCY_HEADER, Info};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value};
use std::future::Future;

impl Client {
    /// Calls an endpoint, trying again where that is safe and makes sense. A call that creates something is given a key
    /// of its own, by which the server knows it when it comes again.
    ///
    /// # Errors
    /// The last error when every try failed.
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<E::Response, Error> {
        self.send_raw(request).await?.parse()
    }

    /// Like [`send`](Self::send), and returns the answer as it came: its status, its headers and its bytes.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::api::{WhoAmI, Account};
    /// let answer = client.send_raw(&WhoAmI {}).await?;
    /// println!("{:?}: {:?}", answer.headers.get("date"), answer.parse::<Account>()?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The last error when every try failed. An answer that is not a success is an error, as in `send`.
    pub async fn send_raw<E: Endpoint>(&self, request: &E) -> Result<RawResponse, Error> {
        self.call(&E::INFO, fields(request)?).await
    }

    /// Calls the endpoint of this row with the fields of its request, for who does not know its type. The fields are
    /// checked against that type first; those that it does not know are sent as they are.
    ///
    /// # Errors
    /// `invalid_request` that names the field; otherwise as for [`send_raw`](Self::send_raw).
    pub async fn send_row(&self, info: &Info, fields: Map<String, Value>) -> Result<RawResponse, Error> {
        let fields = Value::Object(fields);
        (info.check)(&fields)?;
        let Value::Object(fields) = fields else { return Err(not_an_object(info)) };
        self.call(info, fields).await
    }

    /// Calls the endpoint of this row, whatever the type of its request.
    async fn call(&self, info: &Info, fields: Map<String, Value>) -> Result<RawResponse, Error> {
        let (key, name) = match &self.options().idempotency_key {
            _ if info.method != Method::POST => (Key::None, None),
            Some(own) => (Key::Own, Some(own.clone())),
            None if creates(info) => (Key::Made, Some(uuid::Uuid::new_v4().to_string())),
            None => (Key::None, None),
        };
        let request = self.build(info, fields, name.as_deref())?;
        let call = Call { attempts: self.options().attempts(), ..Call::of(&info.method, info.path, key) };
        retrying(&call, &request, |request| self.once(info, request)).await
    }

    /// Calls an endpoint exactly once.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn send_once<E: Endpoint>(&self, request: &E) -> Result<E::Response, Error> {
        let info = E::INFO;
        let name = self.options().idempotency_key.as_deref().filter(|_| info.method == Method::POST);
        self.once(&info, self.build(&info, fields(request)?, name)?).await?.parse()
    }

    async fn once(&self, info: &Info, request: RequestBuilder) -> Result<RawResponse, Error> {
        let response = answer(request.timeout(self.options().within()), self.server_url()).await?;
        RawResponse::read(response, info.id, self.server_url()).await
    }

    /// Builds the HTTP request for a row and the fields of its request, with the key `name`.
    fn build(
        &self,
        info: &Info,
        mut fields: Map<String, Value>,
        name: Option<&str>,
    ) -> Result<RequestBuilder, Error> {
        let mut path = format!("{BASE}{}", info.path);
        for name in info.path_fields() {
            let value = fields.remove(name).map(|v| scalar(&v)).unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), &encode(&value));
        }
        let mut request = self.request(info.method.clone(), &path)?;
        if let Some(name) = name {
            request = request.header(IDEMPOTENCY_HEADER, header_value(IDEMPOTENCY_HEADER, name)?);
        }
        Ok(if info.in_query() { request.query(&query(fields)) } else { request.json(&fields) })
    }
}

/// What a request says, by name.
fn fields<E: Endpoint>(request: &E) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(request) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(not_an_object(&E::INFO)),
    }
}

fn not_an_object(info: &Info) -> Error {
    Error::Config(format!("{} is not an object", info.id))
}

/// Whether a call makes something that would be made once more by a repetition.
fn creates(info: &Info) -> bool {
    info.method == Method::POST && (info.status == 201 || info.id == "CreateRun")
}

/// Sends `request` with `once` until it succeeds, or fails with what `call` says not to repeat.
pub(crate) async fn retrying<T, F>(
    call: &Call,
    request: &RequestBuilder,
    mut once: impl FnMut(RequestBuilder) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempt = 1;
    loop {
        let this = request.try_clone().ok_or_else(|| Error::Config("a stream can't be sent twice".into()))?;
        let error = match once(this).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(wait) = retry::delay(&error, call, attempt, retry::jitter()) else { return Err(error) };
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn encode(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Lists become repeated keys, maps become `name[key]`.
fn query(fields: Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(list) => pairs.extend(list.iter().map(|v| (name.clone(), scalar(v)))),
            Value::Object(map) => pairs.extend(map.iter().map(|(k, v)| (format!("{name}[{k}]"), scalar(v)))),
            other => pairs.push((name, scalar(&other))),
        }
    }
    pairs
}
