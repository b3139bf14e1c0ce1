//! The reason why there is no answer, in words, and what to do about it where that is known.
use super::Party;
use fanfare_client::transport::{Failure, HyperError};
use std::error::Error;

/// Words of rustls about a certificate that was signed by no authority which this machine trusts.
const NOT_TRUSTED: [&str; 2] = ["UnknownIssuer", "CaUsedAsEndEntity"];

/// Part of what rustls says of a peer that has ended the connection and not the session.
const CLOSE_NOTIFY: &str = "close_notify";
const END_NOT_TOLD: &str =
    "the connection ended without the word that ends it over TLS (close_notify), so something may be missing";

/// Says what became of a request to `party` that brought no answer because of `error`.
pub(crate) fn no_answer(party: &Party, error: &(dyn Error + Send + Sync + 'static)) -> String {
    let error: &(dyn Error + 'static) = error;
    let Some(hyper) = error.downcast_ref::<HyperError>() else {
        return format!("cannot reach {}: {}", party.place(), innermost(error));
    };
    let place = party.place();
    match hyper.failure() {
        Failure::Broken => format!("{place} gives no answer: {hyper}"),
        Failure::NotHttp | Failure::TlsServer | Failure::PlainServer | Failure::Request => format!("{place}: {hyper}"),
        Failure::Tls if chain(hyper.cause()).any(|cause| is_not_trusted(&cause.to_string())) => format!(
            "cannot reach {place}: {hyper}. No authority that this machine trusts has signed its certificate: name the \
             right one with --cacert, where there is this option, or with SSL_CERT_FILE"
        ),
        _ => format!("cannot reach {place}: {hyper}"),
    }
}

/// Says how a stream of `party` broke in its middle.
pub(crate) fn broken(party: &Party, error: &(dyn Error + Send + Sync + 'static)) -> String {
    let cause = innermost(error).to_string();
    let cause = if cause.contains(CLOSE_NOTIFY) { END_NOT_TOLD } else { &cause };
    format!("the stream from {} broke: {cause}", party.place())
}

fn is_not_trusted(said: &str) -> bool {
    NOT_TRUSTED.iter().any(|reason| said.contains(reason))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The last cause of an error is the one that a person can do something about: "Connection refused".
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
