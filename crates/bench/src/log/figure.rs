//! A figure, its limit, and its measured value.
use serde::Serialize;
use std::{fmt, time::Duration};

/// A figure, its limit and its measured value, which are one line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    figure: String,
    unit: &'static str,
    /// The greatest value that is allowed; `None` if the figure is only for information.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    /// The measured value; `None` if it could not be measured.
    measured: Option<f64>,
}

impl Figure {
    /// Creates a figure that must not exceed `limit`.
    #[must_use]
    pub fn limited(figure: &str, unit: &'static str, limit: f64, measured: f64) -> Self {
        Self { figure: figure.into(), unit, limit: Some(limit), measured: Some(measured) }
    }

    /// Creates a figure that is only for information.
    #[must_use]
    pub fn told(figure: &str, unit: &'static str, measured: f64) -> Self {
        Self { figure: figure.into(), unit, limit: None, measured: Some(measured) }
    }

    /// Creates a figure that cannot be measured on this machine.
    #[must_use]
    pub fn left_out(figure: &str, unit: &'static str, limit: f64) -> Self {
        Self { figure: figure.into(), unit, limit: Some(limit), measured: None }
    }

    /// Returns true if the figure exceeds its limit.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.limit.zip(self.measured).is_some_and(|(limit, measured)| measured > limit)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |number: Option<f64>, without: &str| match number {
            Some(number) if number >= 1_000.0 => format!("{number:.0}"),
            Some(number) => format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
            None => without.to_owned(),
        };
        let (limit, measured) = (show(self.limit, "-"), show(self.measured, "left out"));
        let missed = if self.is_missed() { "  missed" } else { "" };
        let line = format!("{:<66} {limit:>8} {measured:>10} {}{missed}", self.figure, self.unit);
        f.write_str(line.trim_end())
    }
}

/// Returns the heading of the table.
#[must_use]
pub fn heading() -> String {
    format!("{:<66} {:>8} {:>10}", "figure", "limit", "measured")
}

/// Returns the median of the values.
///
/// # Panics
/// If there are no values.
#[must_use]
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Converts a duration to milliseconds.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Converts bytes to MiB.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Returns `one` divided by `other`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_missed_above_its_limit_only() {
        assert!(Figure::limited("a", "ms", 2.0, 2.1).is_missed());
        assert!(!Figure::limited("a", "ms", 2.0, 2.0).is_missed());
        assert!(!Figure::told("a", "ms", 2.0).is_missed() && !Figure::left_out("a", "ms", 2.0).is_missed());
    }
}
