//! The comparison of servers: they run the same scenarios, in turns, each as a fresh process.
//!
//! `cargo run --release -p fanfare-bench --bin compare [-- --smoke]`, after `cargo build --release`; `cargo xtask
//! compare` does both and installs the other servers. Prints a table for each scenario, with the ratio to a bare loop
//! of `write(2)` if that loop can run the scenario, and one line of JSON. Servers take turns, and their order
//! alternates, so that a machine that becomes busy affects all of them. Each subscriber checks that it gets every event
//! once and in order: faults are shown, and the run fails if Fanfare has one.
use clap::{Parser, Subcommand, value_parser};
use fanfare_bench::{
    bare_uring, bare_write, report,
    server::{SERVERS, SUBSCRIPTIONS, Server, Surroundings},
};
use fanfare_load::{
    scenario::{Outcome, Scenario, Size, SizeArgs, Stage},
    subscribe::worker,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, TcpListener},
    process::ExitCode,
    time::Duration,
};

/// Measures the CPU time, the latency and the memory of several servers, and compares them with a bare loop of
/// write(2).
#[derive(Clone, Parser)]
struct Options {
    /// Scenarios to run, separated by commas [default: all]
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<Scenario>,
    /// Names of the servers to compare, separated by commas [default: all that are installed]. The variable
    /// TEST_FANFARE_BIN names the program fanfare; if it is not set, the program is target/release/fanfare
    #[arg(long, value_delimiter = ',', value_parser = server)]
    servers: Vec<Server>,
    /// Number of turns of each server
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Run only for a short time with few subscribers, to see that everything works. The figures then mean nothing
    #[arg(long)]
    smoke: bool,
    /// IP address where the servers listen, such as that of a network namespace
    #[arg(long, global = true, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Words in front of the command that starts a server, such as "ip netns exec NAME". The process must become the
    /// server, as with `ip netns exec`, because this process is measured
    #[arg(long, value_delimiter = ' ')]
    prefix: Vec<String>,
    #[command(flatten)]
    size: SizeArgs,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts of a run that are processes of their own. This program starts itself again for each of them.
#[derive(Clone, Copy, Subcommand)]
enum Part {
    #[command(hide = true)]
    BareWrite,
    #[command(hide = true)]
    BareIoUring,
    #[command(hide = true)]
    LoadWorker,
}

/// The results of the turns of one server.
type Turns = Vec<Result<Outcome, String>>;

/// The scenarios of a smoke run. The other scenarios take seconds even if they are small; the tests of `fanfare load`
/// run all scenarios.
const SMOKE: [Scenario; 2] = [Scenario::Broadcast, Scenario::Burst];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn server(name: &str) -> Result<Server, String> {
    let names = || SERVERS.iter().map(|server| server.name).collect::<Vec<_>>().join(", ");
    Server::named(name).ok_or_else(|| format!("unknown server; expected one of {}", names()))
}

/// Runs the comparison, and returns true if every turn of a Fanfare hub succeeded without faults.
fn run() -> io::Result<bool> {
    let mut options = Options::parse();
    match options.part {
        Some(Part::BareWrite) => return bare_write::serve(TcpListener::bind((options.address, 0))?).map(|()| true),
        Some(Part::BareIoUring) => return bare_uring::serve(TcpListener::bind((options.address, 0))?).map(|()| true),
        Some(Part::LoadWorker) => return worker::serve().map(|()| true),
        None => {}
    }
    if options.smoke {
        options.rounds = 1;
        options.scenarios = SMOKE.to_vec();
        options.size = SizeArgs {
            subscribers: Some(100),
            rate: Some(100),
            seconds: Some(1),
            events: Some(100),
            ..SizeArgs::default()
        };
        options.servers = ["bare-write", "fanfare", "nchan"].into_iter().filter_map(Server::named).collect();
    }
    let scenarios = if options.scenarios.is_empty() { Scenario::ALL.to_vec() } else { options.scenarios.clone() };
    let servers = present(if options.servers.is_empty() { SERVERS } else { &options.servers });
    let (mut scenes, mut good) = (Map::new(), true);
    for scenario in scenarios {
        let size = scenario.size().with(&options.size);
        let turns = turns(scenario, size, &servers, &options);
        good &= turns.iter().filter(|(server, _)| server.name.starts_with("fanfare")).all(|(_, turns)| is_good(turns));
        scenes.insert(scenario.name().into(), show(scenario, size, &turns));
    }
    let run = report::circumstances();
    println!("{}", json!({ "bench": "compare", "run": run, "rounds": options.rounds, "scenarios": scenes }));
    Ok(good)
}

/// Returns the servers that can run on this machine, and prints why the other servers cannot run.
fn present(servers: &[Server]) -> Vec<Server> {
    let can_run = |server: &&Server| match server.missing() {
        Some(reason) => {
            println!("{} is left out: {reason}", server.name);
            false
        }
        None => true,
    };
    servers.iter().filter(can_run).copied().collect()
}

/// Runs a scenario with all servers in turns.
fn turns(scenario: Scenario, size: Size, servers: &[Server], options: &Options) -> Vec<(Server, Turns)> {
    let bears = |server: &&Server| server.bears(scenario);
    let mut turns: Vec<_> = servers.iter().filter(bears).map(|server| (*server, Turns::new())).collect();
    let surroundings = Surroundings { address: options.address, prefix: options.prefix.clone() };
    for round in 0..options.rounds {
        // The order alternates, because later servers find warmer caches.
        let backwards = round % 2 == 1;
        for index in 0..turns.len() {
            let last = turns.len() - 1;
            let (server, outcomes) = &mut turns[if backwards { last - index } else { index }];
            eprintln!("{}: {}, round {} of {}", scenario.name(), server.name, round + 1, options.rounds);
            let settle = Duration::from_millis(if options.smoke { 100 } else { 1_000 });
            outcomes.push(turn(*server, scenario, size, settle, &surroundings).map_err(|error| error.to_string()));
        }
    }
    turns
}

fn turn(
    server: Server,
    scenario: Scenario,
    size: Size,
    settle: Duration,
    surroundings: &Surroundings,
) -> io::Result<Outcome> {
    let running = server.start(size.subscribers, surroundings)?;
    let mut stage = Stage::new(running.target.clone(), Some(running.meter()), size, settle);
    scenario.run(&mut stage)
}

fn is_good(turns: &Turns) -> bool {
    turns.iter().all(|turn| turn.as_ref().is_ok_and(|outcome| outcome.faults.count() == 0))
}

/// The heading of the column that shows the first measure of each server, divided by that of the bare loop.
const RATIO: &str = "ratio to bare";

/// Prints the table of a scenario, and returns its figures as JSON.
fn show(scenario: Scenario, size: Size, turns: &[(Server, Turns)]) -> Value {
    println!("\n{}: {size}", scenario.name());
    let measures = scenario.measures();
    let medians: Vec<BTreeMap<&str, f64>> = turns.iter().map(|(_, turns)| medians(turns)).collect();
    let label = |key: &str| label(key, turns).unwrap_or_else(|| key.to_owned());
    let heads: Vec<String> = measures.iter().map(|key| label(key)).collect();
    let columns: String = heads.iter().map(|head| format!("  {head:>12}")).collect();
    println!("{:17}{columns}  {:>12}  faults", "server", RATIO);
    let bare = turns.iter().position(|(server, _)| server.name == SERVERS[0].name);
    let mut servers = Map::new();
    for ((server, turns), median) in turns.iter().zip(&medians) {
        let cells = measures.iter().zip(&heads).map(|(key, head)| cell(median.get(key).copied(), head));
        let bare = bare.and_then(|bare| medians[bare].get(measures[0]).copied());
        let ratio = median.get(measures[0]).zip(bare.filter(|bare| *bare > 0.0));
        let ratio = ratio.map(|(value, bare)| (value / bare * 1e3).round() / 1e3);
        let cells: String = cells.collect();
        println!("{:17}{cells}{}  {}", server.name, cell(ratio, RATIO), faults(turns));
        let shown =
            turns.iter().map(|turn| turn.as_ref().map_or_else(|error| json!({ "error": error }), Outcome::json));
        let runs: Vec<Value> = shown.collect();
        servers.insert(server.name.into(), json!({ "median": median, "ratio_to_bare": ratio, "runs": runs }));
    }
    let mut shown = json!({ "size": size, "measure": measures[0], "servers": servers });
    if let Some(ratio) = presence_over_plain(turns, &medians, measures[0]) {
        println!("{}: {SUBSCRIPTIONS} has {ratio:.2} times the value of fanfare", heads[0]);
        shown["presence_over_plain"] = ratio.into();
    }
    shown
}

/// Returns the cost of a hub that publishes active subscriptions, as a multiple of the cost of one that does not, if
/// both were measured.
fn presence_over_plain(turns: &[(Server, Turns)], medians: &[BTreeMap<&str, f64>], key: &str) -> Option<f64> {
    let of = |name: &str| medians[turns.iter().position(|(server, _)| server.name == name)?].get(key).copied();
    let (with, without) = (of(SUBSCRIPTIONS)?, of("fanfare").filter(|value| *value > 0.0)?);
    Some((with / without * 1e3).round() / 1e3)
}

/// Returns the median of each figure, over the turns that succeeded.
fn medians(turns: &Turns) -> BTreeMap<&'static str, f64> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for figure in turns.iter().flatten().flat_map(|outcome| &outcome.figures) {
        values.entry(figure.key).or_default().push(figure.value);
    }
    let median = |(key, mut values): (&'static str, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        (key, (values[values.len() / 2] * 1e3).round() / 1e3)
    };
    values.into_iter().map(median).collect()
}

/// Returns the name of a figure for people.
fn label(key: &str, turns: &[(Server, Turns)]) -> Option<String> {
    let mut figures = turns.iter().flat_map(|(_, turns)| turns.iter().flatten()).flat_map(|outcome| &outcome.figures);
    figures.find(|figure| figure.key == key).map(|figure| figure.label.to_owned())
}

fn cell(value: Option<f64>, head: &str) -> String {
    let width = head.chars().count().max(12);
    value.map_or_else(|| format!("  {:>width$}", "-"), |value| format!("  {:>width$}", rounded(value)))
}

/// Formats a figure: without decimal places from 1,000 on, with two below that.
fn rounded(value: f64) -> String {
    if value.abs() >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn faults(turns: &Turns) -> String {
    let said = turns.iter().filter_map(|turn| match turn {
        Ok(outcome) if outcome.faults.count() == 0 => None,
        Ok(outcome) => Some(format!("{} ({})", outcome.faults, outcome.faults.examples.join("; "))),
        Err(error) => Some(error.clone()),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "none".into() } else { said.join(" | ") }
}
