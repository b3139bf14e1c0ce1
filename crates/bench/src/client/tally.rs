//! A tally: the count of the events that a contender has read, and the cost of reading them.
use super::checksum::Checksum;
use alloc_tracker::{ProcessSpan, Session};
use fanfare_load::process_tree;
use serde::{Deserialize, Serialize};
use std::{
    hint::black_box,
    io,
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// The counter of the events that a contender reads from one stream.
#[derive(Debug)]
pub struct Tally {
    expected: u64,
    events: u64,
    checksum: Checksum,
    begun: Option<Begun>,
    reading: io::Result<Option<Reading>>,
}

/// The clocks and counters as they were when the first event arrived.
#[derive(Debug)]
struct Begun {
    at: Instant,
    cpu: Duration,
    session: Session,
    span: ProcessSpan,
}

/// The cost of a whole stream from the first event on, without the cost of connecting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The number of events after the first one.
    pub events: u64,
    /// The checksum of all data, including the data of the first event.
    pub checksum: u64,
    /// The time from the first event to the last.
    pub wall: Duration,
    /// The CPU time of the process from the first event to the last.
    pub cpu: Duration,
    /// The number of allocations and reallocations of the process from the first event to the last.
    pub allocations: u64,
    /// The number of bytes that these allocations asked for.
    pub bytes: u64,
}

impl Tally {
    /// Creates a tally for `expected` events, at least two.
    #[must_use]
    pub fn new(expected: u64) -> Self {
        Self { expected, events: 0, checksum: Checksum::default(), begun: None, reading: Ok(None) }
    }

    /// Counts an event, and adds its data to the checksum. Returns `Break` at the last event.
    #[inline]
    pub fn event(&mut self, data: &str) -> ControlFlow<()> {
        self.checksum.add(black_box(data));
        self.events += 1;
        if self.events == 1 || self.events >= self.expected { self.edge() } else { ControlFlow::Continue(()) }
    }

    /// Returns the cost of the stream, if all events arrived.
    ///
    /// # Errors
    /// If some events did not arrive, or `/proc` cannot be read.
    pub fn finish(self) -> io::Result<Reading> {
        let missing = || io::Error::other(format!("{} of {} events arrived", self.events, self.expected));
        self.reading?.ok_or_else(missing)
    }

    #[cold]
    fn edge(&mut self) -> ControlFlow<()> {
        let done = match self.begun.take() {
            Some(begun) => begun.end(self.events - 1, self.checksum).map(Some),
            None => Begun::now().map(|begun| {
                self.begun = Some(begun);
                None
            }),
        };
        self.reading = done;
        if matches!(self.reading, Ok(None)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl Begun {
    fn now() -> io::Result<Self> {
        let session = Session::new().no_stdout().no_file();
        let operation = session.operation("read");
        let cpu = process_tree::own_run_time()?;
        // `measure_process` needs a number of iterations. It is 1, because only the total matters.
        Ok(Self { span: operation.measure_process().iterations(1), session, cpu, at: Instant::now() })
    }

    fn end(self, events: u64, checksum: Checksum) -> io::Result<Reading> {
        let wall = self.at.elapsed();
        // The span records its counts when it is dropped.
        drop(self.span);
        let cpu = process_tree::own_run_time()?.saturating_sub(self.cpu);
        let report = self.session.to_report();
        let (_, allocated) = report.operations().next().ok_or_else(|| io::Error::other("nothing was counted"))?;
        let (allocations, bytes) = (allocated.total_allocations_count(), allocated.total_bytes_allocated());
        Ok(Reading { events, checksum: checksum.value(), wall, cpu, allocations, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_needs_every_event() {
        let read = |count: usize| {
            let mut tally = Tally::new(3);
            let broke = (0..count).map(|_| tally.event("data").is_break()).collect::<Vec<_>>();
            (broke, tally.finish().map(|reading| reading.events).map_err(|error| error.to_string()))
        };
        assert_eq!(read(3), (vec![false, false, true], Ok(2)));
        assert_eq!(read(2), (vec![false, false], Err("2 of 3 events arrived".into())));
        assert_eq!(read(0), (vec![], Err("0 of 3 events arrived".into())));
    }
}
