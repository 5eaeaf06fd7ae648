//! Files into and out of containers through the engine's archives, so that neither needs a shell or `tar` in the image.

use super::engine::status;
use bollard::{
    Docker, body_try_stream,
    errors::Error,
    query_parameters::{
        ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
        UploadToContainerOptionsBuilder,
    },
};
use futures_util::TryStreamExt as _;
use std::io::{self, Read as _};
use tar::{Archive, Builder, EntryType, Header};
use tokio::io::duplex;
use tokio_util::io::{ReaderStream, SyncIoBridge};

const BUFFER: usize = 1 << 16;
/// The most that is read of a file of a container.
const LONGEST_FILE: u64 = 1 << 20;

/// What writes an archive.
pub(super) type Writer = Builder<SyncIoBridge<tokio::io::DuplexStream>>;

/// A user of a container, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Owner {
    pub(super) uid: u64,
    pub(super) gid: u64,
}

/// Unpacks what `write` puts into an archive below `path` of a container, which need not run.
pub(super) async fn put(
    client: &Docker,
    container: &str,
    path: &str,
    write: impl FnOnce(&mut Writer) -> io::Result<()> + Send + 'static,
) -> Result<(), Error> {
    let (reader, writer) = duplex(BUFFER);
    let writing = tokio::task::spawn_blocking(move || {
        let mut builder = Builder::new(SyncIoBridge::new(writer));
        write(&mut builder).and_then(|()| builder.finish())
    });
    let options = UploadToContainerOptionsBuilder::new().path(path).build();
    let body = body_try_stream(ReaderStream::with_capacity(reader, BUFFER));
    client.upload_to_container(container, Some(options), body).await?;
    writing.await.map_err(io::Error::other).flatten().map_err(|err| Error::IOError { err })
}

/// Adds a directory.
pub(super) fn directory(archive: &mut Writer, path: &str, owner: Owner) -> io::Result<()> {
    let mut header = header(EntryType::Directory, 0o755, 0, owner);
    archive.append_data(&mut header, path, io::empty())
}

/// Adds a file.
pub(super) fn file(
    archive: &mut Writer,
    path: &str,
    mode: u32,
    owner: Owner,
    size: u64,
    content: impl io::Read,
) -> io::Result<()> {
    let mut header = header(EntryType::Regular, mode, size, owner);
    archive.append_data(&mut header, path, content)
}

fn header(kind: EntryType, mode: u32, size: u64, owner: Owner) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(owner.uid);
    header.set_gid(owner.gid);
    header
}

/// Whether a path exists in a container.
pub(super) async fn exists(client: &Docker, container: &str, path: &str) -> Result<bool, Error> {
    let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
    match client.get_container_archive_info(container, Some(options)).await {
        Ok(_) => Ok(true),
        Err(error) if status(&error) == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The text of a small file of a container; empty when there is none.
pub(super) async fn read(client: &Docker, container: &str, path: &str) -> Result<String, Error> {
    let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
    let mut bytes = Vec::new();
    let mut pieces = client.download_from_container(container, Some(options));
    loop {
        match pieces.try_next().await {
            Ok(Some(piece)) if (bytes.len() as u64) < LONGEST_FILE => bytes.extend_from_slice(&piece),
            Ok(_) => break,
            Err(error) if status(&error) == Some(404) => return Ok(String::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(first_file(&bytes).unwrap_or_default())
}

fn first_file(archive: &[u8]) -> io::Result<String> {
    let mut text = Vec::new();
    if let Some(entry) = Archive::new(archive).entries()?.next() {
        entry?.take(LONGEST_FILE).read_to_end(&mut text)?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
