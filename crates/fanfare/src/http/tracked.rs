//! A transport that stores the address of the latest request. If a request fails after a redirect, the message about
//! the failure names this address.
use super::Party;
use http::{Request, Uri};
use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tower_service::Service;

/// The address of the latest request. All clones share one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatestAddress(Arc<Mutex<Option<Way>>>);

/// The addresses of the first request and of the latest one, and what happened between the two requests.
#[derive(Debug)]
struct Way {
    first: Uri,
    latest: Uri,
    /// True if a redirect has led to another scheme, host or port than those of `first`. A new request to `first` sets
    /// this to false again.
    has_left: bool,
}

/// A transport that stores the address of each request before `inner` sends it.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<S> {
    inner: S,
    latest: LatestAddress,
}

/// Returns true if two addresses of requests have the same scheme, host and port. The client leaves the default port
/// out of each address.
pub(crate) fn have_same_origin(one: &Uri, other: &Uri) -> bool {
    one.scheme() == other.scheme() && one.authority() == other.authority()
}

impl LatestAddress {
    /// Returns the party that the latest request was sent to. The first request was sent to `first`.
    pub(crate) fn party(&self, first: &Party) -> Party {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(way) => first.redirected(&way.latest, way.has_left),
            None => first.clone(),
        }
    }

    /// Stores the address of the next request.
    fn go(&self, uri: &Uri) {
        let mut way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Way { first, latest, has_left } =
            way.get_or_insert_with(|| Way { first: uri.clone(), latest: uri.clone(), has_left: false });
        *has_left = uri != first && (*has_left || !have_same_origin(uri, first));
        *latest = uri.clone();
    }
}

impl<S> Tracked<S> {
    /// Makes a transport that stores the address of each request in `latest`.
    pub(crate) fn new(inner: S, latest: LatestAddress) -> Self {
        Self { inner, latest }
    }

    /// Returns the party that the latest request was sent to. The first request was sent to `first`.
    pub(crate) fn party(&self, first: &Party) -> Party {
        self.latest.party(first)
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Tracked<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.latest.go(request.uri());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_has_left_the_first_server_stays_so_until_it_begins_again() {
        let latest = LatestAddress::default();
        let party = Party::server("http://a/x");
        let ways = [("http://a/x", true), ("http://a/y", true), ("https://a/y", false), ("http://a/z", false)];
        for (uri, may_get_credentials) in ways.into_iter().chain(ways) {
            latest.go(&Uri::from_static(uri));
            let advice = latest.party(&party).advice().unwrap();
            assert_eq!(advice == party.advice().unwrap(), may_get_credentials, "{uri}: {advice}");
        }
    }
}
