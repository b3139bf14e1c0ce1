//! The table of clients that every test of clients goes through.
use crate::{crates::Crate, subscriber::Subscriber};

/// A client that reconnects by itself, or that its program connects again.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The name of the client, for messages.
    pub name: &'static str,
    /// Starts the client on a URL, listening to these types besides `message`. A client without listeners for each type
    /// hands over events of all types.
    pub start: fn(url: &str, types: &[&str]) -> Subscriber,
}

impl Client {
    /// All clients, in no particular order.
    pub const ALL: &[Self] = &[
        Self { name: "npm eventsource", start: |url, types| Subscriber::npm("eventsource", url, types) },
        Self { name: "npm undici", start: |url, types| Subscriber::npm("undici", url, types) },
        Self {
            name: "npm event-source-polyfill",
            start: |url, types| Subscriber::npm("event-source-polyfill", url, types),
        },
        Self {
            name: "npm launchdarkly-eventsource",
            start: |url, types| Subscriber::npm("launchdarkly-eventsource", url, types),
        },
        Self {
            name: "npm @microsoft/fetch-event-source",
            start: |url, types| Subscriber::npm("@microsoft/fetch-event-source", url, types),
        },
        Self { name: "fetch with a parser of its own", start: |url, _| Subscriber::fetch("own", url) },
        Self {
            name: "fetch with npm eventsource-parser",
            start: |url, _| Subscriber::fetch("eventsource-parser", url),
        },
        Self { name: "httpx-sse", start: |url, _| Subscriber::httpx_sse(url) },
        Self { name: "Symfony", start: |url, _| Subscriber::symfony(url, "none", "*") },
        Self { name: "crate eventsource-client", start: |url, _| Subscriber::Crate(Crate::eventsource_client(url)) },
        Self { name: "crate reqwest-eventsource", start: |url, _| Subscriber::Crate(Crate::reqwest_eventsource(url)) },
        Self { name: "crate sse-reqwest-client", start: |url, _| Subscriber::Crate(Crate::sse_reqwest_client(url)) },
        Self { name: "curl", start: |url, _| Subscriber::curl(url) },
        Self { name: "fanfare-client", start: |url, _| Subscriber::fanfare(url) },
    ];
}
