//! The scenario `topics`: each subscriber has its own topic, first with a few subscribers, then with all. The cost of a
//! publication should stay the same.
use super::{Outcome, Size, Stage, figure::micros_each};
use crate::target::Naming;
use std::io;

/// The main figures: the server's CPU time per publication (with its one delivery) with all topics, this time divided
/// by the time with a few topics, and the latency.
pub(super) const MEASURES: &[&str] = &["cpu_us_per_publish", "many_over_few", "latency_p99_ms"];

/// The number of subscribers in the first part of the scenario, with which the second part is compared.
const FEW: u32 = 100;

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let Size { subscribers, seconds, topics, .. } = stage.size;
    let few = FEW.min(topics);
    let mut crowd = stage.crowd(Naming::Exact)?;
    let mut counts = stage.counts();
    let mut costs = Vec::new();
    let mut outcome = Outcome::default();
    for (phase, connect, topics) in [("few", few, few), ("all", subscribers - few, topics)] {
        crowd.connect(&format!("connecting {phase}"), connect, 0, &counts)?;
        stage.settle();
        crowd.report()?;
        let before = stage.read(&crowd)?;
        let mut plan = stage.plan(Naming::Exact);
        plan.topics = topics;
        let (published, report) = stage.publish_for(&mut crowd, plan, &counts, seconds)?;
        let after = stage.read(&crowd)?;
        costs.extend(after.server_since(&before).map(|cpu| micros_each(cpu, published.count)));
        counts.clone_from(&published.counts);
        if phase == "all" {
            outcome.add_some("cpu_us_per_publish", "CPU µs/publish", costs.get(1).copied());
            outcome.add_some("few_cpu_us_per_publish", "CPU µs/publish with few topics", costs.first().copied());
            if let [few, many] = costs[..] {
                outcome.add(
                    "many_over_few",
                    "CPU/publish: all topics divided by few",
                    many / few.max(f64::MIN_POSITIVE),
                );
            }
            outcome.add_latencies(&report.steady);
            outcome.add("publishes_per_second", "publishes/s", published.rate());
        }
    }
    stage.settle();
    outcome.faults = crowd.report()?.faults;
    Ok(outcome)
}
