//! The turns of the contenders, which all read the same stream.
use super::{
    contender::Contender,
    reader,
    scenario::{SCENARIOS, Scenario},
    server,
    tally::Reading,
};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// The results of the turns of one contender.
#[derive(Debug)]
pub struct Turns {
    /// The contender that took these turns.
    pub contender: Contender,
    /// The contender's result in each round, or the error as text.
    pub turns: Vec<Result<Reading, String>>,
}

/// Lets all contenders read a scenario from the server at `address`, in the given number of rounds. `tell` gets a line
/// of JSON after each round.
pub fn rounds(
    number: usize,
    scenario: Scenario,
    contenders: &[Contender],
    address: SocketAddr,
    rounds: u32,
    mut tell: impl FnMut(&Value),
) -> Vec<Turns> {
    let expected = scenario.expected();
    let url = server::url(address, number, scenario.count);
    let mut all: Vec<Turns> =
        contenders.iter().map(|contender| Turns { contender: *contender, turns: Vec::new() }).collect();
    for round in 0..rounds {
        // The order alternates, so that an effect that lasts from one turn to the next helps or harms all contenders.
        let order: Vec<usize> = if round % 2 == 0 { (0..all.len()).collect() } else { (0..all.len()).rev().collect() };
        for index in order {
            let turn = turn(all[index].contender, &url, expected);
            all[index].turns.push(turn);
        }
        tell(&line(scenario, round, &all));
    }
    all
}

/// Returns the scenarios whose names contain `only`, with their numbers.
pub fn named(only: &str) -> impl Iterator<Item = (usize, Scenario)> {
    SCENARIOS.into_iter().enumerate().filter(move |(_, scenario)| scenario.to_string().contains(only))
}

/// Runs one turn of one contender. It is an error if anything that was sent did not arrive.
fn turn(contender: Contender, url: &str, (events, checksum): (usize, u64)) -> Result<Reading, String> {
    let reading = reader::start(contender, url, events).map_err(|error| error.to_string())?;
    if reading.checksum == checksum {
        Ok(reading)
    } else {
        Err("the received data differs from the data that was sent".into())
    }
}

fn line(scenario: Scenario, round: u32, all: &[Turns]) -> Value {
    let last = |turns: &Turns| match turns.turns.last() {
        Some(Ok(reading)) => json!(reading),
        Some(Err(error)) => json!({ "error": error }),
        None => Value::Null,
    };
    let contenders: Map<String, Value> =
        all.iter().map(|turns| (turns.contender.name().to_owned(), last(turns))).collect();
    json!({ "bench": "client", "scenario": scenario.to_string(), "round": round + 1, "contenders": contenders })
}
