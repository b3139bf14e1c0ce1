//! The comparison of clients: they read the same streams, in turns, each in its own process.
//!
//! `cargo run --release -p fanfare-bench --bin client [-- --smoke]`. Prints a line of JSON for each round, a table for
//! each scenario, and one line of JSON with medians and ranges. The measured time begins with the first event. Every
//! contender must get every event with the data that was sent. If a contender does not get them in a turn, this turn
//! has no result, and the run fails.
//!
//! A wrapper of the system's allocator counts allocations during the measured time; it adds the same few instructions
//! to each allocation of every client. The command `read` starts a client alone, and `serve` the server alone, for a
//! profiler.
use alloc_tracker::Allocator;
use clap::{Parser, Subcommand, ValueEnum, value_parser};
use fanfare_bench::{
    client::{
        contender::Contender,
        duel, reader,
        scenario::Scenario,
        server,
        summary::{self, Table},
    },
    report,
};
use fanfare_load::process::HubProcess;
use serde_json::{Map, json};
use std::{
    alloc::System,
    env, io,
    process::{Command, ExitCode},
};

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// Measures the events per second, the CPU time and the allocations of several clients.
#[derive(Parser)]
struct Options {
    /// Run only the scenarios whose names contain this text
    #[arg(default_value = "")]
    only: String,
    /// Clients to compare, separated by commas [default: all]
    #[arg(long, value_delimiter = ',')]
    contenders: Vec<Contender>,
    /// Number of turns of each client
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Number of events of each stream [default: 40000 to 1000000, depending on the scenario]
    #[arg(long, value_parser = value_parser!(u32).range(2..=100_000_000))]
    events: Option<u32>,
    /// Run only for a short time with few events, to see that everything works. The figures then mean nothing
    #[arg(long)]
    smoke: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts of a run that are processes of their own. This program starts itself again for each of them.
#[derive(Clone, Subcommand)]
enum Part {
    #[command(hide = true)]
    Serve,
    #[command(hide = true, name = reader::COMMAND)]
    Read { contender: Contender, url: String, events: u64 },
}

const SMOKE_EVENTS: u32 = 500;

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Compares the clients, and returns true if every run of every client succeeded.
fn run(mut options: Options) -> io::Result<bool> {
    match options.part {
        Some(Part::Serve) => return server::serve().map(|()| true),
        Some(Part::Read { contender, url, events }) => return reader::read(contender, &url, events).map(|()| true),
        None => {}
    }
    if options.smoke {
        (options.rounds, options.events) = (1, Some(SMOKE_EVENTS));
    }
    let contenders =
        if options.contenders.is_empty() { Contender::value_variants() } else { options.contenders.as_slice() };
    let mut command = Command::new(env::current_exe()?);
    command.arg("serve");
    let server = HubProcess::launch(command)?;
    let (mut tables, mut scenes, mut good) = (String::new(), Map::new(), true);
    for (number, scenario) in duel::named(&options.only) {
        let count = options.events.map_or(scenario.count, |events| events as usize);
        let scenario = Scenario { count, ..scenario };
        eprintln!("{scenario}: {count} events");
        let turns =
            duel::rounds(number, scenario, contenders, server.address, options.rounds, |line| println!("{line}"));
        good &= turns.iter().flat_map(|turns| &turns.turns).all(Result::is_ok);
        tables += &format!("\n{scenario}\n{}", Table(&turns));
        scenes.insert(scenario.to_string(), summary::json(&turns));
    }
    if scenes.is_empty() {
        return Err(io::Error::other(format!("no scenario is named {:?}", options.only)));
    }
    println!("{tables}");
    let (run, rounds) = (report::circumstances(), options.rounds);
    println!("{}", json!({ "bench": "client", "run": run, "rounds": rounds, "scenarios": scenes }));
    Ok(good)
}
