//! The stage that all scenarios are played on: a server, its meter, and the moments at which it is read.
use super::{Outcome, Size, figure};
use crate::{
    epoch::Epoch,
    meter::Meter,
    publish::{Counts, Plan, Published, Publishing},
    subscribe::{
        crowd::{Audience, Crowd},
        report::Report,
    },
    target::{Naming, Target},
};
use std::{io, time::Duration};

/// The time in which something unexpected may follow what was expected.
const STRAY: Duration = Duration::from_millis(100);

/// A server, and how large the scenario is.
#[derive(Debug)]
pub struct Stage {
    /// The server.
    pub target: Target,
    /// The meter of what it costs, if it is on this machine.
    pub meter: Option<Meter>,
    /// The size of the scenario.
    pub size: Size,
    /// The time that all are connected before memory is read.
    pub settle: Duration,
    epoch: Epoch,
}

/// The resources that had been used at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    server: Option<Duration>,
    generator: Duration,
}

impl Stage {
    /// A server that is ready.
    #[must_use]
    pub fn new(target: Target, meter: Option<Meter>, size: Size, settle: Duration) -> Self {
        Self { target, meter, size, settle, epoch: Epoch::now() }
    }

    /// Another one on the same server, with topics and a size of its own.
    pub(super) fn beside(&self, name: &str, size: Size) -> Self {
        let target = Target { run: format!("{}-{name}", self.target.run), ..self.target.clone() };
        Self { target, size, ..*self }
    }

    /// Subscribers of the given kind, none of whom has connected.
    pub(super) fn crowd(&self, naming: Naming) -> io::Result<Crowd> {
        let Size { subscribers, topics, .. } = self.size;
        Crowd::new(&self.target, Audience { subscribers, topics, naming }, self.epoch)
    }

    /// The plan of the publishers of this scenario; without them there is nothing to count.
    pub(super) fn plan(&self, naming: Naming) -> Plan {
        let Size { topics, publishers, rate, bytes, .. } = self.size;
        let rate = Some(rate).filter(|rate| *rate > 0);
        Plan { naming, topics, publishers, rate, count: None, bytes: bytes as usize }
    }

    /// No events yet.
    pub(super) fn counts(&self) -> Counts {
        Counts::new(self.size.topics, self.size.publishers)
    }

    /// Starts publishers.
    pub(super) fn publish(&self, plan: Plan, counts: &Counts) -> Publishing {
        Publishing::start(&self.target, plan, self.epoch, counts)
    }

    /// Publishes for this long while subscribers receive, and waits until they have received everything.
    pub(super) fn publish_for(
        &self,
        crowd: &mut Crowd,
        plan: Plan,
        counts: &Counts,
        seconds: u32,
    ) -> io::Result<(Published, Report)> {
        let count = plan.rate.map(|rate| u64::from(rate) * u64::from(seconds));
        let publishing = self.publish(Plan { count, ..plan }, counts);
        let time = Duration::from_secs(seconds.into());
        crate::progress::Progress::pass_until("publishing", time, || publishing.is_finished());
        let published = if count.is_some() { publishing.finish()? } else { publishing.stop()? };
        let report = crowd.receive("delivering", &published.counts)?;
        Ok((published, report))
    }

    /// One subscriber, one event: what a server loads or allocates the first time it does something is not what a
    /// subscriber costs.
    pub(super) fn warm_up(&self) -> io::Result<()> {
        // Topics of its own, in case events are kept.
        let target = Target { run: format!("{}-warm", self.target.run), ..self.target.clone() };
        let audience = Audience { subscribers: 1, topics: 1, naming: Naming::Exact };
        let mut crowd = Crowd::new(&target, audience, self.epoch)?;
        let counts = Counts::new(1, u32::from(target.publish.is_some()));
        crowd.connect("warming up", 1, 0, &counts)?;
        if target.publish.is_none() {
            return Ok(());
        }
        let bytes = self.size.bytes as usize;
        let plan = Plan { naming: Naming::Exact, topics: 1, publishers: 1, rate: Some(1), count: Some(1), bytes };
        let published = Publishing::start(&target, plan, self.epoch, &counts).finish()?;
        let report = crowd.receive("warming up", &published.counts)?;
        match report.faults.count() {
            0 => Ok(()),
            _ => Err(io::Error::other(format!("the first event of all: {}", report.faults.examples.join("; ")))),
        }
    }

    /// Lets unexpected events come, and memory settle.
    pub(super) fn settle(&self) {
        std::thread::sleep(self.settle.max(STRAY));
    }

    /// Returns the resources that have been used.
    pub(super) fn read(&self, crowd: &Crowd) -> io::Result<Reading> {
        Ok(Reading { server: self.meter.map(|meter| meter.cpu()).transpose()?, generator: crowd.cpu()? })
    }

    /// The server's memory.
    pub(super) fn pss(&self) -> io::Result<Option<u64>> {
        self.meter.map(|meter| meter.pss()).transpose()
    }
}

impl Reading {
    /// The server's CPU time since then.
    pub(super) fn server_since(&self, before: &Self) -> Option<Duration> {
        Some(self.server?.saturating_sub(before.server?))
    }

    /// This program's CPU time since then, with its publishers.
    pub(super) fn generator_since(&self, before: &Self) -> Duration {
        self.generator.saturating_sub(before.generator)
    }

    /// Adds both per delivery.
    pub(super) fn add_per_delivery(&self, before: &Self, deliveries: u64, outcome: &mut Outcome) {
        let server = self.server_since(before).map(|cpu| figure::micros_each(cpu, deliveries));
        outcome.add_some("cpu_us_per_delivery", "CPU µs/delivery", server);
        let generator = figure::micros_each(self.generator_since(before), deliveries);
        outcome.add("generator_cpu_us_per_delivery", "generator CPU µs/delivery", generator);
    }
}
