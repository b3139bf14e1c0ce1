//! The parameters of a stream that the tests send, and the event source that is made from them.
use fanfare_client::{BuildError, EventSource, Limits, Reconnect, transport::HyperTransport};
use http::{Method, Uri};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// The longest data that the tests send.
const MAX_DATA_BYTES: usize = (128 << 20) + 1;

/// The body of `POST /`. Other members, such as the name of the test, are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameters {
    stream_url: String,
    callback_url: String,
    initial_delay_ms: Option<u64>,
    read_timeout_ms: Option<u64>,
    last_event_id: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    method: Option<String>,
    body: Option<String>,
}

/// The reason why the parameters cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The body is not JSON, or not of the expected form.
    Json(serde_json::Error),
    /// The callback URL is not a valid URL.
    CallbackUrl(String),
    /// The method is not an HTTP method.
    Method(String),
    /// The client refuses the parameters.
    Stream(BuildError),
}

impl Parameters {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Unusable> {
        serde_json::from_slice(json).map_err(Unusable::Json)
    }

    /// Returns the URL to which messages are sent. The number of the message is appended to it.
    pub(crate) fn callback_url(&self) -> Result<&str, Unusable> {
        let uri = self.callback_url.parse::<Uri>().ok();
        let usable =
            uri.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some() && uri.query().is_none());
        if usable { Ok(&self.callback_url) } else { Err(Unusable::CallbackUrl(self.callback_url.clone())) }
    }

    /// Makes the event source. It does not connect yet.
    pub(crate) fn event_source(&self, transport: &HyperTransport) -> Result<EventSource, Unusable> {
        let mut reconnect = Reconnect::spec();
        if let Some(delay) = self.initial_delay_ms {
            reconnect = reconnect.reconnection_time(Duration::from_millis(delay));
        }
        let mut builder = EventSource::builder(&self.stream_url)
            .transport(transport.clone())
            .reconnect(reconnect)
            // The tests expect a POST to be sent again.
            .repeat_requests(true)
            .limits(Limits { max_data_bytes: MAX_DATA_BYTES, ..Limits::default() });
        for (name, value) in self.headers.iter().flatten() {
            builder = builder.header(name, value);
        }
        if let Some(method) = &self.method {
            let method = method.parse::<Method>().map_err(|_| Unusable::Method(method.clone()))?;
            builder = builder.method(method);
        }
        if let Some(body) = &self.body {
            builder = builder.body(body.clone());
        }
        if let Some(id) = &self.last_event_id {
            builder = builder.last_event_id(id);
        }
        if let Some(timeout) = self.read_timeout_ms {
            builder = builder.idle_timeout(Duration::from_millis(timeout));
        }
        builder.build().map_err(Unusable::Stream)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the parameters cannot be read: {error}"),
            Self::CallbackUrl(url) => write!(f, "{url:?} is not a URL for callbacks"),
            Self::Method(method) => write!(f, "{method:?} is not an HTTP method"),
            Self::Stream(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unusable {}
