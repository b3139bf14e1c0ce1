//! The contenders in turns, on the same stream.
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
    /// The contender.
    pub contender: Contender,
    /// One for each round.
    pub turns: Vec<Result<Reading, String>>,
}

/// Lets all contenders read a scenario, in so many rounds, from the server at `address`; `tell` is given a line of JSON
/// after each round.
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
        // Who goes first alternates, so that whatever lasts from one turn to the next helps or harms all.
        let order: Vec<usize> = if round % 2 == 0 { (0..all.len()).collect() } else { (0..all.len()).rev().collect() };
        for index in order {
            let turn = turn(all[index].contender, &url, expected);
            all[index].turns.push(turn);
        }
        tell(&line(scenario, round, &all));
    }
    all
}

/// The scenarios, each with its number, of which `only` is part of the name.
pub fn named(only: &str) -> impl Iterator<Item = (usize, Scenario)> {
    SCENARIOS.into_iter().enumerate().filter(move |(_, scenario)| scenario.to_string().contains(only))
}

/// One contender, once. It is an error if anything that was sent did not come.
fn turn(contender: Contender, url: &str, (events, checksum): (usize, u64)) -> Result<Reading, String> {
    let reading = reader::start(contender, url, events).map_err(|error| error.to_string())?;
    if reading.checksum == checksum { Ok(reading) } else { Err("the data is not what was sent".into()) }
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
