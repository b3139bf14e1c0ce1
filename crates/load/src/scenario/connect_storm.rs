//! The scenario `connect-storm`: all subscribers connect as fast as they are answered, up to a hundred at a time, and
//! then leave. Then all of them connect and leave a second time, when the server is already warm.
use super::{
    Outcome, Stage,
    figure::{micros_each, millis},
};
use crate::{progress::Progress, target::Naming};
use std::{
    io,
    time::{Duration, Instant},
};

/// The main figures, all of the second time: the connections per second, the server's CPU time per connection, and the
/// time until the head of a response arrives.
pub(super) const MEASURES: &[&str] = &["connects_per_second", "cpu_us_per_connect", "head_p99_ms"];

/// The longest time that a server may take to close the connections of subscribers that have left.
const LEAVING: Duration = Duration::from_secs(10);

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let count = stage.size.subscribers;
    let files = stage.meter.map(|meter| meter.open_files()).transpose()?;
    let mut outcome = Outcome::default();
    let names = [
        ("first_connects_per_second", "first connects/s", "first_cpu_us_per_connect", "first CPU µs/connect"),
        ("connects_per_second", "connects/s", "cpu_us_per_connect", "CPU µs/connect"),
    ];
    for (rate_key, rate_label, cpu_key, cpu_label) in names {
        let mut crowd = stage.crowd(Naming::Exact)?;
        let (before, begun) = (stage.read(&crowd)?, Instant::now());
        let report = crowd.connect("connecting", count, 0, &stage.counts())?;
        let (elapsed, after) = (begun.elapsed(), stage.read(&crowd)?);
        outcome.add(rate_key, rate_label, f64::from(count) / elapsed.as_secs_f64());
        let cpu = after.server_since(&before).map(|cpu| micros_each(cpu, count.into()));
        outcome.add_some(cpu_key, cpu_label, cpu);
        if rate_key == names[1].0 {
            outcome.add("head_p50_ms", "time to head p50, ms", millis(report.connects.quantile(0.5)));
            outcome.add("head_p99_ms", "time to head p99, ms", millis(report.connects.quantile(0.99)));
            outcome.add("head_max_ms", "time to head max, ms", millis(report.connects.max()));
        }
        crowd.leave("leaving", count)?;
        outcome.faults.merge(crowd.report()?.faults);
        if let (Some(meter), Some(files)) = (stage.meter, files) {
            Progress::pass_until("leaving", LEAVING, || meter.open_files().is_ok_and(|now| now <= files));
        }
    }
    Ok(outcome)
}
