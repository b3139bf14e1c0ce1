//! The order of a subscriber's events: the event that comes next from each publisher, and the fault if another one
//! arrives.
use crate::fault::Fault;
use std::ops::Range;

/// The number of series of missed events that are remembered. A late event outside of them counts as repeated.
const MISSED_RUNS: usize = 1_000;

/// The state of one subscriber among the events of its topic.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The number of the next event of each publisher.
    expected: Box<[u64]>,
    /// The series of missed events, each with its publisher. Empty while there are no faults.
    missed: Vec<(u32, Range<u64>)>,
}

impl Order {
    /// Creates an order that begins at these events, one for each publisher.
    pub(super) fn from(expected: &[u64]) -> Self {
        Self { expected: expected.into(), missed: Vec::new() }
    }

    /// Returns the number of the next event of each publisher.
    pub(super) fn expected(&self) -> &[u64] {
        &self.expected
    }

    /// Takes an event. Returns the number of events that are now accounted for (the event itself, and the missed events
    /// before it), and the fault of the event, if it has one. `None` if there is no such publisher.
    pub(super) fn take(&mut self, publisher: u32, received: u64) -> Option<(u64, Option<Fault>)> {
        let next = self.expected.get_mut(publisher as usize)?;
        let expected = *next;
        if received < expected {
            let late = self.take_missed(publisher, received);
            let fault =
                if late { Fault::OutOfOrder { expected, received } } else { Fault::Repeated { expected, received } };
            return Some((0, Some(fault)));
        }
        *next = received + 1;
        if received == expected {
            return Some((1, None));
        }
        if self.missed.len() < MISSED_RUNS {
            self.missed.push((publisher, expected..received));
        }
        Some((received + 1 - expected, Some(Fault::Missed { expected, received })))
    }

    /// Returns true if this event was among the missed events, and removes it from them.
    fn take_missed(&mut self, publisher: u32, received: u64) -> bool {
        let found = self.missed.iter().position(|(of, run)| *of == publisher && run.contains(&received));
        let Some(index) = found else { return false };
        let (_, run) = self.missed.swap_remove(index);
        let rest = [run.start..received, received + 1..run.end];
        self.missed.extend(rest.into_iter().filter(|run| !run.is_empty()).map(|run| (publisher, run)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_publisher_has_an_order_of_its_own_and_each_deviation_a_name() {
        let mut order = Order::from(&[0, 5]);
        assert_eq!(order.take(0, 0), Some((1, None)));
        assert_eq!(order.take(1, 5), Some((1, None)));
        assert_eq!(order.take(2, 0), None);
        assert_eq!(order.take(0, 0), Some((0, Some(Fault::Repeated { expected: 1, received: 0 }))));
        assert_eq!(order.take(0, 4), Some((4, Some(Fault::Missed { expected: 1, received: 4 }))));
        // Event 2 arrives late, and then again.
        assert_eq!(order.take(0, 2), Some((0, Some(Fault::OutOfOrder { expected: 5, received: 2 }))));
        assert_eq!(order.take(0, 2), Some((0, Some(Fault::Repeated { expected: 5, received: 2 }))));
        assert_eq!(order.take(1, 1), Some((0, Some(Fault::Repeated { expected: 6, received: 1 }))));
        assert_eq!(order.take(0, 3), Some((0, Some(Fault::OutOfOrder { expected: 5, received: 3 }))));
        assert_eq!(order.expected(), [5, 6]);
    }
}
