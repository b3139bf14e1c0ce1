//! The median of several measurements, and their range.
use serde::Serialize;
use std::fmt;

/// The spread of one figure over several rounds. After only one round, its three values are equal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median: the value in the middle, or the higher one of the two in the middle.
    pub median: f64,
    /// The lowest value.
    pub least: f64,
    /// The highest value.
    pub most: f64,
}

impl Spread {
    /// Returns the spread of `values`.
    ///
    /// # Panics
    /// If there are no values.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(formatter, "{median:.2} ({least:.2} to {most:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_both_ends() {
        assert_eq!(Spread::of(vec![3.0, -1.0, 2.0]), Spread { median: 2.0, least: -1.0, most: 3.0 });
        assert_eq!(Spread::of(vec![7.0]).to_string(), "7.00 (7.00 to 7.00)");
    }
}
