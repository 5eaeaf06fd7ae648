//! Answers: which ones are errors, and what a good one holds.

use crate::Error;
use bytes::Bytes;
use http::HeaderMap;
use oz_core::{ErrorCode, Timestamp, error::Problem};
use reqwest::{RequestBuilder, Response, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// An answer as it came; see [`Client::send_raw`](crate::Client::send_raw).
#[derive(Debug, Clone)]
pub struct RawResponse {
    /// HTTP status; always one of success.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its bytes.
    pub body: Bytes,
    what: &'static str,
}

impl RawResponse {
    /// Reads the answer to `what` to its end.
    pub(crate) async fn read(response: Response, what: &'static str, url: &str) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(|e| Error::from_http(e, url))?;
        Ok(Self { status, headers, body, what })
    }

    /// The body, which is JSON. An answer 204 has no body and counts as `{}`.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is none.
    pub fn json(&self) -> Result<Bytes, Error> {
        self.parse::<serde::de::IgnoredAny>()?;
        Ok(if self.status == 204 { Bytes::from_static(b"{}") } else { self.body.clone() })
    }

    /// What the body says, as a `T`. An answer 204 has no body and counts as `{}`.
    ///
    /// # Errors
    /// [`Error::Decode`] with the place in the body that is not what a `T` has.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body = if self.status == 204 { b"{}" } else { &self.body[..] };
        let mut json = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut json)
            .map_err(|e| Error::Decode { what: self.what.to_owned(), reason: e.to_string() })
    }
}

/// Sends a request; whatever is not a success becomes an error, in which `url` names the server.
pub(crate) async fn answer(request: RequestBuilder, url: &str) -> Result<Response, Error> {
    let response = request.send().await.map_err(|e| Error::from_http(e, url))?;
    if response.status().is_success() { Ok(response) } else { Err(refusal(response, url).await) }
}

async fn refusal(response: Response, url: &str) -> Error {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    if let Some(location) =
        text(&headers, header::LOCATION.as_str()).filter(|_| response.status().is_redirection())
    {
        return Error::Redirect { url: url.to_owned(), location: location.to_owned() };
    }
    let body = response.bytes().await.unwrap_or_default();
    let problem = serde_json::from_slice::<Problem>(&body).ok();
    let told = text(&headers, "x-should-retry").map(|v| v == "true");
    let retryable = problem.as_ref().and_then(|p| p.retryable) == Some(true);
    let mut error = problem.map_or_else(
        || oz_core::Error::new(ErrorCode::from_status(status), format!("{url} answered {status}")),
        oz_core::Error::from,
    );
    error.status = Some(status);
    Error::Api {
        error,
        retry_after: retry_after(&headers, Timestamp::now()),
        // A conflict goes away by itself only when the problem says so.
        should_retry: told.or((status == 409 && !retryable).then_some(false)),
    }
}

/// How long the server asks to wait: in milliseconds, in seconds, or until a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |text: &str, unit: f64| {
        let seconds = text.trim().parse::<f64>().ok()? * unit;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let until = |text: &str| {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(now)).ok()
    };
    text(headers, "retry-after-ms").and_then(|v| number(v, 0.001)).or_else(|| {
        let text = text(headers, header::RETRY_AFTER.as_str())?;
        number(text, 1.0).or_else(|| until(text))
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_read_in_every_spelling() {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        for (headers, wait) in [
            (&[][..], None),
            (&[("retry-after", "7")], Some(7000)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", "Mon, 02 Mar 2026 08:00:05 GMT")], Some(5000)),
            (&[("retry-after", "Mon, 02 Mar 2026 07:59:00 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after-ms", "1.5")], Some(1)),
            (&[("retry-after-ms", "250"), ("retry-after", "7")], Some(250)),
            (&[("retry-after-ms", "x"), ("retry-after", "7")], Some(7000)),
        ] {
            let map = crate::options::header_map(headers.iter().copied()).unwrap();
            assert_eq!(retry_after(&map, now).map(|d| d.as_millis()), wait, "{headers:?}");
        }
    }
}
