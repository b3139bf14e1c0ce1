//! Messages about requests that got no answer and streams that broke. They say the reason and, if it is known, what to
//! do.
use super::Party;
use fanfare_client::transport::{Failure, HyperError};
use std::error::Error;

/// Texts in rustls' messages about a certificate whose signer this machine does not trust.
const NOT_TRUSTED: [&str; 2] = ["UnknownIssuer", "CaUsedAsEndEntity"];

/// A text in rustls' message about a peer that closed the connection without ending the TLS session.
const CLOSE_NOTIFY: &str = "close_notify";
const END_NOT_TOLD: &str =
    "the connection ended without the message that ends a TLS session (close_notify), so data may be missing";

/// Returns a message about a request to `party` that got no answer because of `error`.
pub(crate) fn no_answer(party: &Party, error: &(dyn Error + Send + Sync + 'static)) -> String {
    let error: &(dyn Error + 'static) = error;
    let Some(hyper) = error.downcast_ref::<HyperError>() else {
        return format!("cannot reach {}: {}", party.place(), innermost(error));
    };
    let place = party.place();
    match hyper.failure() {
        Failure::Broken => format!("{place} does not answer: {hyper}"),
        Failure::NotHttp | Failure::TlsServer | Failure::PlainServer | Failure::Request => format!("{place}: {hyper}"),
        Failure::Tls if chain(hyper.cause()).any(|cause| is_not_trusted(&cause.to_string())) => format!(
            "cannot reach {place}: {hyper}. Its certificate is not signed by an authority that this machine trusts: \
             give the certificate of the authority with --cacert, if the command has this option, or with SSL_CERT_FILE"
        ),
        _ => format!("cannot reach {place}: {hyper}"),
    }
}

/// Returns a message about a stream from `party` that broke before its end because of `error`.
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

/// Returns the last error in the chain of causes, such as "Connection refused". It says more about the reason than the
/// errors before it.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
