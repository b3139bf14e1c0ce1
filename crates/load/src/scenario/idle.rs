//! The scenario `idle`: many subscribers connect, nothing is published to them, and all leave. It measures the cost of
//! a connected subscriber, and the memory that remains afterwards.
use super::{
    Outcome, Stage,
    figure::{as_f64, micros_each, millis},
};
use crate::{progress::Progress, target::Naming};
use std::{io, time::Duration};

/// The main figures: the server's CPU time per connection, its memory per idle subscriber, and the memory that it still
/// has above its memory at the start, in percent, after all subscribers have left.
pub(super) const MEASURES: &[&str] = &["cpu_us_per_connect", "pss_bytes_per_subscriber", "pss_left_percent"];

/// The time to wait before memory is read, as a multiple of `Stage::settle`: 3 s by default. In this time a server may
/// free memory that it needed only to start or to accept connections.
const SETTLING: u32 = 6;
/// The longest time that a server may take to free memory, as a multiple of `Size::seconds`: 15 s by default.
const LEAVING: u32 = 3;
/// The percentage by which the server's memory may still exceed its memory at the start when it counts as given back.
const GIVEN_BACK_PERCENT: u64 = 5;

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let mut crowd = stage.crowd(Naming::Exact)?;
    let count = stage.size.subscribers;
    Progress::pass("settling", stage.settle * SETTLING);
    let start = stage.pss()?;
    let before = stage.read(&crowd)?;
    let report = crowd.connect("connecting", count, 0, &stage.counts())?;
    Progress::pass("idle", stage.settle);
    let after = stage.read(&crowd)?;
    Progress::pass("idle", stage.settle * (SETTLING - 1));
    let idle = stage.pss()?;
    let mut outcome = Outcome::default();
    let connect = after.server_since(&before).map(|cpu| micros_each(cpu, count.into()));
    outcome.add_some("cpu_us_per_connect", "CPU µs/connect", connect);
    let each = start.zip(idle).map(|(start, idle)| as_f64(idle.saturating_sub(start)) / f64::from(count));
    outcome.add_some("pss_bytes_per_subscriber", "PSS bytes/subscriber", each);
    outcome.add("head_p99_ms", "time to head p99, ms", millis(report.connects.quantile(0.99)));
    crowd.leave("leaving", count)?;
    if let Some(start) = start {
        let mut left = 0;
        let back = Progress::pass_until(
            "giving memory back",
            Duration::from_secs((LEAVING * stage.size.seconds).into()),
            || {
                left = stage.pss().ok().flatten().unwrap_or(0);
                left * 100 <= start * (100 + GIVEN_BACK_PERCENT)
            },
        );
        outcome.add("pss_start_mb", "PSS at start, MB", as_f64(start) / 1e6);
        outcome.add_some("pss_idle_mb", "PSS idle, MB", idle.map(|idle| as_f64(idle) / 1e6));
        outcome.add(
            "pss_left_percent",
            "PSS above start after leaving, %",
            100.0 * (as_f64(left) / as_f64(start.max(1)) - 1.0),
        );
        outcome.add("memory_back_s", "time until the hub has returned its memory to the system, s", back.as_secs_f64());
    }
    outcome.faults = crowd.report()?.faults;
    Ok(outcome)
}
