//! How a stream is asked for: method, headers, body, where to begin.
use super::{
    RequestArgs, SubscribeArgs, SubscribeError, When,
    cookies::Cookies,
    source::Source,
    stdin::Stdin,
    transport::{Shared, Transport},
};
use crate::http::Without;
use fanfare_client::{Acknowledge, Builder, CookieJar, EventSource, FileStore, Limits, Reconnect};
use http::{
    HeaderValue, Method,
    header::{CONTENT_TYPE, COOKIE, USER_AGENT},
};
use std::{
    fs,
    io::{self, Read as _},
    time::Duration,
};

const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));
/// The longest body that is sent.
const MAX_BODY_BYTES: u64 = 64 << 20;
/// The wait that failures lead to at most.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// A body as it is given: text, or where it is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestBody {
    Text(String),
    File(String),
    Stdin,
}

impl From<&str> for RequestBody {
    fn from(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.to_owned()),
            None => Self::Text(text.to_owned()),
        }
    }
}

impl RequestBody {
    fn file(&self) -> Option<&str> {
        if let Self::File(path) = self { Some(path) } else { None }
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let reader: Box<dyn io::Read> = match self {
            Self::Text(text) => return Ok(text.clone().into_bytes()),
            Self::File(path) => Box::new(fs::File::open(path)?),
            Self::Stdin => Box::new(io::stdin().lock()),
        };
        let mut body = Vec::new();
        reader.take(MAX_BODY_BYTES + 1).read_to_end(&mut body)?;
        match body.len() as u64 > MAX_BODY_BYTES {
            true => Err(io::Error::other(format!("it is longer than {MAX_BODY_BYTES} bytes"))),
            false => Ok(body),
        }
    }
}

/// The event source for `source`, as the arguments want it.
///
/// # Errors
/// [`SubscribeError`] if something in them cannot be sent or read.
pub(super) fn event_source(
    source: &Source,
    shared: &Shared,
    args: &SubscribeArgs,
) -> Result<EventSource, SubscribeError> {
    builder(source, shared, args)?.build().map_err(SubscribeError::Build)
}

/// Returns what builds the event source.
///
/// # Errors
/// As [`event_source`].
pub(super) fn builder(source: &Source, shared: &Shared, args: &SubscribeArgs) -> Result<Builder, SubscribeError> {
    let builder = match source {
        Source::Hub { url } | Source::Url { url } => {
            let removed = args.request.headers.iter().flat_map(|argument| argument.removed.iter().cloned());
            EventSource::builder(url).transport(Without::new(Transport::new(source, shared, args), removed))
        }
        Source::Stdin => EventSource::builder(Stdin::URL).transport(Stdin),
    };
    let bytes = usize::try_from(args.select.max_event.0).unwrap_or(usize::MAX);
    let limits = Limits { max_data_bytes: bytes, max_line_bytes: bytes, ..Limits::default() };
    let builder = builder.limits(limits).skip_large_events(args.select.skip_large).blocks(true);
    let builder = builder.unfinished_events(args.select.unfinished).header(USER_AGENT, AGENT);
    let mut builder = args.connection.in_time(resuming(builder, source, args)?);
    // That it was withheld is said once, when the command begins.
    if let Some(token) = source.url().and_then(|url| args.hub.token_for(url).ok().flatten()) {
        builder = builder.bearer(token.reveal());
    }
    if let Some(user) = &args.request.user {
        let (user, password) = user.reveal().split_once(':').ok_or(SubscribeError::User)?;
        builder = builder.basic(user, password);
    }
    requesting(with_cookies(builder, source, &shared.cookies, args)?, &args.request)
}

fn with_cookies(
    mut builder: Builder,
    source: &Source,
    jar: &CookieJar,
    args: &SubscribeArgs,
) -> Result<Builder, SubscribeError> {
    let cookies = args.request.cookie.as_ref();
    if let Some(header) = cookies.and_then(Cookies::header) {
        builder = builder.header(COOKIE, header.map_err(|_| SubscribeError::CookieCharacters)?);
    }
    if args.request.cookie_jar || cookies.is_some_and(Cookies::wants_jar) {
        cookies
            .map_or(Ok(()), |cookies| cookies.fill(jar, source.url().unwrap_or_default()))
            .map_err(SubscribeError::Cookies)?;
        builder = builder.cookies(jar.clone());
    }
    Ok(builder)
}

fn resuming(builder: Builder, source: &Source, args: &SubscribeArgs) -> Result<Builder, SubscribeError> {
    let policy = match args.resume.reconnect {
        _ if *source == Source::Stdin => Reconnect::never(),
        When::Never => Reconnect::never(),
        When::AfterOpen | When::Always => Reconnect::resilient().max_delay(MAX_DELAY),
    };
    let mut builder = builder.reconnect(policy);
    if let Some(id) = &args.resume.last_event_id {
        // The client would leave out such an ID and say so; who gives it by hand is better told at once.
        if HeaderValue::from_bytes(id.as_bytes()).is_err() {
            return Err(SubscribeError::LastEventId { id: id.clone() });
        }
        builder = builder.last_event_id(id);
    }
    if let Some(path) = &args.resume.state {
        builder = builder.store(FileStore::new(path)).acknowledge(Acknowledge::Manual);
    }
    Ok(builder)
}

fn requesting(mut builder: Builder, args: &RequestArgs) -> Result<Builder, SubscribeError> {
    if let Some(body) = &args.body {
        let unfit = |error| SubscribeError::Body { file: body.file().map(str::to_owned), error };
        let body = body.read().map_err(unfit)?;
        let json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
        let content_type = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        builder = builder.method(Method::POST).header(CONTENT_TYPE, content_type).body(body);
    }
    if let Some(method) = &args.method {
        builder = builder.method(method.clone());
    }
    if let Some(timeout) = args.idle_timeout {
        builder = builder.idle_timeout(timeout.0);
    }
    let headers = args.headers.iter().flat_map(|argument| &argument.sent);
    Ok(headers.fold(builder, |builder, header| builder.header(&header.name, header.value.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_text_or_comes_from_a_file() {
        assert_eq!(RequestBody::from("a@b"), RequestBody::Text("a@b".into()));
        assert_eq!(RequestBody::from("@-"), RequestBody::Stdin);
        assert_eq!(RequestBody::from("@a/b"), RequestBody::File("a/b".into()));
        assert!(RequestBody::File("/nowhere/at/all".into()).read().is_err());
    }
}
