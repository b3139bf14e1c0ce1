//! The scenario `burst`: several publishers publish as fast as answers arrive. It shows how a server handles more
//! events than it can deliver one by one.
use super::{Outcome, Stage, figure::as_f64};
use crate::{publish::Plan, target::Naming};
use std::{io, time::Instant};

/// The main figures: the server's CPU time per delivery, the number of deliveries in one read, and the number of
/// deliveries per second.
pub(super) const MEASURES: &[&str] = &["cpu_us_per_delivery", "deliveries_per_read", "deliveries_per_second"];

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let mut crowd = stage.crowd(Naming::Exact)?;
    let counts = stage.counts();
    crowd.connect("connecting", stage.size.subscribers, 0, &counts)?;
    stage.settle();
    let (before, report_before) = (stage.read(&crowd)?, crowd.report()?);
    let begun = Instant::now();
    let plan = Plan { rate: None, count: Some(stage.size.events.into()), ..stage.plan(Naming::Exact) };
    let published = stage.publish(plan, &counts).finish()?;
    let report = crowd.receive("delivering", &published.counts)?;
    let (elapsed, after) = (begun.elapsed(), stage.read(&crowd)?);
    stage.settle();
    let (deliveries, reads) = (report.deliveries - report_before.deliveries, report.reads - report_before.reads);
    let mut outcome = Outcome { faults: crowd.report()?.faults, ..Outcome::default() };
    after.add_per_delivery(&before, deliveries, &mut outcome);
    let per_cpu = after.server_since(&before).map(|cpu| as_f64(deliveries) / cpu.as_secs_f64().max(0.01));
    outcome.add_some("deliveries_per_cpu_second", "deliveries/s of CPU", per_cpu);
    outcome.add("deliveries_per_read", "deliveries/read", as_f64(deliveries) / as_f64(reads.max(1)));
    outcome.add("deliveries_per_second", "deliveries/s", as_f64(deliveries) / elapsed.as_secs_f64());
    outcome.add("publishes_per_second", "publishes/s", published.rate());
    outcome.add_latencies(&report.steady);
    Ok(outcome)
}
