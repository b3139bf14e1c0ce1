//! The reason why a relay ended.
use super::sink::failure::Closed;
use crate::{
    exit::Exit,
    http::{CertificatesError, Ending, Unreachable, UrlTooLong, url_hint},
};
use fanfare_client::{BuildError, Cause, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum RelayError {
    /// The arguments cannot be made into a valid request to the upstream.
    Build(BuildError),
    /// The certificates in the file of `--cacert` cannot be used.
    Certificates(CertificatesError),
    /// The topics are too long for the URL of a request.
    TooLong(UrlTooLong),
    /// The first connection to the upstream could not be opened.
    NotOpened(Box<Ending<Cause>>),
    /// The upstream refused the first request.
    Upstream(Box<Ending<Error>>),
    /// The file with the state of the relay cannot be written or read.
    State(Error),
    /// The arguments cannot be made into a valid request to the hub.
    Hub(Unreachable),
    /// The hub will not accept any update from this relay. The value is the reason.
    Closed(Closed),
    /// The asynchronous runtime cannot start, or the signals that stop the command cannot be caught.
    Runtime(io::Error),
}

impl RelayError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Build(_) | Self::Certificates(_) | Self::TooLong(_) => Exit::Usage,
            Self::NotOpened(ending) => ending.exit(),
            Self::Upstream(ending) => ending.exit(),
            Self::Hub(error) => error.exit(),
            Self::Closed(Closed::Refused(refusal)) => refusal.exit(),
            Self::Closed(Closed::Ended) | Self::State(_) | Self::Runtime(_) => Exit::Failed,
        }
    }
}

/// The longest URL, in bytes, that an error message shows. Of a longer URL it shows only the length.
const MAX_SHOWN_BYTES: usize = 1_000;

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(BuildError::Url(url)) => match url_hint(url).filter(|_| url.len() <= MAX_SHOWN_BYTES) {
                Some(hint) => {
                    write!(f, "cannot send a request to {url:?}: it is not an http or https URL; perhaps {hint}")
                }
                None if url.len() > MAX_SHOWN_BYTES => {
                    write!(f, "the URL of the upstream has {} bytes and is too long for a request", url.len())
                }
                None => write!(f, "cannot send a request to {url:?}: it is not an http or https URL"),
            },
            Self::Build(error) => error.fmt(f),
            Self::Certificates(error) => error.fmt(f),
            Self::TooLong(error) => error.fmt(f),
            Self::NotOpened(ending) => write!(f, "nothing is relayed: {ending}"),
            Self::Upstream(ending) => write!(f, "nothing is relayed: {ending}"),
            Self::State(error) => error.fmt(f),
            Self::Hub(error) => error.fmt(f),
            Self::Closed(Closed::Refused(refusal)) => refusal.fmt(f),
            Self::Closed(Closed::Ended) => f.write_str("the hub has ended"),
            Self::Runtime(error) => write!(f, "the command cannot start: {error}"),
        }
    }
}

impl std::error::Error for RelayError {}
