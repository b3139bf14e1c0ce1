//! The scenario `resume-storm`: all subscribers leave at once and come back with their last event ID while events
//! continue. No subscriber may miss or repeat an event.
use super::{
    Outcome, Size, Stage,
    figure::{as_f64, micros_each, millis},
};
use crate::{progress::Progress, target::Naming};
use std::{
    io,
    time::{Duration, Instant},
};

/// The main figures: the time until all subscribers are up to date again, the server's CPU time for each of them until
/// then, and the time until the head of a response arrives.
pub(super) const MEASURES: &[&str] = &["live_again_s", "cpu_us_per_resume", "head_p99_ms"];

/// The time for which the subscribers are away.
const AWAY: Duration = Duration::from_secs(1);

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let Size { subscribers, troubled, seconds, .. } = stage.size;
    let around = Duration::from_secs(seconds.into());
    let mut crowd = stage.crowd(Naming::Exact)?;
    let counts = stage.counts();
    crowd.connect("connecting", subscribers, 0, &counts)?;
    stage.settle();
    let publishing = stage.publish(stage.plan(Naming::Exact), &counts);
    Progress::pass("before", around);
    let before = crowd.leave("leaving", troubled)?;
    Progress::pass("away", AWAY);
    let (cpu_before, begun) = (stage.read(&crowd)?, Instant::now());
    let (back, behind) = crowd.come_back("coming back")?;
    let (live_again, cpu_after) = (begun.elapsed(), stage.read(&crowd)?);
    Progress::pass("after", around);
    let after = crowd.report()?;
    let published = publishing.stop()?;
    let report = crowd.receive("delivering", &published.counts)?;

    let mut outcome = Outcome { faults: report.faults, ..Outcome::default() };
    outcome.add("live_again_s", "time until all are up to date again, s", live_again.as_secs_f64());
    outcome.add("not_live", "subscribers not up to date", as_f64(behind));
    let cpu = cpu_after.server_since(&cpu_before).map(|cpu| micros_each(cpu, troubled.into()));
    outcome.add_some("cpu_us_per_resume", "CPU µs/resume", cpu);
    outcome.add("head_p50_ms", "time to head p50, ms", millis(back.connects.quantile(0.5)));
    outcome.add("head_p99_ms", "time to head p99, ms", millis(back.connects.quantile(0.99)));
    outcome.add("before_p99_ms", "before p99, ms", millis(before.steady.quantile(0.99)));
    outcome.add("after_p99_ms", "after p99, ms", millis(after.troubled.quantile(0.99)));
    outcome.add("replayed_or_delivered", "deliveries", as_f64(crowd.total().deliveries));
    Ok(outcome)
}
