//! The HTTP client of `publish` and `subscribe`: one request, its answer, and what went wrong in words.
mod error;
mod header;
mod hub_url;

pub(crate) use error::{Refusal, Unreachable};
pub(crate) use header::{Header, HeaderArgument};
pub(crate) use hub_url::{HubUrl, PublishQuery};

use crate::config::Secret;
use fanfare_client::transport::HyperTransport;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, HeaderValue, USER_AGENT},
};
use tower_service::Service as _;

/// How much of an answer is read that is not an event stream: IDs, or what went wrong.
const MAX_ANSWER_BYTES: usize = 4 << 20;
const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));

/// Where the hub is and who asks, for every command that speaks with one.
#[derive(Debug, clap::Args)]
pub(crate) struct HubArgs {
    /// URL of the hub; for one on this machine its address is enough, such as localhost:3000
    #[arg(long, value_name = "URL", env = "FANFARE_HUB", default_value = "http://127.0.0.1:3000")]
    pub hub: HubUrl,

    /// Token that says what one may do; `fanfare token` makes one
    #[arg(long, env = "FANFARE_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
}

/// Connections to one server, kept between requests.
#[derive(Debug)]
pub(crate) struct Http {
    transport: HyperTransport,
    authorization: Option<HeaderValue>,
}

impl Http {
    /// A client who presents `token`.
    ///
    /// # Errors
    /// [`Unreachable`] if the token is none.
    pub(crate) fn new(token: Option<&Secret>) -> Result<Self, Unreachable> {
        Ok(Self { transport: HyperTransport::new(), authorization: token.map(bearer).transpose()? })
    }

    /// Sends one request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`Unreachable`] if there is none.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unreachable> {
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let host = host(request.uri());
        self.transport.clone().call(request).await.map_err(|error| Unreachable::NoAnswer { host, error })
    }
}

/// Reads the rest of an answer, up to [`MAX_ANSWER_BYTES`], as text.
///
/// # Errors
/// [`Unreachable`] if it breaks off or is longer.
pub(crate) async fn read_text(answer: Incoming) -> Result<String, Unreachable> {
    let body = Limited::new(answer, MAX_ANSWER_BYTES).collect().await.map_err(Unreachable::BrokenAnswer)?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// The host and port of `uri`, for messages.
pub(crate) fn host(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

fn bearer(token: &Secret) -> Result<HeaderValue, Unreachable> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| Unreachable::TokenCharacters)?;
    value.set_sensitive(true);
    Ok(value)
}
