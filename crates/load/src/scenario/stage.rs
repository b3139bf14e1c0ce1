//! The stage of all scenarios: a server, its meter, and functions that read the meter.
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

/// The time for which the stage waits for unexpected events after the last expected one.
const STRAY: Duration = Duration::from_millis(100);

/// A server, and the size of the scenario.
#[derive(Debug)]
pub struct Stage {
    /// The server under load.
    pub target: Target,
    /// The meter of the server's costs, if the server is on this machine.
    pub meter: Option<Meter>,
    /// The size of the scenario.
    pub size: Size,
    /// The time to wait after a change, such as new connections, before memory is measured.
    pub settle: Duration,
    epoch: Epoch,
}

/// The CPU time that the server and this program had used at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    server: Option<Duration>,
    generator: Duration,
}

impl Stage {
    /// Creates the stage for a server that is ready.
    #[must_use]
    pub fn new(target: Target, meter: Option<Meter>, size: Size, settle: Duration) -> Self {
        Self { target, meter, size, settle, epoch: Epoch::now() }
    }

    /// Returns another stage for the same server, with this size. `name` makes its topics different from those of this
    /// stage.
    pub(super) fn beside(&self, name: &str, size: Size) -> Self {
        let target = Target { run: format!("{}-{name}", self.target.run), ..self.target.clone() };
        Self { target, size, ..*self }
    }

    /// Creates the crowd of the scenario's subscribers, which select topics by name or by pattern, as `naming` says.
    /// None of them is connected yet.
    pub(super) fn crowd(&self, naming: Naming) -> io::Result<Crowd> {
        let Size { subscribers, topics, .. } = self.size;
        Crowd::new(&self.target, Audience { subscribers, topics, naming }, self.epoch)
    }

    /// Returns the plan of the publishers of this scenario.
    pub(super) fn plan(&self, naming: Naming) -> Plan {
        let Size { topics, publishers, rate, bytes, .. } = self.size;
        let rate = Some(rate).filter(|rate| *rate > 0);
        Plan { naming, topics, publishers, rate, count: None, bytes: bytes as usize }
    }

    /// Returns the counts of published events for this scenario, all of which begin at zero.
    pub(super) fn counts(&self) -> Counts {
        Counts::new(self.size.topics, self.size.publishers)
    }

    /// Starts the publishers of a plan, which number their events from `counts` on.
    pub(super) fn publish(&self, plan: Plan, counts: &Counts) -> Publishing {
        Publishing::start(&self.target, plan, self.epoch, counts)
    }

    /// Publishes for the given time while subscribers receive, and waits until they have received everything.
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

    /// Warms up the server with one subscriber and one event: what a server loads or allocates on first use does not
    /// belong to the cost of a subscriber.
    pub(super) fn warm_up(&self) -> io::Result<()> {
        // The warm-up has its own topic: a server that keeps events would otherwise send this event to later
        // subscribers.
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
            _ => Err(io::Error::other(format!(
                "the first event of the run was not received as published: {}",
                report.faults.examples.join("; ")
            ))),
        }
    }

    /// Waits for a while, in which unexpected events can arrive and the server's memory can settle.
    pub(super) fn settle(&self) {
        std::thread::sleep(self.settle.max(STRAY));
    }

    /// Returns the CPU time that the server and this program have used so far.
    pub(super) fn read(&self, crowd: &Crowd) -> io::Result<Reading> {
        Ok(Reading { server: self.meter.map(|meter| meter.cpu()).transpose()?, generator: crowd.cpu()? })
    }

    /// Returns the server's memory in bytes.
    pub(super) fn pss(&self) -> io::Result<Option<u64>> {
        self.meter.map(|meter| meter.pss()).transpose()
    }
}

impl Reading {
    /// Returns the server's CPU time since the reading `before`.
    pub(super) fn server_since(&self, before: &Self) -> Option<Duration> {
        Some(self.server?.saturating_sub(before.server?))
    }

    /// Returns this program's CPU time since the reading `before`, including its publishers.
    pub(super) fn generator_since(&self, before: &Self) -> Duration {
        self.generator.saturating_sub(before.generator)
    }

    /// Adds the CPU time of the server and that of this program, both per delivery, to the outcome.
    pub(super) fn add_per_delivery(&self, before: &Self, deliveries: u64, outcome: &mut Outcome) {
        let server = self.server_since(before).map(|cpu| figure::micros_each(cpu, deliveries));
        outcome.add_some("cpu_us_per_delivery", "CPU µs/delivery", server);
        let generator = figure::micros_each(self.generator_since(before), deliveries);
        outcome.add("generator_cpu_us_per_delivery", "generator CPU µs/delivery", generator);
    }
}
