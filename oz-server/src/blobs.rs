//! Bytes: files in blob storage, and the signed addresses under which they come and go.

use crate::{
    ctx::{Ctx, now},
    full,
    store::files::{NewFile, StoredFile},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::{ObjectStore, ObjectStoreExt as _, buffered::BufWriter, path::Path};
use oz_core::{
    Error, Timestamp,
    api::{MAX_FILE_BYTES, UploadMethod, UploadTarget},
};
use std::{collections::BTreeMap, sync::Arc};

/// How long an address for a download works, in seconds.
const DOWNLOAD_VALID: i64 = 15 * 60;
/// How long an address for an upload works, in seconds.
const UPLOAD_VALID: i64 = 60 * 60;

/// A blob storage.
#[derive(Clone)]
pub(crate) struct Blobs(Arc<dyn ObjectStore>);

fn failed(e: impl std::error::Error + 'static) -> Error {
    if full::is_cause(&e) {
        return full::error(full::Place::Files, &e);
    }
    tracing::error!(error = %e, "blob storage");
    Error::internal("the blob storage failed; the server's log says why")
}

impl Blobs {
    /// Blob storage at a URL: `file:///dir` or `s3://bucket/prefix` with the usual variables of the environment.
    ///
    /// # Errors
    /// A text that says what is wrong with the URL or the place.
    pub(crate) fn open(url: &str) -> Result<Self, String> {
        // S3 is reached over TLS; an error means that the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parsed = url::Url::parse(url).map_err(|e| format!("'{url}' is not a URL: {e}"))?;
        if let Ok(dir) = parsed.to_file_path()
            && parsed.scheme() == "file"
        {
            std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let options = std::env::vars()
            .filter(|(name, _)| name.starts_with("AWS_"))
            .map(|(name, value)| (name.to_lowercase(), value));
        if !matches!(parsed.scheme(), "file" | "s3") {
            return Err(format!("'{url}' is not a URL such as file:///srv/oz or s3://bucket/prefix"));
        }
        let (store, prefix) = object_store::parse_url_opts(&parsed, options).map_err(|e| e.to_string())?;
        Ok(Self(Arc::new(object_store::prefix::PrefixStore::new(store, prefix))))
    }

    fn path(file_id: &str) -> Path {
        // Ids are random letters and digits; a short directory keeps any one of them small.
        Path::from(format!("{}/{file_id}", file_id.get(..2).unwrap_or("--")))
    }

    /// Stores a file whole. Returns its size.
    pub(crate) async fn put(&self, file_id: &str, bytes: Bytes) -> Result<i64, Error> {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.0.put(&Self::path(file_id), bytes.into()).await.map_err(failed)?;
        Ok(size)
    }

    /// Stores a file once more. Says whether it was there.
    pub(crate) async fn copy(&self, file_id: &str, copy: &str) -> Result<bool, Error> {
        match self.0.copy(&Self::path(file_id), &Self::path(copy)).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }

    /// Removes a file that nothing refers to. One that stays behind does no harm.
    pub(crate) async fn remove(&self, file_id: &str) {
        if let Err(e) = self.0.delete(&Self::path(file_id)).await {
            tracing::warn!(error = %e, file_id, "a file was not removed");
        }
    }

    /// Stores a file as it arrives. Returns its size. Nothing is left of one that is too large or breaks off.
    pub(crate) async fn receive<S, E>(&self, file_id: &str, mut bytes: S) -> Result<i64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let mut writer = BufWriter::new(self.0.clone(), Self::path(file_id));
        let mut size = 0_usize;
        let outcome = loop {
            match bytes.next().await {
                Some(Ok(chunk)) => {
                    size += chunk.len();
                    if size > MAX_FILE_BYTES {
                        let mut error =
                            Error::invalid(format!("body: at most {MAX_FILE_BYTES} bytes are allowed"));
                        error.status = Some(413);
                        break Err(error);
                    }
                    if let Err(e) = writer.put(chunk).await {
                        break Err(failed(e));
                    }
                }
                Some(Err(e)) => break Err(Error::invalid(format!("body: it broke off: {e}"))),
                None => break Ok(()),
            }
        };
        match outcome {
            Ok(()) => {
                use tokio::io::AsyncWriteExt as _;
                writer.shutdown().await.map_err(failed)?;
                Ok(i64::try_from(size).unwrap_or(i64::MAX))
            }
            Err(e) => {
                let _ = writer.abort().await;
                Err(e)
            }
        }
    }

    /// The bytes of a file.
    pub(crate) async fn get(
        &self,
        file_id: &str,
    ) -> Result<impl Stream<Item = object_store::Result<Bytes>> + Send + use<>, Error> {
        match self.0.get(&Self::path(file_id)).await {
            Ok(found) => Ok(found.into_stream()),
            Err(object_store::Error::NotFound { .. }) => Err(Error::not_found("file", file_id)),
            Err(e) => Err(failed(e)),
        }
    }
}

/// What may be done at a signed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Get,
    Put,
}

impl Right {
    fn of(self, what: &str) -> String {
        let verb = match self {
            Self::Get => "GET",
            Self::Put => "PUT",
        };
        format!("{verb}:{what}")
    }
}

impl Ctx {
    fn signed(&self, right: Right, path: &str, valid: i64) -> (String, i64) {
        let expires = now().as_second() + valid;
        let signature = self.signing_key.sign(&right.of(path), expires);
        (self.url(&format!("/api/v1/blobs/{path}?expires={expires}&signature={signature}")), expires)
    }

    /// A signed address to read `path` under `/blobs/`, and until when it works.
    pub(crate) fn download_url(&self, path: &str) -> (String, Timestamp) {
        let (url, expires) = self.signed(Right::Get, path, DOWNLOAD_VALID);
        (url, Timestamp::from_second(expires).unwrap_or_else(|_| now()))
    }

    /// Where and how to upload a file.
    pub(crate) fn upload_target(&self, file: &NewFile) -> UploadTarget {
        UploadTarget {
            url: self.signed(Right::Put, &file.file_id, UPLOAD_VALID).0,
            method: UploadMethod::Put,
            headers: BTreeMap::from([("content-type".to_owned(), file.mime_type.clone())]),
            fields: Vec::new(),
        }
    }

    /// A file as clients see it.
    pub(crate) fn attachment(&self, file: StoredFile) -> oz_core::api::Attachment {
        oz_core::api::Attachment {
            download_url: self.download_url(&file.file_id).0,
            attachment_id: file.file_id,
            filename: file.filename,
            mime_type: Some(file.mime_type),
        }
    }

    /// Checks that an address under `/blobs/` is signed for this.
    ///
    /// # Errors
    /// `not_authorized`.
    pub(crate) fn check_signature(&self, right: Right, path: &str, query: Option<&str>) -> Result<(), Error> {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let expires = query.get("expires").and_then(|v| v.parse().ok());
        let good = match (expires, query.get("signature")) {
            (Some(expires), Some(signature)) => {
                self.signing_key.verify(&right.of(path), expires, signature, now())
            }
            _ => false,
        };
        if good {
            return Ok(());
        }
        Err(Error::new(
            oz_core::ErrorCode::NotAuthorized,
            "this address is not valid or has run out; ask for a new one",
        ))
    }
}
