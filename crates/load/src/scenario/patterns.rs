//! The scenario `patterns`: there are as many URL patterns as topics, and each pattern matches one topic. Before that,
//! the same number of subscribers subscribe to the topics by name, for comparison. The cost of a publication should
//! depend on the number of subscribers that it matches, not on the number of patterns.
use super::{Outcome, Stage, figure::micros_each};
use crate::{progress::Progress, target::Naming};
use std::io;

/// The main figures: the server's CPU time per publication, this time divided by the time with topics by name, and the
/// CPU time and the latency of a delivery.
pub(super) const MEASURES: &[&str] =
    &["cpu_us_per_publish", "patterns_over_topics", "cpu_us_per_delivery", "latency_p99_ms"];

/// The time for a server to notice that subscribers have left, as a multiple of `Stage::settle`: 3 s by default.
const LEAVING: u32 = 6;

pub(super) fn run(stage: &mut Stage) -> io::Result<Outcome> {
    stage.warm_up()?;
    let mut outcome = Outcome::default();
    let mut costs = Vec::new();
    let mut counts = stage.counts();
    for naming in [Naming::Exact, Naming::Pattern] {
        let mut crowd = stage.crowd(naming)?;
        crowd.connect("connecting", stage.size.subscribers, 0, &counts)?;
        stage.settle();
        let (before, report_before) = (stage.read(&crowd)?, crowd.report()?);
        let (published, report) = stage.publish_for(&mut crowd, stage.plan(naming), &counts, stage.size.seconds)?;
        let after = stage.read(&crowd)?;
        counts.clone_from(&published.counts);
        costs.extend(after.server_since(&before).map(|cpu| micros_each(cpu, published.count)));
        if let Naming::Pattern = naming {
            outcome.add_some("cpu_us_per_publish", "CPU µs/publish", costs.get(1).copied());
            outcome.add_some("topics_cpu_us_per_publish", "CPU µs/publish to topics", costs.first().copied());
            if let [topics, patterns] = costs[..] {
                outcome.add(
                    "patterns_over_topics",
                    "CPU/publish: patterns divided by topics",
                    patterns / topics.max(f64::MIN_POSITIVE),
                );
            }
            after.add_per_delivery(&before, report.deliveries - report_before.deliveries, &mut outcome);
            outcome.add_latencies(&report.steady);
        }
        stage.settle();
        outcome.faults.merge(crowd.report()?.faults);
        // The server accepts only as many subscribers as one crowd has. So it must notice that this crowd has left
        // before the next crowd connects.
        crowd.leave("leaving", stage.size.subscribers)?;
        Progress::pass("leaving", stage.settle * LEAVING);
    }
    Ok(outcome)
}
