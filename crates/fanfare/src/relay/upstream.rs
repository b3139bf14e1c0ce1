//! The server that a relay's events come from.
use super::error::RelayError;
use super::state::State;
use crate::http::{ConnectionArgs, Header, LatestAddress, Party, Tracked, Without};
use fanfare_client::{Acknowledge, EventSource, Limits, Reconnect, Signals};
use http::{HeaderName, header::USER_AGENT};
use std::time::Duration;

const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));
/// The longest wait between two attempts to connect.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The longest wait before an attempt to connect that an upstream can ask for. The subscribers of the hub get nothing
/// from the upstream in this time.
const MAX_ASKED_DELAY: Duration = Duration::from_secs(5 * 60);
/// The greatest number of bytes of an event's data that is read: as many as a hub can be configured to accept. A larger
/// event is skipped, and a gap event takes its place.
pub(super) const MAX_DATA_BYTES: usize = 16 << 20;

/// An event stream that is relayed, and the way to request it.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// The URL of the stream.
    pub url: String,
    /// The headers of the request.
    pub headers: Vec<Header>,
    /// The names of headers that are removed from the request.
    pub without: Vec<HeaderName>,
    /// The options for the connection to the upstream.
    pub connection: ConnectionArgs,
    /// The time after which the relay reconnects if nothing arrives; `None` means never.
    pub idle_timeout: Option<Duration>,
}

impl Upstream {
    /// Opens the stream, which begins after the event with the ID `after`. If `after` is empty, it begins after the
    /// event whose ID is in `state`. The address of each request is written to `latest`.
    ///
    /// # Errors
    /// [`RelayError`] if the URL, a header, the ID or the certificates cannot be used.
    pub(super) fn open(&self, after: &str, state: &State, latest: &LatestAddress) -> Result<Signals, RelayError> {
        let transport = self.connection.transport().map_err(RelayError::Certificates)?;
        let limits = Limits { max_data_bytes: MAX_DATA_BYTES, max_line_bytes: MAX_DATA_BYTES, ..Limits::default() };
        let mut builder = EventSource::builder(&self.url)
            .header(USER_AGENT, AGENT)
            .reconnect(Reconnect::resilient().max_delay(MAX_DELAY).max_asked_delay(MAX_ASKED_DELAY))
            .limits(limits)
            .skip_large_events(true)
            .transport(Tracked::new(Without::new(transport, self.without.iter().cloned()), latest.clone()))
            .store(state.clone())
            .acknowledge(Acknowledge::Manual);
        if !after.is_empty() {
            builder = builder.last_event_id(after);
        }
        if let Some(timeout) = self.idle_timeout {
            builder = builder.idle_timeout(timeout);
        }
        let headers = self.headers.iter();
        let builder = headers.fold(builder, |builder, header| builder.header(&header.name, header.value.clone()));
        Ok(self.connection.in_time(builder).build().map_err(RelayError::Build)?.signals())
    }

    /// Returns the upstream in the form in which messages name it.
    pub(super) fn party(&self) -> Party {
        Party::upstream(&self.url)
    }
}
