//! The median of several measurements, and how far they lie apart.
use serde::Serialize;
use std::fmt;

/// The spread of one figure over several rounds. All three are the same if there was one round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the upper of the two.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// The spread of `values`.
    ///
    /// # Panics
    /// Panics if there are none.
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
