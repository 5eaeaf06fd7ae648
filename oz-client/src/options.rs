//! What a caller may say about single calls.

use crate::{Client, Error, retry};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{fmt, time::Duration};

/// How long one try of a call may take; streams have no limit.
const WITHIN: Duration = Duration::from_secs(60);

/// How the calls of a client are made; see [`Client::with_options`]. What is absent stays as it is.
#[derive(Clone, Default)]
pub struct RequestOptions {
    /// How long one try may take; 60 s when absent.
    pub timeout: Option<Duration>,
    /// How often a call is tried, counted with the first time; [`retry::ATTEMPTS`] when absent.
    pub max_attempts: Option<u32>,
    /// Headers to send with every call. They replace those of the same name.
    pub headers: Vec<(String, String)>,
    /// Names a POST: however often it is sent with this key, it is done once. So a client with a key is good for one
    /// call; another one would be taken for the same.
    pub idempotency_key: Option<String>,
}

impl fmt::Debug for RequestOptions {
    /// Shows no value of a header, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("RequestOptions")
            .field("timeout", &self.timeout)
            .field("max_attempts", &self.max_attempts)
            .field("headers", &names)
            .field("idempotency_key", &self.idempotency_key)
            .finish()
    }
}

impl RequestOptions {
    pub(crate) fn within(&self) -> Duration {
        self.timeout.unwrap_or(WITHIN)
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.max_attempts.unwrap_or(retry::ATTEMPTS)
    }

    pub(crate) fn header_map(&self) -> Result<HeaderMap, Error> {
        header_map(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Headers as the HTTP library takes them.
pub(crate) fn header_map<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = header_value(name, value)?;
        let name = HeaderName::try_from(name)
            .map_err(|_| Error::Config(format!("'{name}' is not the name of a header")))?;
        map.append(name, value);
    }
    Ok(map)
}

/// The value of a header; an error names the header only, for its value may be a key.
pub(crate) fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(value)
        .map_err(|_| Error::Config(format!("the header '{name}' has characters that no header may have")))
}

impl Client {
    /// A clone of the client, cheap to make, whose calls are made with `options` in place of those it had.
    /// [`Client::watch`] and other streams take the headers and the time until the answer begins.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_client::RequestOptions;
    /// let patient = RequestOptions { max_attempts: Some(10), ..RequestOptions::default() };
    /// println!("{:?}", client.with_options(patient).models().list().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// A header that can't be sent is told by the call, as [`Error::Config`].
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        let mut client = self.clone();
        client.shared_mut().options = options;
        client
    }
}
