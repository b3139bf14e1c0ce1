//! The faults that must not happen to a subscriber: counted, and the first few told with which event of which
//! subscriber it was.
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of faults that are told; all are counted.
const EXAMPLES: usize = 5;

/// One thing that must not happen to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Events were left out: from `expected` up to the one before `received`.
    Missed {
        /// The number of the event that should have come.
        expected: u64,
        /// The number of the one that came.
        received: u64,
    },
    /// An event came again.
    Repeated {
        /// The number of the event that should have come.
        expected: u64,
        /// The number of the one that came.
        received: u64,
    },
    /// An event came that later ones had overtaken. It had been counted as missed, and no longer is.
    OutOfOrder {
        /// The number of the event that should have come.
        expected: u64,
        /// The number of the one that came.
        received: u64,
    },
    /// Events were due and did not come: from `expected` up to the one before `published`.
    Undelivered {
        /// The number of the event that should have come.
        expected: u64,
        /// The number that was published.
        published: u64,
    },
    /// An event came that nobody published here, such as one that tells of a gap.
    Foreign {
        /// Its type.
        event_type: String,
        /// The beginning of its data.
        data: String,
    },
    /// The stream ended.
    Ended {
        /// The way in which it did.
        reason: String,
    },
    /// A subscriber was refused.
    Refused {
        /// The words of the server.
        reason: String,
    },
}

/// The number of times that each happened to any of many subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Events that did not come, though later ones did.
    pub missed: u64,
    /// Events that came more than once.
    pub repeated: u64,
    /// Events that came after later ones.
    pub out_of_order: u64,
    /// Events that had not come when nothing came any more.
    pub undelivered: u64,
    /// Events that nobody published here.
    pub foreign: u64,
    /// Streams that ended.
    pub ended: u64,
    /// Subscribers that were refused.
    pub refused: u64,
    /// The first few, in words.
    pub examples: Vec<String>,
}

impl Faults {
    /// Counts one. `subscriber` is its number, and `lane` the topic and the publisher of the event.
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

    /// Adds those of other subscribers.
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
            Self::Missed { expected, received } => write!(formatter, "missed from {expected} on: {received} came"),
            Self::Repeated { expected, received } => write!(formatter, "{received} again where {expected} was due"),
            Self::OutOfOrder { expected, received } => write!(formatter, "{received} late where {expected} was due"),
            Self::Undelivered { expected, published } => {
                write!(formatter, "nothing from {expected} on, of {published} published")
            }
            Self::Foreign { event_type, data } => write!(formatter, "an unknown event of type {event_type}: {data}"),
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
        assert_eq!(faults.examples[0], "subscriber 7: missed from 3 on: 5 came (topic 2, publisher 1)");
    }
}
