//! Where a relay's events come from.
use super::state::State;
use crate::http::{Header, Party};
use fanfare_client::{Acknowledge, BuildError, EventSource, Limits, Reconnect, Signals};
use http::header::USER_AGENT;
use std::time::Duration;

const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));
/// The wait that failures lead to at most.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The most data of an event that is read: as much as a hub may be told to take. A larger one ends the connection, since
/// what is not read cannot be passed over.
pub(super) const MAX_DATA_BYTES: usize = 16 << 20;

/// An event stream that is relayed, and how it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Its URL.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<Header>,
    /// After which silence to connect anew; never if there is none.
    pub idle_timeout: Option<Duration>,
}

impl Upstream {
    /// The events behind the one with the ID `after`; if that is empty, behind the one that `state` names.
    ///
    /// # Errors
    /// [`BuildError`] if the URL, a header or the ID is unfit.
    pub(super) fn open(&self, after: &str, state: &State) -> Result<Signals, BuildError> {
        let limits = Limits { max_data_bytes: MAX_DATA_BYTES, max_line_bytes: MAX_DATA_BYTES, ..Limits::default() };
        let mut builder = EventSource::builder(&self.url)
            .header(USER_AGENT, AGENT)
            .reconnect(Reconnect::resilient().max_delay(MAX_DELAY))
            .limits(limits)
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
        Ok(builder.build()?.signals())
    }

    /// Who is asked, as messages name it.
    pub(super) fn party(&self) -> Party {
        Party::upstream(&self.url)
    }
}
