//! The contenders: the clients that are compared. Each is used as its documentation recommends, without reconnecting,
//! until the last event.
use super::tally::Tally;
use clap::ValueEnum;

mod connection;
mod eventsource_client;
mod fanfare;
mod next;
mod parser;
mod reqwest_eventsource;
mod sse_reqwest_client;

pub use next::BoxError;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Contender {
    /// Our parser on the bytes that hyper receives: not a client, but the least that a client can cost
    Parser,
    /// fanfare-client
    Fanfare,
    /// reqwest-eventsource
    ReqwestEventsource,
    /// eventsource-client, LaunchDarkly's
    EventsourceClient,
    /// sse-reqwest-client
    SseReqwestClient,
}

impl Contender {
    /// Returns the client's name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Parser => "parser",
            Self::Fanfare => "fanfare",
            Self::ReqwestEventsource => "reqwest-eventsource",
            Self::EventsourceClient => "eventsource-client",
            Self::SseReqwestClient => "sse-reqwest-client",
        }
    }

    /// Reads the stream at `url` until the tally has all events, or the stream ends.
    ///
    /// # Errors
    /// The error of the client.
    pub(super) async fn read(self, url: &str, tally: &mut Tally) -> Result<(), BoxError> {
        match self {
            Self::Parser => parser::read(url, tally).await,
            Self::Fanfare => fanfare::read(url, tally).await,
            Self::ReqwestEventsource => reqwest_eventsource::read(url, tally).await,
            Self::EventsourceClient => eventsource_client::read(url, tally).await,
            Self::SseReqwestClient => sse_reqwest_client::read(url, tally).await,
        }
    }
}
