//! Builds the requests for streams: method, headers, credentials and body, from the arguments.
use super::{MessageArgs, RequestArgs, RequestError, Source, Transport, cookies::Cookies, stdin::Stdin};
use crate::notice::notice_each_once;
use fanfare_client::{Builder, CookieJar, EventSource, transport::HyperTransport};
use http::{
    HeaderValue, Method,
    header::{CONTENT_TYPE, COOKIE, USER_AGENT},
};

const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));

/// Builds the requests for all streams of a command. The streams share connections and cookies; each cookie goes only
/// to its own server.
pub(crate) struct Asking<'a> {
    args: &'a RequestArgs,
    /// True if only errors are printed.
    is_quiet: bool,
    transport: HyperTransport,
    cookies: CookieJar,
}

impl<'a> Asking<'a> {
    /// Prepares the requests, without connecting. Prints a notice for each of `sources` that does not get the token,
    /// unless `is_quiet` is true.
    ///
    /// # Errors
    /// [`RequestError::Certificates`] if the certificates cannot be used.
    pub(crate) fn new(args: &'a RequestArgs, sources: &[Source], is_quiet: bool) -> Result<Self, RequestError> {
        let transport = args.connection.transport().map_err(RequestError::Certificates)?;
        let asking = Self { args, is_quiet, transport, cookies: CookieJar::new() };
        if !is_quiet {
            asking.tell_withheld(sources);
        }
        Ok(asking)
    }

    fn tell_withheld(&self, sources: &[Source]) {
        let withheld = sources.iter().filter_map(|source| self.args.hub.token_for(source.url()?).err());
        notice_each_once(withheld.map(|withheld| withheld.to_string()));
    }

    /// Makes the transport for `source`.
    pub(crate) fn transport(&self, source: &Source) -> Transport {
        let message = &self.args.message;
        let has_credentials = !message.headers.is_empty()
            || message.user.is_some()
            || message.cookie.is_some()
            || matches!(self.args.hub.token_for(source.url().unwrap_or_default()), Ok(Some(_)));
        let removed = message.headers.iter().flat_map(|argument| argument.removed.iter().cloned());
        let home = source.url().filter(|_| has_credentials && !self.is_quiet);
        Transport::new(self.transport.clone(), removed, home)
    }

    /// Returns the builder of the event source for `source`, which sends its requests by `transport`.
    ///
    /// # Errors
    /// [`RequestError`] if something in the arguments cannot be sent or read.
    pub(crate) fn builder(&self, source: &Source, transport: &Transport) -> Result<Builder, RequestError> {
        let builder = match source {
            Source::Hub { url } | Source::Url { url } => EventSource::builder(url).transport(transport.clone()),
            Source::Stdin => EventSource::builder(Stdin::URL).transport(Stdin),
        };
        let mut builder = self.args.connection.in_time(builder.header(USER_AGENT, AGENT));
        if let Some(id) = &self.args.begin.last_event_id {
            // The client would leave out an ID that a header cannot contain, with a warning. This ID comes from a
            // person, so it is better to refuse it at once.
            if HeaderValue::from_bytes(id.as_bytes()).is_err() {
                return Err(RequestError::LastEventId { id: id.clone() });
            }
            builder = builder.last_event_id(id);
        }
        // A server that may not get the token gets a request without it. A notice about this was printed when the
        // command began.
        if let Some(token) = source.url().and_then(|url| self.args.hub.token_for(url).ok().flatten()) {
            builder = builder.bearer(token.reveal());
        }
        if let Some(user) = &self.args.message.user {
            let (user, password) = user.reveal().split_once(':').ok_or(RequestError::User)?;
            builder = builder.basic(user, password);
        }
        with_message(self.with_cookies(builder, source)?, &self.args.message)
    }

    fn with_cookies(&self, mut builder: Builder, source: &Source) -> Result<Builder, RequestError> {
        let cookies = self.args.message.cookie.as_ref();
        if let Some(header) = cookies.and_then(Cookies::header) {
            builder = builder.header(COOKIE, header.map_err(|_| RequestError::CookieCharacters)?);
        }
        if self.args.message.cookie_jar || cookies.is_some_and(Cookies::wants_jar) {
            cookies
                .map_or(Ok(()), |cookies| cookies.fill(&self.cookies, source.url().unwrap_or_default()))
                .map_err(RequestError::Cookies)?;
            builder = builder.cookies(self.cookies.clone());
        }
        Ok(builder)
    }
}

fn with_message(mut builder: Builder, args: &MessageArgs) -> Result<Builder, RequestError> {
    if let Some(body) = &args.body {
        let unfit = |error| RequestError::Body { file: body.file().map(str::to_owned), error };
        let body = body.read().map_err(unfit)?;
        let json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
        let content_type = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        builder = builder.method(Method::POST).header(CONTENT_TYPE, content_type).body(body);
    }
    if let Some(method) = &args.method {
        builder = builder.method(method.clone());
    }
    let headers = args.headers.iter().flat_map(|argument| &argument.sent);
    Ok(headers.fold(builder, |builder, header| builder.header(&header.name, header.value.clone())))
}
