//! The HTTP client of the commands: requests, answers, and messages about requests that failed.
mod answer_timeout;
mod connection_args;
mod diagnosis;
mod ending;
mod error;
mod header;
mod hub_url;
mod party;
mod rewind_query;
mod token;
mod tracked;
mod web_address;
mod without;

pub(crate) use answer_timeout::{ANSWER_TIMEOUT, answer_timeout};
pub(crate) use connection_args::{
    CertificatesError, ConnectArgs, ConnectionArgs, HABITS, HELP, Habits, HubConnectArgs,
};
pub(crate) use diagnosis::{broken, no_answer};
pub(crate) use ending::Ending;
pub(crate) use error::{Refusal, Unreachable, excerpt};
pub(crate) use header::{Header, HeaderArgument};
pub(crate) use hub_url::{HubUrl, InvalidHubUrl, MAX_URL_BYTES, PublishQuery, UrlTooLong};
pub(crate) use party::Party;
pub(crate) use rewind_query::RewindQuery;
pub(crate) use token::{TokenArg, Withheld};
pub(crate) use tracked::{LatestAddress, Tracked, have_same_origin};
pub(crate) use web_address::{corrected, has_web_scheme, scheme_hint, url_hint};
pub(crate) use without::Without;

use crate::secret::Secret;
use fanfare_client::transport::{HyperBody, HyperTransport};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response,
    body::Bytes,
    header::{AUTHORIZATION, HeaderValue, USER_AGENT},
};
use tower_service::Service as _;

/// The greatest number of bytes that are read of an answer other than an event stream, for example the IDs of published
/// updates or the reason of a refusal. A longer answer is an error.
const MAX_ANSWER_BYTES: usize = 4 << 20;
const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));

/// The URL of the hub and the token: options of every command that sends requests to a hub.
#[derive(Debug, clap::Args)]
pub(crate) struct HubArgs {
    /// URL of the hub. For a hub on this machine, an address such as localhost:3000 is enough
    #[arg(long, value_name = "URL", env = hub_url::VARIABLE, default_value = hub_url::DEFAULT)]
    pub hub: HubUrl,

    /// The token from the option `--token`, or else from the environment.
    #[command(flatten)]
    pub token: TokenArg,
}

impl HubArgs {
    /// Returns the token for requests to the hub.
    pub(crate) fn token(&self) -> Option<&Secret> {
        self.token_for(self.hub.as_str()).ok().flatten()
    }

    /// Returns the token for a request to `url`, which may be of any server.
    ///
    /// # Errors
    /// [`Withheld`] if there is a token, and it must not be sent to that server.
    pub(crate) fn token_for(&self, url: &str) -> Result<Option<&Secret>, Withheld> {
        self.token.for_server(url, &self.hub)
    }
}

/// A client that keeps its connections between requests, and sends the token with each request.
#[derive(Debug)]
pub(crate) struct Http {
    transport: HyperTransport,
    authorization: Option<HeaderValue>,
}

impl Http {
    /// Makes a client that sends its requests through `transport`, each with `token`.
    ///
    /// # Errors
    /// [`Unreachable`] if the token contains characters that a header cannot contain.
    pub(crate) fn new(transport: HyperTransport, token: Option<&Secret>) -> Result<Self, Unreachable> {
        Ok(Self { transport, authorization: token.map(bearer).transpose()? })
    }

    /// Sends one request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`Unreachable`] if there is no answer.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<HyperBody>, Unreachable> {
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let party = Party::hub(request.uri());
        self.transport
            .clone()
            .call(request)
            .await
            .map_err(|error| Unreachable::NoAnswer { party, error: Box::new(error) })
    }
}

/// Reads the body of an answer of `party` as text.
///
/// # Errors
/// [`Unreachable`] if the body stops before its end, or is longer than [`MAX_ANSWER_BYTES`].
pub(crate) async fn read_text(party: &Party, answer: HyperBody) -> Result<String, Unreachable> {
    let broken = |error| Unreachable::BrokenAnswer { party: party.clone(), error };
    let body = Limited::new(answer, MAX_ANSWER_BYTES).collect().await.map_err(broken)?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

fn bearer(token: &Secret) -> Result<HeaderValue, Unreachable> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| Unreachable::TokenCharacters)?;
    value.set_sensitive(true);
    Ok(value)
}
