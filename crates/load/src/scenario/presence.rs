//! The scenario `presence`: many subscribers come and leave, in waves, each with its own topic, while one other
//! subscriber, the watcher, gets events at a steady rate. The watcher's latency should depend little on whether the
//! server publishes active subscriptions.
use super::{
    Outcome, Size, Stage,
    figure::{as_f64, micros_each, millis},
};
use crate::{fault::Faults, histogram::Histogram, progress::Progress, publish::Counts, target::Naming};
use std::{
    io,
    time::{Duration, Instant},
};

/// The main figures: the 99th percentile of the watcher's latency while the other subscribers come and leave, and
/// before that; the number of connections per second; and the server's CPU time for each subscriber that comes and
/// leaves.
pub(super) const MEASURES: &[&str] = &["during_p99_ms", "before_p99_ms", "connects_per_second", "cpu_us_per_visit"];

/// The longest time that the watcher is alone before the waves.
const BEFORE: Duration = Duration::from_secs(3);
/// The longest time that a server may take to close the connections of subscribers that have left.
const LEAVING: Duration = Duration::from_secs(10);

/// The subscribers of all waves so far: their number, the time that they took to connect, and their faults.
#[derive(Default)]
struct Visits {
    count: u32,
    connecting: Duration,
    connects: Histogram,
    faults: Faults,
}

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let watched = stage.beside("watched", Size { subscribers: 1, topics: 1, ..stage.size });
    let seconds = Duration::from_secs(stage.size.seconds.into());
    let mut watcher = watched.crowd(Naming::Exact)?;
    let counts = watched.counts();
    watcher.connect("watching", 1, 0, &counts)?;
    let publishing = watched.publish(watched.plan(Naming::Exact), &counts);
    Progress::pass("before", BEFORE.min(seconds));
    let before = watcher.report()?;

    let (cpu_before, begun) = (stage.read(&watcher)?, Instant::now());
    let mut visits = Visits::default();
    while visits.count == 0 || begun.elapsed() < seconds {
        wave(stage, &mut visits)?;
    }
    let (during, cpu_after) = (watcher.report()?, stage.read(&watcher)?);
    let published = publishing.stop()?;
    let report = watcher.receive("delivering", &published.counts)?;

    let mut outcome = Outcome { faults: report.faults, ..Outcome::default() };
    outcome.faults.merge(visits.faults);
    outcome.add("before_p50_ms", "before p50, ms", millis(before.steady.quantile(0.5)));
    outcome.add("before_p99_ms", "before p99, ms", millis(before.steady.quantile(0.99)));
    outcome.add("during_p50_ms", "during p50, ms", millis(during.steady.quantile(0.5)));
    outcome.add("during_p99_ms", "during p99, ms", millis(during.steady.quantile(0.99)));
    outcome.add("during_max_ms", "during max, ms", millis(during.steady.max()));
    let rate = f64::from(visits.count) / visits.connecting.as_secs_f64().max(f64::MIN_POSITIVE);
    outcome.add("connects_per_second", "connects/s", rate);
    outcome.add("head_p99_ms", "time to head p99, ms", millis(visits.connects.quantile(0.99)));
    let cpu = cpu_after.server_since(&cpu_before).map(|cpu| micros_each(cpu, visits.count.into()));
    outcome.add_some("cpu_us_per_visit", "CPU µs/visit", cpu);
    outcome.add("visits", "visits", f64::from(visits.count));
    outcome.add("deliveries", "deliveries", as_f64(watcher.total().deliveries));
    Ok(outcome)
}

/// Makes all subscribers of one wave connect and leave, and adds their results to `visits`.
fn wave(stage: &Stage, visits: &mut Visits) -> io::Result<()> {
    let count = stage.size.subscribers;
    let files = stage.meter.map(|meter| meter.open_files()).transpose()?;
    let mut crowd = stage.crowd(Naming::Exact)?;
    let begun = Instant::now();
    // Nothing is published to these subscribers, so the counts have no publishers.
    let report = crowd.connect("coming", count, 0, &Counts::new(stage.size.topics, 0))?;
    visits.connecting += begun.elapsed();
    visits.connects.merge(&report.connects);
    visits.count += count;
    crowd.leave("leaving", count)?;
    visits.faults.merge(crowd.report()?.faults);
    if let (Some(meter), Some(files)) = (stage.meter, files) {
        // The next wave can connect only when the server has noticed that the subscribers of this wave have left.
        Progress::pass_until("leaving", LEAVING, || meter.open_files().is_ok_and(|now| now <= files));
    }
    Ok(())
}
