//! The size of a scenario.
use crate::stamp::MIN_DATA_BYTES;
use clap::value_parser;
use serde::Serialize;
use std::fmt;

/// The size of a scenario. Not every scenario uses all fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The number of subscribers.
    pub subscribers: u32,
    /// The number of topics, to which the subscribers are assigned in turn.
    pub topics: u32,
    /// The number of publishers, each with one connection; without publishers, subscribers only listen.
    pub publishers: u32,
    /// The number of events a second, of all publishers together; 0 to publish as fast as answers arrive.
    pub rate: u32,
    /// The time for which events are published, in seconds.
    pub seconds: u32,
    /// The number of bytes of data in each event.
    pub bytes: u32,
    /// The number of events that the scenario `burst` publishes.
    pub events: u32,
    /// The number of subscribers that are made to leave or to stop reading.
    pub troubled: u32,
}

/// The command-line arguments that replace parts of a scenario's default size.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SizeArgs {
    /// Number of subscribers. Each needs an open file on this machine, and one in the server
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub subscribers: Option<u32>,
    /// Number of topics or patterns, to which the subscribers are assigned in turn
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub topics: Option<u32>,
    /// Number of publishers. Each has a connection with one publication in progress. With 0, subscribers only listen
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(0..=10_000))]
    pub publishers: Option<u32>,
    /// Number of events a second, of all publishers together. With 0, they publish as fast as the server answers
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(0..=1_000_000))]
    pub rate: Option<u32>,
    /// Seconds for which events are published. In `slow-readers`, this is the time for which some subscribers do not
    /// read. In `idle`, this is a third of the time that the server has to give memory back
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(1..=86_400))]
    pub seconds: Option<u32>,
    /// Number of bytes of data in each event. The numbers and the time by which subscribers check an event take up to
    /// 64 of them
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(MIN_DATA_BYTES as i64..=65_536))]
    pub bytes: Option<u32>,
    /// Number of events of a `burst`
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(1..=100_000_000))]
    pub events: Option<u32>,
    /// Number of subscribers that leave (in `disconnect-storm` and `resume-storm`) or stop reading (in `slow-readers`)
    #[arg(long, help_heading = "Size", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub troubled: Option<u32>,
}

impl Size {
    /// The default size of `broadcast`, from which the default sizes of the other scenarios are derived.
    pub(super) const BASE: Self = Self {
        subscribers: 5_000,
        topics: 1,
        publishers: 1,
        rate: 10,
        seconds: 5,
        bytes: 200,
        events: 2_000,
        troubled: 0,
    };

    /// Returns this size with the given arguments. The number of topics and that of troubled subscribers are reduced to
    /// the number of subscribers if they exceed it.
    #[must_use]
    pub fn with(self, args: &SizeArgs) -> Self {
        let subscribers = args.subscribers.unwrap_or(self.subscribers);
        // Without an argument, the number of troubled subscribers changes in proportion to that of all subscribers: if
        // it was half of them, it stays half.
        let scaled = |part: u32| {
            let scaled = u64::from(part) * u64::from(subscribers) / u64::from(self.subscribers);
            u32::try_from(scaled).unwrap_or(u32::MAX).max(part.min(1))
        };
        Self {
            subscribers,
            topics: args.topics.unwrap_or(self.topics).min(subscribers),
            publishers: args.publishers.unwrap_or(self.publishers),
            rate: args.rate.unwrap_or(self.rate),
            seconds: args.seconds.unwrap_or(self.seconds),
            bytes: args.bytes.unwrap_or(self.bytes),
            events: args.events.unwrap_or(self.events),
            troubled: args.troubled.unwrap_or_else(|| scaled(self.troubled)).min(subscribers),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscribers, topics, publishers, rate, seconds, bytes, events, troubled } = self;
        write!(formatter, "subscribers {subscribers}, topics {topics}, publishers {publishers}, rate {rate}, ")?;
        write!(formatter, "seconds {seconds}, bytes {bytes}, events {events}, troubled {troubled}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_replaces_what_a_scenario_has() {
        let size = Size { subscribers: 5_000, topics: 100, troubled: 1_000, ..Size::BASE };
        let given = SizeArgs { subscribers: Some(50), rate: Some(0), ..SizeArgs::default() };
        assert_eq!(size.with(&given), Size { subscribers: 50, topics: 50, troubled: 10, rate: 0, ..size });
        let given = SizeArgs { troubled: Some(9_000), ..SizeArgs::default() };
        assert_eq!(size.with(&given), Size { troubled: 5_000, ..size });
        assert_eq!(size.with(&SizeArgs::default()), size);
    }
}
