//! The comparison, byte by byte, of what subscribers get from two builds of the hub: one before and one after a change
//! that must not change these bytes.
//!
//! A script is made from each seed: random publications, and subscribers that join, read, stall, lose their connections
//! and resume. The script is run on both hubs, with each way of delivery. Dates, epochs and times are masked: nothing
//! else may differ between the two hubs.
#![forbid(unsafe_code)]
mod hub;
mod script;
mod subscriber;

use clap::Parser;
use hub::Hub;
use script::Script;
use std::{
    error::Error,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

/// Compare the bytes that subscribers get from two builds of the hub
#[derive(Parser)]
struct Args {
    /// The program from before the change
    #[arg(long, value_name = "PATH")]
    before: PathBuf,
    /// The program from after the change
    #[arg(long, value_name = "PATH")]
    now: PathBuf,
    /// Number of scripts
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The seed of the first script
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Ways of delivery to test, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "epoll,io-uring,hyper")]
    delivery: Vec<String>,
}

/// The number of scripts that are run on one process of the hub. Then the hub is stopped, which ends the streams that
/// are still open.
const SCRIPTS_OF_A_HUB: u64 = 25;

/// The bytes of each connection, in the order in which they were opened.
type Transcript = Vec<Vec<u8>>;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let mut different = 0;
    for delivery in &args.delivery {
        let (mut connections, mut bytes) = (0, 0);
        let mut first = args.first;
        while first < args.first + args.seeds {
            let seeds = first..(first + SCRIPTS_OF_A_HUB).min(args.first + args.seeds);
            first = seeds.end;
            let (before, now) = thread::scope(|scope| {
                let [before, now] = [&args.before, &args.now].map(|program| {
                    let seeds = seeds.clone();
                    scope.spawn(move || play(program, delivery, seeds).map_err(|error| error.to_string()))
                });
                (before.join(), now.join())
            });
            let failed = |_| "the thread that runs the scripts of a hub has panicked";
            let (before, now) = (before.map_err(failed)??, now.map_err(failed)??);
            connections += now.len();
            bytes += now.iter().map(Vec::len).sum::<usize>();
            different += differences(&before, &now, delivery, &seeds);
        }
        println!("{delivery}: {} scripts, {connections} connections, {bytes} bytes", args.seeds);
    }
    println!("{different} connections differ");
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs scripts on a hub, one after the other, and returns the bytes that each connection got.
fn play(program: &Path, delivery: &str, seeds: Range<u64>) -> Result<Transcript, Box<dyn Error>> {
    let hub = Hub::start(program, delivery)?;
    let mut scripts = Vec::new();
    for seed in seeds {
        let mut script = Script::new(&hub, seed);
        script.play()?;
        scripts.push(script);
    }
    // The streams that are still open end when the hub stops.
    let epoch = hub.stop()?;
    let mut transcript = Vec::new();
    for script in scripts {
        transcript.extend(script.end()?.into_iter().map(|bytes| subscriber::masked(&bytes, &epoch)));
    }
    Ok(transcript)
}

/// Prints the differences between two transcripts, and returns the number of connections that differ.
fn differences(before: &Transcript, now: &Transcript, delivery: &str, seeds: &Range<u64>) -> usize {
    if before.len() != now.len() {
        println!(
            "{delivery}, seeds {seeds:?}: there were {} connections before, and there are {} now",
            before.len(),
            now.len()
        );
        return before.len().abs_diff(now.len());
    }
    let mut different = 0;
    for (number, (before, now)) in before.iter().zip(now).enumerate().filter(|(_, (before, now))| before != now) {
        let at = before.iter().zip(now).take_while(|(before, now)| before == now).count();
        let around = |bytes: &[u8]| {
            let shown = &bytes[at.saturating_sub(80).min(bytes.len())..bytes.len().min(at + 80)];
            String::from_utf8_lossy(shown).into_owned()
        };
        println!("{delivery}, seeds {seeds:?}, connection {number}: the bytes differ from byte {at} on");
        println!("  before ({}): {:?}", before.len(), around(before));
        println!("  now ({}): {:?}", now.len(), around(now));
        different += 1;
    }
    different
}
