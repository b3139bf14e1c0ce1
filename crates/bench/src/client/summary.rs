//! The summary of a scenario: the median and the range over all rounds, for each figure of each contender.
use super::{duel::Turns, tally::Reading};
use serde_json::{Map, Value, json};
use std::{
    fmt::{self, Write},
    time::Duration,
};

/// A figure of the summary, which is computed from a reading.
struct Figure {
    key: &'static str,
    head: &'static str,
    of: fn(&Reading) -> f64,
    /// The number of decimal places that the table shows.
    places: usize,
}

const FIGURES: [Figure; 4] = [
    Figure { key: "events_per_s", head: "events/s", of: |reading| 1e9 / each(reading, nanos(reading.wall)), places: 0 },
    Figure { key: "cpu_ns", head: "CPU ns/event", of: |reading| each(reading, nanos(reading.cpu)), places: 0 },
    Figure { key: "allocations", head: "alloc/event", of: |reading| each(reading, reading.allocations), places: 3 },
    Figure { key: "bytes", head: "B alloc/event", of: |reading| each(reading, reading.bytes), places: 0 },
];

/// The lowest, the median and the highest value of one figure of one contender.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

/// The summary of a scenario, as a table for people.
#[derive(Debug)]
pub struct Table<'t>(pub &'t [Turns]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:20}", "client")?;
        FIGURES.iter().try_for_each(|figure| write!(formatter, " {:>14} {:21}", figure.head, "(range)"))?;
        writeln!(formatter, " faults")?;
        for turns in self.0 {
            write!(formatter, "{:20}", turns.contender.name())?;
            for figure in &FIGURES {
                let (mut range, mut median) = (String::new(), "-".to_owned());
                if let Some(spread) = spread(turns, figure.of) {
                    let places = figure.places;
                    write!(range, "({:.places$} to {:.places$})", spread.low, spread.high)?;
                    median = format!("{:.places$}", spread.median);
                }
                write!(formatter, " {median:>14} {range:21}")?;
            }
            let faults: Vec<&str> = turns.turns.iter().filter_map(|turn| Some(turn.as_ref().err()?.as_str())).collect();
            writeln!(formatter, " {}", if faults.is_empty() { "none".into() } else { faults.join(" | ") })?;
        }
        Ok(())
    }
}

/// Returns the medians and ranges of a scenario, by contender.
#[must_use]
pub fn json(all: &[Turns]) -> Value {
    let of = |turns: &Turns| {
        let figures = FIGURES.iter().filter_map(|figure| {
            let Spread { low, median, high } = spread(turns, figure.of)?;
            let rounded = [low, median, high].map(|value| (value * 1e3).round() / 1e3);
            Some((figure.key.to_owned(), json!({ "low": rounded[0], "median": rounded[1], "high": rounded[2] })))
        });
        Value::Object(figures.collect::<Map<_, _>>())
    };
    Value::Object(all.iter().map(|turns| (turns.contender.name().to_owned(), of(turns))).collect())
}

/// Summarizes the turns that succeeded, if there is one.
fn spread(turns: &Turns, of: fn(&Reading) -> f64) -> Option<Spread> {
    let mut values: Vec<f64> = turns.turns.iter().flatten().map(of).collect();
    values.sort_by(f64::total_cmp);
    Some(Spread { low: *values.first()?, median: values[values.len() / 2], high: *values.last()? })
}

#[allow(clippy::cast_precision_loss, reason = "all counts are far below 2^52")]
fn each(reading: &Reading, total: u64) -> f64 {
    total as f64 / reading.events.max(1) as f64
}

/// Converts a duration to nanoseconds. The result can hold 584 years, and a turn takes seconds.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::contender::Contender;

    fn reading(millis: u64) -> Result<Reading, String> {
        let wall = Duration::from_millis(millis);
        Ok(Reading { events: 1_000, checksum: 0, wall, cpu: wall / 2, allocations: 2_500, bytes: 64_000 })
    }

    #[test]
    fn figures_are_per_event_and_faulty_turns_do_not_count() {
        let turns = vec![reading(3), reading(1), Err("2 of 3 events came".into()), reading(2)];
        let turns = [Turns { contender: Contender::Parser, turns }];
        let figures = &json(&turns)["parser"];
        assert_eq!(figures["cpu_ns"], json!({ "low": 500.0, "median": 1_000.0, "high": 1_500.0 }));
        assert_eq!(figures["events_per_s"]["high"], json!(1e6));
        assert_eq!((&figures["allocations"]["median"], &figures["bytes"]["median"]), (&json!(2.5), &json!(64.0)));
        assert!(Table(&turns).to_string().ends_with(" 2 of 3 events came\n"));
    }
}
