//! What must not happen to a subscriber, told so that a run that fails says why.
use crate::stamp::Stamp;
use std::{error, fmt, time::Duration};

/// What a hub must not do to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An event came that is not the next.
    OutOfOrder {
        /// The number of the event that should have come.
        expected: u64,
        /// The number of the one that came. A lower one is a repetition; a higher one leaves out those between.
        received: u64,
    },
    /// An event came that nobody published here, such as one that tells of a gap.
    Foreign {
        /// Its type.
        event_type: String,
        /// Its data.
        data: String,
    },
    /// Events are due and nothing comes.
    Stalled {
        /// How many deliveries were due in all.
        due: u64,
        /// How many were made.
        made: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { expected, received } if received < expected => {
                write!(formatter, "event {received} was repeated where {expected} was due")
            }
            Self::OutOfOrder { expected, received } => {
                write!(formatter, "events from {expected} on were missed: {received} came")
            }
            Self::Foreign { event_type, data } => write!(formatter, "an unknown event of type {event_type}: {data}"),
            Self::Stalled { due, made } => write!(formatter, "{made} of {due} deliveries were made, then no more"),
        }
    }
}

impl error::Error for Fault {}

/// When this event was due, if it is the expected one.
///
/// # Errors
/// If it is another, or none of ours.
pub(crate) fn check(event_type: &str, data: &str, expected: u64) -> Result<Duration, Fault> {
    match Stamp::of(data).filter(|_| event_type == "message") {
        Some(stamp) if stamp.sequence == expected => Ok(stamp.due),
        Some(stamp) => Err(Fault::OutOfOrder { expected, received: stamp.sequence }),
        None => Err(Fault::Foreign { event_type: event_type.to_owned(), data: data.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_not_the_next_is_a_fault() {
        let data = |sequence| Stamp { sequence, due: Duration::from_secs(3) }.data(60);
        assert_eq!(check("message", &data(5), 5), Ok(Duration::from_secs(3)));
        assert_eq!(check("message", &data(4), 5), Err(Fault::OutOfOrder { expected: 5, received: 4 }));
        assert_eq!(check("message", &data(6), 5), Err(Fault::OutOfOrder { expected: 5, received: 6 }));
        assert!(matches!(check("message", "hello", 5), Err(Fault::Foreign { .. })));
        assert!(matches!(check("fanfare.gap", &data(5), 5), Err(Fault::Foreign { .. })));
    }
}
