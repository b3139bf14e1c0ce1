//! The figures and the faults of a scenario.
use crate::{fault::Faults, histogram::Histogram};
use serde_json::{Value, json};
use std::time::Duration;

/// One measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The name of the figure in JSON, with the unit last.
    pub key: &'static str,
    /// The name of the figure for people, with the unit.
    pub label: &'static str,
    /// The value of the figure.
    pub value: f64,
}

/// All results of a scenario for one server.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The figures, in the order in which they are shown.
    pub figures: Vec<Figure>,
    /// The faults of the subscribers.
    pub faults: Faults,
}

impl Outcome {
    pub(super) fn add(&mut self, key: &'static str, label: &'static str, value: f64) {
        self.figures.push(Figure { key, label, value });
    }

    pub(super) fn add_some(&mut self, key: &'static str, label: &'static str, value: Option<f64>) {
        if let Some(value) = value {
            self.add(key, label, value);
        }
    }

    /// Adds the median, the 99th and 99.9th percentile and the maximum of the latencies.
    pub(super) fn add_latencies(&mut self, latencies: &Histogram) {
        self.add("latency_p50_ms", "latency p50, ms", millis(latencies.quantile(0.5)));
        self.add("latency_p99_ms", "latency p99, ms", millis(latencies.quantile(0.99)));
        self.add("latency_p999_ms", "latency p99.9, ms", millis(latencies.quantile(0.999)));
        self.add("latency_max_ms", "latency max, ms", millis(latencies.max()));
    }

    /// Returns the value of the figure with this key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.key == key).map(|figure| figure.value)
    }

    /// Returns the outcome as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        let figures = self.figures.iter().map(|figure| (figure.key.to_owned(), json!(rounded(figure.value))));
        let mut object: serde_json::Map<String, Value> = figures.collect();
        object.insert("faults".into(), json!(self.faults));
        Value::Object(object)
    }
}

/// Converts a time to milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Returns `time` divided by `count`, in microseconds.
pub(super) fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / as_f64(count.max(1))
}

pub(super) fn as_f64(count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "counts of deliveries and bytes are far below 2^52")]
    let count = count as f64;
    count
}
