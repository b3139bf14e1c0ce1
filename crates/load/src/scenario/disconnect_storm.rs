//! The scenario `disconnect-storm`: many subscribers leave at once while events continue. It measures the effect on the
//! subscribers that stay, and the time until the server has closed the connections.
use super::{
    Outcome, Size, Stage,
    figure::{as_f64, millis},
};
use crate::{progress::Progress, target::Naming};
use std::{
    io,
    time::{Duration, Instant},
};

/// The main figures: the 99th percentile of the other subscribers' latency before and after many have left, and the
/// time until the server has closed the connections.
pub(super) const MEASURES: &[&str] = &["before_p99_ms", "after_p99_ms", "let_go_s"];

/// The longest time that the server may take to close the connections.
const LETTING_GO: Duration = Duration::from_secs(15);
/// The number of files that the server may open for other purposes while it closes the connections.
const OTHER_FILES: u64 = 16;

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let Size { subscribers, troubled, seconds, .. } = stage.size;
    let seconds = Duration::from_secs(seconds.into());
    let mut crowd = stage.crowd(Naming::Exact)?;
    let counts = stage.counts();
    crowd.connect("connecting", subscribers, 0, &counts)?;
    // Until some subscribers leave, the measured latency is that of all subscribers, including those that will leave.
    stage.settle();
    let full = stage.meter.map(|meter| meter.open_files()).transpose()?;
    let publishing = stage.publish(stage.plan(Naming::Exact), &counts);
    Progress::pass("before", seconds);
    let before = crowd.report()?;
    let begun = Instant::now();
    crowd.leave("leaving", troubled)?;
    let gone = begun.elapsed();
    let mut let_go = None;
    Progress::pass_until("letting go", LETTING_GO, || {
        let files = stage.meter.and_then(|meter| meter.open_files().ok());
        let all = full.zip(files).is_none_or(|(full, now)| now <= full.saturating_sub(troubled.into()) + OTHER_FILES);
        let_go = all.then(|| begun.elapsed());
        all
    });
    Progress::pass("after", seconds.saturating_sub(begun.elapsed()));
    let after = crowd.report()?;
    let published = publishing.stop()?;
    let report = crowd.receive("delivering", &published.counts)?;
    let mut outcome = Outcome { faults: report.faults, ..Outcome::default() };
    outcome.add("before_p50_ms", "before p50, ms", millis(before.steady.quantile(0.5)));
    outcome.add("before_p99_ms", "before p99, ms", millis(before.steady.quantile(0.99)));
    outcome.add("after_p50_ms", "after p50, ms", millis(after.steady.quantile(0.5)));
    outcome.add("after_p99_ms", "after p99, ms", millis(after.steady.quantile(0.99)));
    outcome.add("after_max_ms", "after max, ms", millis(after.steady.max()));
    outcome.add("left_s", "time until subscribers have left, s", gone.as_secs_f64());
    let let_go = let_go.filter(|_| full.is_some()).map(|time| time.as_secs_f64());
    outcome.add_some("let_go_s", "time until server has closed the connections, s", let_go);
    outcome.add("deliveries", "deliveries", as_f64(crowd.total().deliveries));
    Ok(outcome)
}
