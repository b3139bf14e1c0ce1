//! A tally of what a contender has read, and what that took.
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

/// The events of one stream, counted as they come.
#[derive(Debug)]
pub struct Tally {
    expected: u64,
    events: u64,
    checksum: Checksum,
    begun: Option<Begun>,
    reading: io::Result<Option<Reading>>,
}

/// The counts at the first event.
#[derive(Debug)]
struct Begun {
    at: Instant,
    cpu: Duration,
    session: Session,
    span: ProcessSpan,
}

/// The cost of a whole stream, from the first event on: what connecting costs is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The number of events that came after the first.
    pub events: u64,
    /// The checksum of all data, of the first too.
    pub checksum: u64,
    /// The time from the first event to the last.
    pub wall: Duration,
    /// The CPU time of the process in that time.
    pub cpu: Duration,
    /// The number of times that it allocated, or made an allocation larger or smaller, in that time.
    pub allocations: u64,
    /// The number of bytes that it asked for by that.
    pub bytes: u64,
}

impl Tally {
    /// Nothing of `expected` events, of which there are at least two.
    #[must_use]
    pub fn new(expected: u64) -> Self {
        Self { expected, events: 0, checksum: Checksum::default(), begun: None, reading: Ok(None) }
    }

    /// Takes in an event; nothing but its data is looked at. Breaks at the last.
    #[inline]
    pub fn event(&mut self, data: &str) -> ControlFlow<()> {
        self.checksum.add(black_box(data));
        self.events += 1;
        if self.events == 1 || self.events >= self.expected { self.edge() } else { ControlFlow::Continue(()) }
    }

    /// Returns what it took, if all events came.
    ///
    /// # Errors
    /// If some did not come, or `/proc` cannot be read.
    pub fn finish(self) -> io::Result<Reading> {
        let missing = || io::Error::other(format!("{} of {} events came", self.events, self.expected));
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
        // A span has to be told of how much it is; what counts here is the total.
        Ok(Self { span: operation.measure_process().iterations(1), session, cpu, at: Instant::now() })
    }

    fn end(self, events: u64, checksum: Checksum) -> io::Result<Reading> {
        let wall = self.at.elapsed();
        // A span counts when it is dropped.
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
        assert_eq!(read(2), (vec![false, false], Err("2 of 3 events came".into())));
        assert_eq!(read(0), (vec![], Err("0 of 3 events came".into())));
    }
}
