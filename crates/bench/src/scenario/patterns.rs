//! Subscribers of URL patterns, each of which is matched by one of as many topics.
use super::{
    Outcome, Stage,
    figure::{as_f64, micros_each},
};
use crate::target::Naming;
use std::io;

/// The server's CPU per publish and per delivery.
pub(super) const MEASURES: &[&str] = &["cpu_us_per_publish", "cpu_us_per_delivery", "latency_p99_ms"];

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let mut crowd = stage.crowd(Naming::Pattern)?;
    let counts = stage.counts();
    let connecting = stage.read(&crowd)?;
    crowd.connect("connecting", stage.size.subscribers, 0, &counts)?;
    stage.settle();
    let (before, report_before) = (stage.read(&crowd)?, crowd.report()?);
    let (published, report) =
        stage.publish_for(&mut crowd, stage.plan(Naming::Pattern), &counts, stage.size.seconds)?;
    let after = stage.read(&crowd)?;
    stage.settle();
    let deliveries = report.deliveries - report_before.deliveries;
    let mut outcome = Outcome { faults: crowd.report()?.faults, ..Outcome::default() };
    let per_publish = after.server_since(&before).map(|cpu| micros_each(cpu, published.count));
    outcome.add_some("cpu_us_per_publish", "CPU µs/publish", per_publish);
    after.add_per_delivery(&before, deliveries, &mut outcome);
    let connect = before.server_since(&connecting).map(|cpu| micros_each(cpu, stage.size.subscribers.into()));
    outcome.add_some("cpu_us_per_connect", "CPU µs/connect", connect);
    outcome.add_latencies(&report.steady);
    outcome.add("deliveries", "deliveries", as_f64(deliveries));
    Ok(outcome)
}
