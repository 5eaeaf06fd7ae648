//! One GET with a limit.

use std::{error::Error, time::Duration};

/// How long an answer may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The time that the other side thinks it is.
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Fetches an address. The error is a text for people, without the address, which may hold a password.
pub(super) async fn get(url: &str, headers: &[(&str, &str)], limit: Duration) -> Result<Answer, String> {
    let client = oz_client::http_client(url).map_err(|e| e.to_string())?;
    let mut request = client.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let fetched = tokio::time::timeout(limit, async {
        let response = request.send().await.map_err(|e| innermost(&e.without_url()))?;
        let status = response.status().as_u16();
        let date = response.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
        let body = response.bytes().await.map_err(|e| innermost(&e.without_url()))?;
        Ok(Answer { status, date, body: body.to_vec() })
    });
    fetched.await.unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs_f32())))
}

fn innermost(mut error: &dyn Error) -> String {
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}
