//! The server that a relay's events come from.
use super::error::RelayError;
use super::state::State;
use crate::http::{ConnectionArgs, Header, Party, Without};
use fanfare_client::{Acknowledge, EventSource, Limits, Reconnect, Signals};
use http::{HeaderName, header::USER_AGENT};
use std::time::Duration;

const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));
/// The wait that failures lead to at most.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The most data of an event that is read: as much as a hub may be told to take. A larger one is skipped, and a gap
/// told in its place.
pub(super) const MAX_DATA_BYTES: usize = 16 << 20;

/// An event stream that is relayed, and how it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Its URL.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<Header>,
    /// Names of headers that are not sent although they would be.
    pub without: Vec<HeaderName>,
    /// Options for the connection to it.
    pub connection: ConnectionArgs,
    /// The silence after which to connect again; `None` is never.
    pub idle_timeout: Option<Duration>,
}

impl Upstream {
    /// The events behind the one with the ID `after`; if that is empty, behind the one that `state` names.
    ///
    /// # Errors
    /// [`RelayError`] if the URL, a header, the ID or the certificates are unfit.
    pub(super) fn open(&self, after: &str, state: &State) -> Result<Signals, RelayError> {
        let transport = self.connection.transport().map_err(RelayError::Certificates)?;
        let limits = Limits { max_data_bytes: MAX_DATA_BYTES, max_line_bytes: MAX_DATA_BYTES, ..Limits::default() };
        let mut builder = EventSource::builder(&self.url)
            .header(USER_AGENT, AGENT)
            .reconnect(Reconnect::resilient().max_delay(MAX_DELAY))
            .limits(limits)
            .skip_large_events(true)
            .transport(Without::new(transport, self.without.iter().cloned()))
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

    /// Returns the party that is asked, as messages name it.
    pub(super) fn party(&self) -> Party {
        Party::upstream(&self.url)
    }
}
