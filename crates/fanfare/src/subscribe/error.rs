//! Why there is no stream, or no more of it.
use super::{ends::MAX_IN_VAIN, lint::LintError};
use crate::{
    exit::Exit,
    http::{CertificatesError, Ending, MAX_URL_BYTES, Party, UrlTooLong},
    shown::shown_id,
};
use fanfare_client::{BuildError, Cause, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum SubscribeError {
    /// URLs and topics stand together.
    UrlAmongTopics { url: String },
    /// The URL is none.
    Url { url: String },
    /// The URL is longer than any that can be asked.
    LongUrl { bytes: usize },
    /// The topics do not fit into a request.
    TooLong(UrlTooLong),
    /// The ID holds characters that no request header can carry.
    LastEventId { id: String },
    /// There is no colon between user and password.
    User,
    /// Cookies hold characters that no header can carry.
    CookieCharacters,
    /// The file of cookies cannot be read.
    Cookies(io::Error),
    /// The certificates of authorities cannot be read.
    Certificates(CertificatesError),
    /// Standard input is a stream that somebody has asked for already.
    RewindOfInput,
    /// One file cannot keep the IDs of several streams.
    StateOfSeveral,
    /// The request cannot be sent as it was given.
    Build(BuildError),
    /// The body of the request cannot be read.
    Body { file: Option<String>, error: io::Error },
    /// The first connection did not come about.
    NotOpened(Box<Ending<Cause>>),
    /// There is no stream, or no more of it.
    Stream(Box<Ending<Error>>),
    /// The streams ended before the event that was to be the last.
    Unfinished { marker: String },
    /// A server ends each stream before the event that is to be the last, and brings nothing new.
    InVain { party: Party, marker: String },
    /// The answer says that it failed.
    Failed { party: Party, reason: String },
    /// The events cannot be printed.
    Print(io::Error),
    /// The command cannot be run.
    Exec(io::Error),
    /// The command failed.
    Command { code: Option<i32> },
    /// The stream cannot be looked at, or there are errors in it.
    Lint(LintError),
    /// The machine gives no means to run on.
    Runtime(io::Error),
}

impl SubscribeError {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::UrlAmongTopics { .. }
            | Self::Url { .. }
            | Self::LongUrl { .. }
            | Self::TooLong(_)
            | Self::User
            | Self::CookieCharacters
            | Self::Certificates(_)
            | Self::LastEventId { .. }
            | Self::RewindOfInput
            | Self::StateOfSeveral
            | Self::Build(_) => Exit::Usage,
            Self::NotOpened(ending) => ending.exit(),
            Self::Stream(ending) => ending.exit(),
            Self::Lint(error) => of_lint(error),
            Self::Unfinished { .. } | Self::InVain { .. } | Self::Failed { .. } => Exit::Failed,
            Self::Cookies(_)
            | Self::Body { .. }
            | Self::Print(_)
            | Self::Exec(_)
            | Self::Command { .. }
            | Self::Runtime(_) => Exit::Failed,
        }
    }
}

fn of_lint(error: &LintError) -> Exit {
    match error {
        LintError::Source | LintError::Format | LintError::Build(_) => Exit::Usage,
        LintError::NoAnswer(error) => error.as_ref().map_or(Exit::Unreachable, |ending| ending.exit()),
        LintError::Print(_) => Exit::Failed,
        LintError::Findings { .. } => Exit::Rejected,
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlAmongTopics { url } => write!(
                f,
                "{url} is the URL of a stream and cannot stand among topics; a topic that looks like a URL is given \
                 with --topic"
            ),
            Self::Url { url } => write!(f, "cannot send a request to {url}: it is not an http or https URL"),
            Self::LongUrl { bytes } => write!(f, "the URL has {bytes} bytes, {MAX_URL_BYTES} are allowed"),
            Self::TooLong(error) => error.fmt(f),
            Self::LastEventId { id } => write!(f, "the last event ID {} holds what no request can carry", shown_id(id)),
            Self::User => f.write_str(
                "--user has no password: give USER:PASSWORD, or USER: for an empty one. It is not asked for here, as curl \
                 does; to keep it from other users of the machine, give a file with -H @FILE",
            ),
            Self::CookieCharacters => f.write_str("--cookie holds characters that no request can carry"),
            Self::Cookies(error) => write!(f, "cannot read the file of cookies: {error}; give cookies as NAME=VALUE"),
            Self::Certificates(error) => error.fmt(f),
            Self::RewindOfInput => f.write_str(
                "--last and --since are for a server that is asked: give them in the URL of the program that asks for the \
                 stream on standard input",
            ),
            Self::StateOfSeveral => f.write_str("--state keeps the last event ID of one stream, not of several"),
            Self::Build(error) => error.fmt(f),
            Self::Body { file: Some(path), error } => {
                write!(f, "cannot read the body of the request from {path}: {error}")
            }
            Self::Body { file: None, error } => write!(f, "cannot read the body of the request: {error}"),
            Self::NotOpened(ending) => ending.fmt(f),
            Self::Stream(ending) => ending.fmt(f),
            Self::Unfinished { marker } => write!(f, "the stream ended before {marker:?} came (--until)"),
            Self::InVain { party, marker } => write!(
                f,
                "{} ended {MAX_IN_VAIN} streams in a row before {marker:?} came (--until), and sent nothing new",
                party.place()
            ),
            Self::Failed { party, reason } => write!(f, "{party} reports an error in its answer: {reason}"),
            Self::Print(error) => write!(f, "cannot print events: {error}"),
            Self::Exec(error) => write!(f, "cannot run the command: {error}"),
            Self::Command { code: Some(code) } => write!(f, "the command ended with exit code {code}"),
            Self::Command { code: None } => f.write_str("the command was ended by a signal"),
            Self::Lint(error) => error.fmt(f),
            Self::Runtime(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for SubscribeError {}
