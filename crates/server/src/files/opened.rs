//! The files of a [`Directory`] in the form that [`ServeDir`](tower_http::services::ServeDir) reads.
use super::beneath::Directory;
use std::{
    fs::Metadata,
    future::{Ready, ready},
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncSeek, ReadBuf},
    task::spawn_blocking,
};
use tower_http::services::fs::{Backend, File};

/// A backend that reads only files beneath a directory.
#[derive(Clone, Debug)]
pub(super) struct Beneath(Directory);

/// An open file, with the metadata that it had when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    file: tokio::fs::File,
    metadata: Metadata,
}

type Opening<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Beneath {
    pub(super) fn new(directory: &Path) -> Self {
        Self(Directory::new(directory))
    }

    /// Opens a file or a directory. Refuses everything else, such as pipes and devices: reading from a pipe or a device
    /// may wait, or change something.
    fn opened(&self, path: PathBuf) -> impl Future<Output = io::Result<(std::fs::File, Metadata)>> + Send + use<> {
        let directory = self.0.clone();
        let open = move || {
            let file = directory.open(&path)?;
            let metadata = file.metadata()?;
            match metadata.is_file() || metadata.is_dir() {
                true => Ok((file, metadata)),
                false => Err(io::ErrorKind::NotFound.into()),
            }
        };
        async { spawn_blocking(open).await? }
    }
}

impl Backend for Beneath {
    type File = Opened;
    type Metadata = Metadata;
    type OpenFuture = Opening<Opened>;
    type MetadataFuture = Opening<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let opened = self.opened(path);
        Box::pin(async {
            let (file, metadata) = opened.await?;
            if !metadata.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(Opened { file: file.into(), metadata })
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let opened = self.opened(path);
        Box::pin(async { Ok(opened.await?.1) })
    }
}

impl File for Opened {
    type Metadata = Metadata;
    type MetadataFuture<'a> = Ready<io::Result<Metadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.metadata.clone()))
    }
}

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_read(cx, into)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.file).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.file).poll_complete(cx)
    }
}
