//! Bytes to signed addresses, without holding a file in memory. The address is the proof: no key goes there.

use crate::error::CliError;
use oz_client::{Client, http_client};
use oz_core::{
    api::{UploadMethod, UploadTarget},
    error::Problem,
};
use std::time::Duration;
use tokio::fs::File;

/// How long an upload may take.
const WITHIN: Duration = Duration::from_secs(300);

/// Streams a file of `size` bytes to where the server wants it.
pub(super) async fn upload(
    client: &Client,
    target: &UploadTarget,
    file: File,
    size: u64,
) -> Result<(), CliError> {
    let url = resolve(client, &target.url)?;
    let http = http_client(&url)?;
    let mut request = match target.method {
        UploadMethod::Put => http.put(&url),
        UploadMethod::Post => http.post(&url),
        UploadMethod::Unknown(ref other) => {
            return Err(CliError::new(format!("the server asks for an upload by '{other}'")));
        }
    };
    for (name, value) in &target.headers {
        request = request.header(name, value);
    }
    if !target.headers.keys().any(|name| name.eq_ignore_ascii_case("content-length")) {
        request = request.header("content-length", size);
    }
    let response = request.timeout(WITHIN).body(file).send().await;
    let response = response.map_err(|e| CliError::new(format!("the upload failed: {}", e.without_url())))?;
    if response.status().is_success() {
        return Ok(());
    }
    let status = response.status().as_u16();
    Err(refused(status, &response.bytes().await.unwrap_or_default()))
}

/// The address, which may be relative to the server's. One that is less safe than the server's is refused.
fn resolve(client: &Client, address: &str) -> Result<String, CliError> {
    let wrong = |e| CliError::new(format!("the server's address for the upload: {e}"));
    let base = url::Url::parse(client.server_url()).map_err(wrong)?;
    let url = base.join(address).map_err(wrong)?;
    if base.scheme() == "https" && url.scheme() != "https" {
        return Err(CliError::new("the server wants the upload at an address without TLS"));
    }
    Ok(url.into())
}

fn refused(status: u16, body: &[u8]) -> CliError {
    let reason = match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => oz_core::Error::from(problem).to_string(),
        Err(_) => format!("the server answered {status}"),
    };
    CliError::new(format!("the upload was refused: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_be_relative() {
        let client = Client::new("https://oz.example.com", None).unwrap();
        assert_eq!(
            resolve(&client, "/api/v1/blobs/x?s=1").unwrap(),
            "https://oz.example.com/api/v1/blobs/x?s=1"
        );
        assert_eq!(resolve(&client, "https://blobs.example.com/x").unwrap(), "https://blobs.example.com/x");
        assert!(
            resolve(&client, "http://blobs.example.com/x").unwrap_err().to_string().contains("without TLS")
        );
    }
}
