//! The scenario `broadcast`: one topic (or several), events at a steady rate, and all subscribers up to date. It
//! measures the cost and the latency of a delivery.
use super::{
    Outcome, Stage,
    figure::{as_f64, millis},
};
use crate::target::Naming;
use std::io;

/// The main figures: the server's CPU time per delivery, and the latency from the time when an event was due until it
/// was received.
pub(super) const MEASURES: &[&str] = &["cpu_us_per_delivery", "latency_p50_ms", "latency_p99_ms"];

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let mut crowd = stage.crowd(Naming::Exact)?;
    let counts = stage.counts();
    crowd.connect("connecting", stage.size.subscribers, 0, &counts)?;
    stage.settle();
    let (before, report_before) = (stage.read(&crowd)?, crowd.report()?);
    let (published, report) = stage.publish_for(&mut crowd, stage.plan(Naming::Exact), &counts, stage.size.seconds)?;
    let after = stage.read(&crowd)?;
    stage.settle();
    let (deliveries, reads) = (report.deliveries - report_before.deliveries, report.reads - report_before.reads);
    let mut outcome = Outcome { faults: crowd.report()?.faults, ..Outcome::default() };
    after.add_per_delivery(&before, deliveries, &mut outcome);
    outcome.add_latencies(&report.steady);
    outcome.add("deliveries", "deliveries", as_f64(deliveries));
    outcome.add("deliveries_per_read", "deliveries/read", as_f64(deliveries) / as_f64(reads.max(1)));
    outcome.add("publish_p99_ms", "publish p99, ms", millis(published.latencies.quantile(0.99)));
    outcome.add("publisher_latest_ms", "longest delay of a publication, ms", millis(published.latest));
    Ok(outcome)
}
