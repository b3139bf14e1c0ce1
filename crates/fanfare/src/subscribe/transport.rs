//! What sends the requests of a subscription: the client's own transport, and a word to the person who started the
//! command when a redirect leads to another server, where credentials do not go.
use super::{SubscribeArgs, SubscribeError, source::Source};
use crate::notice::notice;
use fanfare_client::{
    CookieJar,
    transport::{HyperTransport, RequestBody},
};
use http::{Request, Uri};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tower_service::Service;
use url::{Origin, Url};

/// The connections and cookies of all streams of the command: each goes to its own server only.
pub(super) struct Shared {
    transport: HyperTransport,
    pub(super) cookies: CookieJar,
}

impl Shared {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// [`SubscribeError::Certificates`].
    pub(super) fn new(args: &SubscribeArgs) -> Result<Self, SubscribeError> {
        let transport = args.connection.transport().map_err(SubscribeError::Certificates)?;
        Ok(Self { transport, cookies: CookieJar::new() })
    }
}

/// Sends requests. Clones share their connections, and tell of a redirect once together.
#[derive(Clone)]
pub(super) struct Transport {
    inner: HyperTransport,
    /// The server that the credentials are for, if there are any; told of is what they do not reach.
    home: Option<Origin>,
    told: Arc<AtomicBool>,
}

impl Transport {
    /// The transport for `source`.
    pub(super) fn new(source: &Source, shared: &Shared, args: &SubscribeArgs) -> Self {
        let url = source.url().unwrap_or_default();
        let request = &args.request;
        let has_credentials = !request.headers.is_empty()
            || request.user.is_some()
            || request.cookie.is_some()
            || matches!(args.hub.token_for(url), Ok(Some(_)));
        let home = Url::parse(url).ok().filter(|_| has_credentials && !args.print.quiet).map(|url| url.origin());
        Self { inner: shared.transport.clone(), home, told: Arc::default() }
    }

    /// Tells once of a request to somebody else. The client has left the credentials out of it.
    fn tell(&self, uri: &Uri) {
        let Some(home) = &self.home else { return };
        let there = Url::parse(&uri.to_string()).map(|url| url.origin());
        if there.as_ref().is_ok_and(|there| there != home) && !self.told.swap(true, Ordering::Relaxed) {
            let [home, there] = [Some(home), there.as_ref().ok()].map(|origin| origin.map(Origin::ascii_serialization));
            let [home, there] = [home, there].map(Option::unwrap_or_default);
            notice(format_args!(
                "{home} redirects to {there}, which does not get the token, the headers or what else is for {home}. If it shall, \
                 give its own URL with --token, or name it as the hub with FANFARE_HUB"
            ));
        }
    }
}

impl Service<Request<RequestBody>> for Transport {
    type Response = <HyperTransport as Service<Request<RequestBody>>>::Response;
    type Error = <HyperTransport as Service<Request<RequestBody>>>::Error;
    type Future = <HyperTransport as Service<Request<RequestBody>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        self.tell(request.uri());
        self.inner.call(request)
    }
}
