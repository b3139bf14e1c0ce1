//! The transport that sends the requests for a stream. It uses the client's own transport, and prints a notice when a
//! redirect leads to another server, to which no credentials are sent.
use crate::{
    http::{LatestAddress, Party, Tracked, Without},
    notice::notice,
};
use fanfare_client::transport::{HyperTransport, RequestBody};
use http::{HeaderName, Request, Uri};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tower_service::Service;
use url::{Origin, Url};

/// Sends requests. Clones share their connections, and together print the notice about a redirect only once.
#[derive(Clone)]
pub(crate) struct Transport {
    inner: Tracked<Without<HyperTransport>>,
    /// The server that the credentials are for; `None` if there are no credentials, or if no notice is to be printed.
    home: Option<Origin>,
    told: Arc<AtomicBool>,
}

impl Transport {
    /// Makes a transport that sends by `inner` without the headers `removed`, and prints a notice when a request goes
    /// to another server than `home`.
    pub(super) fn new(
        inner: HyperTransport,
        removed: impl IntoIterator<Item = HeaderName>,
        home: Option<&str>,
    ) -> Self {
        let home = home.and_then(|url| Url::parse(url).ok()).map(|url| url.origin());
        let inner = Tracked::new(Without::new(inner, removed), LatestAddress::default());
        Self { inner, home, told: Arc::default() }
    }

    /// Returns the party that the latest request was sent to. The first request was sent to `first`.
    pub(crate) fn party(&self, first: &Party) -> Party {
        self.inner.party(first)
    }

    /// Prints a notice if the request goes to another server than `home`, but only the first time. The client has
    /// already removed the credentials from this request.
    fn tell(&self, uri: &Uri) {
        let Some(home) = &self.home else { return };
        let there = Url::parse(&uri.to_string()).map(|url| url.origin());
        if there.as_ref().is_ok_and(|there| there != home) && !self.told.swap(true, Ordering::Relaxed) {
            let [home, there] = [Some(home), there.as_ref().ok()].map(|origin| origin.map(Origin::ascii_serialization));
            let [home, there] = [home, there].map(Option::unwrap_or_default);
            notice(format_args!(
                "{home} redirects to {there}: the token, headers and cookies for {home} are not sent there. To send \
                 the token, give the new URL with --token, or give the new server as the hub in FANFARE_HUB"
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
