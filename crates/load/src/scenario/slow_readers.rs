//! The scenario `slow-readers`: some subscribers stop reading while events continue, and then read again. The other
//! subscribers must not be affected, the server's memory must stay bounded, and the slow subscribers must finally get
//! everything, once and in order.
use super::{
    Outcome, Size, Stage,
    figure::{as_f64, millis},
};
use crate::{progress::Progress, target::Naming};
use std::{
    io,
    time::{Duration, Instant},
};

/// The main figures: the 99th percentile of the other subscribers' latency before, while and after some do not read,
/// the server's memory for each slow subscriber, and the time until the slow subscribers are up to date again.
pub(super) const MEASURES: &[&str] =
    &["before_p99_ms", "during_p99_ms", "after_p99_ms", "pss_bytes_per_slow", "caught_up_s"];

/// The time for which all subscribers read: before some of them stop, and again after these have caught up.
const AROUND: Duration = Duration::from_secs(3);

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let Size { subscribers, troubled, seconds, .. } = stage.size;
    let mut crowd = stage.crowd(Naming::Exact)?;
    let counts = stage.counts();
    crowd.connect("connecting", subscribers, troubled, &counts)?;
    stage.settle();
    let cpu_before = stage.read(&crowd)?;
    let publishing = stage.publish(stage.plan(Naming::Exact), &counts);
    let around = AROUND.min(Duration::from_secs(seconds.into()));
    Progress::pass("before", around);
    let before = crowd.pause(troubled)?;
    let pss_before = stage.pss()?;
    Progress::pass("some do not read", Duration::from_secs(seconds.into()));
    let pss_during = stage.pss()?;
    let during = crowd.report()?;
    let begun = Instant::now();
    let (catching_up, behind) = crowd.resume("catching up")?;
    let caught_up = begun.elapsed();
    let pss_caught_up = stage.pss()?;
    Progress::pass("after", around);
    let after = crowd.report()?;
    let published = publishing.stop()?;
    let report = crowd.receive("delivering", &published.counts)?;
    let cpu_after = stage.read(&crowd)?;

    let mut outcome = Outcome { faults: report.faults, ..Outcome::default() };
    outcome.add("before_p99_ms", "before p99, ms", millis(before.steady.quantile(0.99)));
    outcome.add("during_p50_ms", "while slow p50, ms", millis(during.steady.quantile(0.5)));
    outcome.add("during_p99_ms", "while slow p99, ms", millis(during.steady.quantile(0.99)));
    outcome.add("catching_up_p99_ms", "catching up p99, ms", millis(catching_up.steady.quantile(0.99)));
    outcome.add("after_p99_ms", "after p99, ms", millis(after.steady.quantile(0.99)));
    let more = |pss: Option<u64>| pss.zip(pss_before).map(|(now, before)| as_f64(now.saturating_sub(before)));
    let slow = f64::from(troubled.max(1));
    outcome.add_some("pss_bytes_per_slow", "PSS bytes/slow reader", more(pss_during).map(|bytes| bytes / slow));
    outcome.add_some("pss_before_mb", "PSS before, MB", pss_before.map(|bytes| as_f64(bytes) / 1e6));
    outcome.add_some("pss_during_mb", "PSS while slow, MB", pss_during.map(|bytes| as_f64(bytes) / 1e6));
    outcome.add_some("pss_caught_up_mb", "PSS caught up, MB", pss_caught_up.map(|bytes| as_f64(bytes) / 1e6));
    outcome.add("caught_up_s", "time until slow readers caught up, s", caught_up.as_secs_f64());
    outcome.add("not_caught_up", "slow readers not caught up", as_f64(behind));
    outcome.add("troubled_max_ms", "slow readers' max, ms", millis(catching_up.troubled.max()));
    cpu_after.add_per_delivery(&cpu_before, crowd.total().deliveries, &mut outcome);
    Ok(outcome)
}
