//! The faults in what subscribers receive, such as a missing event. All faults are counted; the first few are also
//! described, each with its event and its subscriber.
use serde::{Deserialize, Serialize};
use std::fmt;

/// The greatest number of faults that are described. Later faults are only counted.
const EXAMPLES: usize = 5;

/// A fault in what a subscriber receives, such as a missing event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Events did not arrive before a later event: those from `expected` up to the one before `received`.
    Missed {
        /// The number of the event that was expected.
        expected: u64,
        /// The number of the event that arrived.
        received: u64,
    },
    /// An event arrived that had arrived before.
    Repeated {
        /// The number of the event that was expected.
        expected: u64,
        /// The number of the event that arrived.
        received: u64,
    },
    /// An event arrived after later events. It was counted as missed when they arrived, and now no longer counts as
    /// missed.
    OutOfOrder {
        /// The number of the event that was expected.
        expected: u64,
        /// The number of the event that arrived.
        received: u64,
    },
    /// The events that were published last did not arrive: those from number `expected` up to number `published` - 1.
    Undelivered {
        /// The number of the first event that did not arrive.
        expected: u64,
        /// The number of events that were published.
        published: u64,
    },
    /// An event arrived that this run has not published, such as the server's message that events are missing (a gap).
    Foreign {
        /// The type of the event.
        event_type: String,
        /// The beginning of the event's data.
        data: String,
    },
    /// The stream of a subscriber ended.
    Ended {
        /// The reason why the stream ended.
        reason: String,
    },
    /// The server refused a subscriber.
    Refused {
        /// The answer of the server.
        reason: String,
    },
}

/// The number of faults of each kind, for many subscribers, and the descriptions of a few faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The number of events that did not arrive although later events did.
    pub missed: u64,
    /// The number of events that arrived more than once.
    pub repeated: u64,
    /// The number of events that arrived after later events.
    pub out_of_order: u64,
    /// The number of events that did not arrive although they were published, and after which no event arrived.
    pub undelivered: u64,
    /// The number of events that arrived although this run has not published them.
    pub foreign: u64,
    /// The number of streams that ended although the subscriber had not left.
    pub ended: u64,
    /// The number of subscribers that were refused.
    pub refused: u64,
    /// The descriptions of the first few faults.
    pub examples: Vec<String>,
}

impl Faults {
    /// Counts a fault. `subscriber` is the number of the subscriber. If the fault concerns an event of this run, `lane`
    /// contains two numbers: that of the event's topic, and that of its publisher.
    pub fn add(&mut self, subscriber: u32, lane: Option<(u32, u32)>, fault: &Fault) {
        match *fault {
            Fault::Missed { expected, received } => self.missed += received - expected,
            Fault::Repeated { .. } => self.repeated += 1,
            Fault::OutOfOrder { .. } => {
                self.out_of_order += 1;
                self.missed = self.missed.saturating_sub(1);
            }
            Fault::Undelivered { expected, published } => self.undelivered += published - expected,
            Fault::Foreign { .. } => self.foreign += 1,
            Fault::Ended { .. } => self.ended += 1,
            Fault::Refused { .. } => self.refused += 1,
        }
        if self.examples.len() < EXAMPLES {
            let of = lane.map(|(topic, publisher)| format!(" (topic {topic}, publisher {publisher})"));
            self.examples.push(format!("subscriber {subscriber}: {fault}{}", of.unwrap_or_default()));
        }
    }

    /// Adds the faults of other subscribers.
    pub fn merge(&mut self, other: Self) {
        self.missed += other.missed;
        self.repeated += other.repeated;
        self.out_of_order += other.out_of_order;
        self.undelivered += other.undelivered;
        self.foreign += other.foreign;
        self.ended += other.ended;
        self.refused += other.refused;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }

    /// Returns the number of faults.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.missed + self.repeated + self.out_of_order + self.undelivered + self.foreign + self.ended + self.refused
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.missed, "missed"),
            (self.repeated, "repeated"),
            (self.out_of_order, "out of order"),
            (self.undelivered, "undelivered"),
            (self.foreign, "foreign"),
            (self.ended, "streams ended"),
            (self.refused, "refused"),
        ];
        let said = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}"));
        let said = said.collect::<Vec<_>>().join(", ");
        formatter.write_str(if said.is_empty() { "none" } else { &said })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed { expected, received } => {
                write!(formatter, "event {received} arrived, but event {expected} was expected: events are missing")
            }
            Self::Repeated { expected, received } => {
                write!(formatter, "event {received} arrived again, but event {expected} was expected")
            }
            Self::OutOfOrder { expected, received } => {
                write!(formatter, "event {received} arrived late, when event {expected} was expected")
            }
            Self::Undelivered { expected, published } => {
                write!(formatter, "event {expected} and the events after it did not arrive; {published} were published")
            }
            Self::Foreign { event_type, data } => {
                write!(formatter, "an unknown event of type {event_type} arrived: {data}")
            }
            Self::Ended { reason } => write!(formatter, "its stream ended: {reason}"),
            Self::Refused { reason } => write!(formatter, "refused: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_by_kind_and_the_first_are_told() {
        let mut faults = Faults::default();
        assert_eq!((faults.count(), faults.to_string().as_str()), (0, "none"));
        faults.add(7, Some((2, 1)), &Fault::Missed { expected: 3, received: 5 });
        faults.add(7, Some((2, 1)), &Fault::OutOfOrder { expected: 6, received: 4 });
        let mut other = Faults::default();
        (0..9).for_each(|number| other.add(number, None, &Fault::Repeated { expected: 9, received: 8 }));
        faults.merge(other);
        assert_eq!(faults.to_string(), "1 missed, 9 repeated, 1 out of order");
        assert_eq!((faults.count(), faults.examples.len()), (11, EXAMPLES));
        assert_eq!(
            faults.examples[0],
            "subscriber 7: event 5 arrived, but event 3 was expected: events are missing (topic 2, publisher 1)"
        );
    }
}
