//! What runs leave behind: plans, pictures, files.

use crate::{
    Error,
    method::{self, How, Method, OfArtifact, UploadTo},
};
use bytes::Bytes;
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{self, BoxStream},
};
use oz_core::api::{ArtifactBody, ArtifactContent, ArtifactCreated, UploadTarget, parse};

noun! {
    /// Calls about artifacts.
    Artifacts artifacts
}

calls! { Artifacts + BY_HAND;
    /// Gets the artifact with this id: the text of a plan, or where to fetch a picture or file.
    get(GetArtifact { artifact_uid: String }) -> ArtifactContent;
    /// Makes an artifact. The bytes of a picture or file go to the address in the answer, by
    /// [`upload`](Artifacts::upload).
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, request: oz_core::api::CreateArtifact) -> Result<(), oz_client::Error> {
    /// let created = client.artifacts().create(&request).await?;
    /// if let Some(target) = &created.upload_target {
    ///     client.artifacts().upload(target, "name,size\n").await?;
    /// }
    /// # Ok(()) }
    /// ```
    create(CreateArtifact) -> ArtifactCreated;
}

/// What is written out below.
const BY_HAND: &[Method] = &[
    Method::transferred::<UploadTo>(
        (NAME, "upload"),
        "Sends the bytes of an artifact to the address that `create` answered with. The key stays here.",
        How::Upload(|client, request, bytes| {
            async move { client.artifacts().upload(&parse::<UploadTo>(&request)?.target, bytes).await }.boxed()
        }),
    ),
    Method::transferred::<OfArtifact>(
        (NAME, "download"),
        "The bytes of the artifact with this id, as they come. The key goes to the server and not to the signed \
         address of the bytes.",
        How::Bytes(|client, request| {
            method::bytes(&request, |of: OfArtifact| async move {
                client.artifacts().download(of.artifact_uid).await
            })
        }),
    )
    .taking(&["artifact_uid"]),
];

impl Artifacts<'_> {
    /// Sends the bytes of an artifact to the address that [`create`](Self::create) answered with. The key stays here.
    ///
    /// # Errors
    /// See [`Client::upload`](crate::Client::upload).
    pub async fn upload(&self, target: &UploadTarget, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.0.upload(target, bytes).await
    }

    /// The bytes of the artifact with this id, as they come. The key goes to the server and not to the signed address
    /// of the bytes.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use futures_util::StreamExt as _;
    /// let mut chunks = client.artifacts().download("artifact").await?;
    /// while let Some(chunk) = chunks.next().await {
    ///     println!("{} bytes", chunk?.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What the server or the address answered. When the bytes break off later, an error is the last item of the
    /// stream.
    pub async fn download(
        &self,
        artifact_uid: impl Into<String>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        match self.get(artifact_uid).await?.content {
            ArtifactBody::Plan { content, .. } => Ok(stream::iter([Ok(content.into())]).boxed()),
            ArtifactBody::Screenshot { download_url, .. } | ArtifactBody::File { download_url, .. } => {
                Ok(self.0.download(&download_url).await?.boxed())
            }
        }
    }
}
