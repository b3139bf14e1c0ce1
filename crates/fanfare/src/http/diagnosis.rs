//! Why there is no answer, in words, and what to do about it where that is known.
use super::Party;
use fanfare_client::transport::HyperError;
use std::error::Error;

/// What rustls says of a peer that answers in something else than TLS.
const NO_TLS: &str = "InvalidContentType";
/// What it says of a certificate that no authority has signed whom this machine trusts.
const NOT_TRUSTED: [&str; 2] = ["UnknownIssuer", "CaUsedAsEndEntity"];

/// What became of a request to `party` that brought no answer for `error`.
pub(crate) fn no_answer(party: &Party, error: &(dyn Error + Send + Sync + 'static)) -> String {
    let error: &(dyn Error + 'static) = error;
    let hyper = error.downcast_ref::<HyperError>();
    let said = innermost(hyper.map_or(error, HyperError::cause));
    let what = match hyper {
        Some(error) if !error.is_connect() => format!("{} gives no answer: {said}", party.place()),
        _ => format!("cannot reach {}: {said}", party.place()),
    };
    match hint(hyper.map_or(error, HyperError::cause)) {
        Some(hint) => format!("{what}. {hint}"),
        None => what,
    }
}

/// How a stream of `party` broke in its middle.
pub(crate) fn broken(party: &Party, error: &(dyn Error + Send + Sync + 'static)) -> String {
    let error: &(dyn Error + 'static) = error;
    let cause = error.downcast_ref::<HyperError>().map_or(error, HyperError::cause);
    format!("the stream from {} broke: {}", party.place(), innermost(cause))
}

fn hint(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let says = |words: &[&str]| chain(error).any(|cause| words.iter().any(|word| cause.to_string().contains(word)));
    let is = |kind: fn(&hyper::Error) -> bool| chain(error).any(|cause| cause.downcast_ref().is_some_and(kind));
    if says(&[NO_TLS]) {
        Some("The server does not speak TLS on this port: give http:// in place of https://")
    } else if says(&NOT_TRUSTED) {
        Some("No authority that this machine trusts has signed its certificate: SSL_CERT_FILE names others")
    } else if is(hyper::Error::is_parse) {
        Some("What came is no HTTP: if the server speaks TLS on this port, give https:// in place of http://")
    } else {
        None
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The last cause of an error is the one that a person can do something about: "Connection refused".
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
