//! The parameters `last` and `since` of a subscription's URL. They say where the stream begins for a subscriber that
//! sends no last event ID.
//!
//! The parameters stay in the URL when the subscriber reconnects. The hub then ignores them, because the request to
//! reconnect also has a last event ID.
use crate::moment::Moment;
use url::form_urlencoded::{Serializer, Target};

/// The options that say with which earlier updates a stream begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct RewindQuery {
    /// Begin with the newest COUNT updates of each topic; with `*`, the newest COUNT updates of all topics. If the
    /// connection is lost, or if --state has an ID, the stream continues after the last event instead. If a URL is
    /// given, this option becomes its parameter `last`, and --since becomes `since`; other servers may not know these
    /// parameters
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["since", "last_event_id"])]
    pub last: Option<u32>,

    /// Begin with the updates that were published at this time or later: 2026-01-31T12:00:00Z, or how long ago, such as
    /// 90m. If the connection is lost, or if --state has an ID, the stream continues after the last event instead
    #[arg(long, value_name = "TIME", conflicts_with = "last_event_id")]
    pub since: Option<Moment>,
}

impl RewindQuery {
    /// Returns true if there are no parameters: the stream then begins with the next update that is published.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Appends the parameters to the query of a URL.
    pub(crate) fn append_to<T: Target>(&self, pairs: &mut Serializer<'_, T>) {
        if let Some(count) = self.last {
            pairs.append_pair("last", &count.to_string());
        }
        if let Some(time) = self.since {
            pairs.append_pair("since", &time.to_string());
        }
    }
}
