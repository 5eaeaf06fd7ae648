//! Bytes to and from signed addresses. Such an address carries its own proof: no key goes there.

use crate::{
    Client, Error,
    answer::answer,
    call::retrying,
    http::http_client,
    options::header_map,
    retry::{Call, Key},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use oz_core::{
    RunId,
    api::{BASE, UploadTarget},
};
use reqwest::{Method, RequestBuilder};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// How long an upload may take; files are small, but lines may be slow.
const UPLOAD_WITHIN: Duration = Duration::from_secs(600);
/// A live stream brings something every 15 s; one that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// A signed address.
struct Signed {
    http: reqwest::Client,
    url: Url,
    /// The address for people, without what proves anything.
    name: String,
}

impl Client {
    /// Sends bytes to the address that the server named for them. The key stays here.
    ///
    /// # Errors
    /// What the address answered; [`Error::Config`] when it wants a form, which this version can't send.
    pub async fn upload(&self, target: &UploadTarget, bytes: impl Into<Bytes>) -> Result<(), Error> {
        if !target.fields.is_empty() {
            return Err(Error::Config("the upload wants a form, which this version can't send".into()));
        }
        let method = target.method.as_str();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Error::Config(format!("the upload wants the method '{method}', which is none")))?;
        let Signed { http, url, name } = self.signed(&target.url)?;
        let headers = header_map(target.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let call = Call { attempts: self.options().attempts(), ..Call::of(&method, "", Key::None) };
        let within = self.options().timeout.unwrap_or(UPLOAD_WITHIN);
        let request = http.request(method, url).headers(headers).body(bytes.into()).timeout(within);
        retrying(&call, &request, |request| answer(request, &name)).await?;
        Ok(())
    }

    /// The bytes behind a signed address. The key stays here.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// use futures_util::TryStreamExt as _;
    /// for file in client.runs().handoff_attachments(run_id).await?.attachments {
    ///     let chunks: Vec<_> = client.download(&file.download_url).await?.try_collect().await?;
    ///     println!("{}: {} bytes", file.filename, chunks.concat().len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What the address answered. When the bytes break off later, an error is the last item of the stream.
    pub async fn download(
        &self,
        url: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let Signed { http, url, name } = self.signed(url)?;
        let call = Call { attempts: self.options().attempts(), ..Call::of(&Method::GET, "", Key::None) };
        retrying(&call, &http.get(url), |request| self.open(request, &name)).await
    }

    /// The raw transcript of a run: JSON Lines.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn transcript(
        &self,
        run_id: RunId,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        self.bytes_at(&format!("{BASE}/agent/runs/{run_id}/transcript")).await
    }

    /// What the harness of a run itself keeps of the conversation, in its own format.
    ///
    /// # Errors
    /// See [`Client::send`]; 404 while there is none.
    pub async fn raw_transcript(
        &self,
        run_id: RunId,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        self.bytes_at(&format!("{BASE}/agent/runs/{run_id}/transcript?raw=1")).await
    }

    /// The bytes at a path of the server, or at the signed address that it redirects to.
    pub(crate) async fn bytes_at(
        &self,
        path: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        match self.open(self.request(Method::GET, path)?, self.server_url()).await {
            Err(Error::Redirect { location, .. }) => Ok(self.download(&location).await?.left_stream()),
            bytes => Ok(bytes?.right_stream()),
        }
    }

    /// Sends a request for a stream of bytes, which has no limit in time but may not fall silent.
    pub(crate) async fn open(
        &self,
        request: RequestBuilder,
        name: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let name = name.to_owned();
        let silent = |within: Duration, name: &str| Error::Interrupted {
            url: name.to_owned(),
            reason: format!("nothing came for {} s", within.as_secs()),
        };
        let within = self.options().within();
        let response = timeout(within, answer(request, &name)).await.map_err(|_| silent(within, &name))??;
        Ok(stream::unfold(Some((response.bytes_stream().boxed(), name)), move |state| async move {
            let (mut bytes, name) = state?;
            match timeout(SILENCE, bytes.next()).await {
                Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some((bytes, name)))),
                Ok(Some(Err(e))) => Some((Err(Error::from_http(e, &name)), None)),
                Ok(None) => None,
                Err(_) => Some((Err(silent(SILENCE, &name)), None)),
            }
        }))
    }

    /// Reads an address that the server named, which may be relative to its own.
    fn signed(&self, location: &str) -> Result<Signed, Error> {
        let base = Url::parse(self.server_url()).map_err(|e| Error::Config(e.to_string()))?;
        let url = base.join(location).map_err(|e| Error::Config(format!("the address '{location}': {e}")))?;
        let mut shown = url.clone();
        shown.set_query(None);
        if base.scheme() == "https" && url.scheme() != "https" {
            return Err(Error::Redirect { url: self.server_url().to_owned(), location: shown.into() });
        }
        let here = base.origin() == url.origin();
        let http = if here { self.http().clone() } else { http_client(url.as_str())? };
        Ok(Signed { http, url, name: shown.origin().ascii_serialization() })
    }
}
