//! The cost of durability for a publisher: the same load on a hub whose log is on disk and on one whose log is in
//! memory.
//!
//! `cargo run --release -p fanfare-bench --bin publish [-- --smoke]`, after `cargo build --release`, publishes as fast
//! as answers come. With `--rate 1000 --connections 16`, the 16 connections together instead publish 1,000 events a
//! second, each at a fixed time, even if earlier publications took long. This shows the hub's CPU time per publication
//! at that rate. `--before PATH` adds the hub of an earlier commit, for figures of both from one run. Prints a table
//! and one line of JSON. The hubs take turns, and their order alternates, so that a machine that becomes busy affects
//! all of them.
use clap::{Parser, value_parser};
use fanfare_bench::{report, server::fanfare, spread::Spread};
use fanfare_load::{
    epoch::Epoch,
    process::HubProcess,
    publish::{Counts, Plan, Published, Publishing},
    recipe::Recipe,
    target::Naming,
};
use serde_json::{Map, Value, json};
use std::{io, path::PathBuf, thread, time::Duration};

const DATA_BYTES: usize = 200;
/// The time for which each hub gets publications before its first turn, to warm it up.
const WARM_UP: Duration = Duration::from_millis(500);
/// The figures of a turn: for each, its name in the JSON and the heading of its column.
const FIGURES: [(&str, &str); 5] = [
    ("publishes_per_s", "publishes/s"),
    ("p50_us", "p50 µs"),
    ("p99_us", "p99 µs"),
    ("cpu_us", "CPU µs/publish"),
    ("latest_us", "max late µs"),
];
/// The index of the publications per second in [`FIGURES`]; `CPU` is the index of the CPU time. The hubs are compared
/// by these two figures.
const RATE: usize = 0;
const CPU: usize = 3;

/// Measures publishing over HTTP to a durable log, and compares it with the same load on a log in memory.
#[derive(Debug, Parser)]
struct Options {
    /// Number of connections. Each has one publication in progress
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Number of publications a second of all connections together, at equal intervals [default: as many as the hub
    /// answers]
    #[arg(long, value_parser = value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Number of turns of each hub
    #[arg(long, default_value_t = 7, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Seconds of a turn, such as 0.25. On a machine that other programs use, many short turns give a better result
    /// than a few long ones
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Program of an earlier commit, which takes turns with the program that the variable TEST_FANFARE_BIN names. If
    /// the variable is not set, that program is target/release/fanfare
    #[arg(long, value_name = "PATH")]
    before: Option<PathBuf>,
    /// Run only for a short time, to see that everything works. The figures then mean nothing
    #[arg(long)]
    smoke: bool,
}

/// A hub that takes turns with others, and the results of its turns.
struct Contender {
    version: &'static str,
    log: &'static str,
    hub: HubProcess,
    /// The figures of each turn, in the order of [`FIGURES`].
    turns: Vec<[f64; FIGURES.len()]>,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let time = if options.smoke { Duration::from_millis(300) } else { Duration::from_secs_f64(options.seconds) };
    let rounds = if options.smoke { 1 } else { options.rounds };
    let directory = PathBuf::from(format!("target/bench-data-{}", std::process::id()));
    let mut contenders = Vec::new();
    for (version, program) in options.before.iter().map(|path| ("before", path)).chain([("now", &fanfare())]) {
        let data = directory.join(version);
        let logs = [("memory", vec!["--memory"]), ("disk", vec!["--data", data.to_str().unwrap_or_default()])];
        for (log, arguments) in logs {
            contenders.push(Contender {
                version,
                log,
                hub: HubProcess::start(program, &arguments)?,
                turns: Vec::new(),
            });
        }
    }
    let pace = options.rate.map_or_else(|| "as fast as answers come".into(), |rate| format!("{rate} a second"));
    println!("{} connections, {pace}, {DATA_BYTES} bytes, {rounds} rounds of {time:?}", options.connections);
    let heads = FIGURES.map(|(_, head)| format!(" {head:>14}")).concat();
    println!("{:>8} {:>8}{heads}", "hub", "log");
    for contender in &contenders {
        contender.publish_for(&options, WARM_UP.min(time))?;
    }
    for round in 0..rounds {
        let turns: &mut dyn Iterator<Item = &mut Contender> =
            if round % 2 == 0 { &mut contenders.iter_mut() } else { &mut contenders.iter_mut().rev() };
        for contender in turns {
            contender.take_turn(&options, time)?;
        }
    }
    let compared = compare(&contenders);
    let hubs: Vec<Value> = contenders.iter().map(Contender::json).collect();
    println!(
        "{}",
        json!({
            "bench": "publish", "run": report::circumstances(), "connections": options.connections,
            "rate": options.rate, "seconds": time.as_secs_f64(), "compared": compared, "hubs": hubs,
        })
    );
    drop(contenders);
    std::fs::remove_dir_all(directory)
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.05..=3_600.0).contains(seconds));
    seconds.ok_or("expected a number of seconds from 0.05 to 3600")
}

impl Contender {
    fn take_turn(&mut self, options: &Options, time: Duration) -> io::Result<()> {
        let before = self.hub.meter().cpu()?;
        let published = self.publish_for(options, time)?;
        let cpu = self.hub.meter().cpu()? - before;
        let [p50, p99] = [0.5, 0.99].map(|share| us(published.latencies.quantile(share)));
        #[allow(clippy::cast_precision_loss, reason = "a count of publications is far below 2^52")]
        let cpu_each = us(cpu) / published.count.max(1) as f64;
        let figures = [published.rate(), p50, p99, cpu_each, us(published.latest)];
        println!("{:>8} {:>8}{}", self.version, self.log, figures.map(|figure| format!(" {figure:>14.1}")).concat());
        self.turns.push(figures);
        Ok(())
    }

    fn publish_for(&self, options: &Options, time: Duration) -> io::Result<Published> {
        let target = Recipe::Fanfare.target(&format!("http://{}", self.hub.address));
        let target = target.map_err(|error| io::Error::other(error.to_string()))?;
        let (topics, publishers) = (1, options.connections);
        let plan =
            Plan { naming: Naming::Exact, topics, publishers, rate: options.rate, count: None, bytes: DATA_BYTES };
        let publishing = Publishing::start(&target, plan, Epoch::now(), &Counts::new(topics, publishers));
        thread::sleep(time);
        publishing.stop()
    }

    fn figure(&self, figure: usize) -> impl Iterator<Item = f64> {
        self.turns.iter().map(move |turn| turn[figure])
    }

    fn json(&self) -> Value {
        let turns: Vec<Map<String, Value>> = self
            .turns
            .iter()
            .map(|turn| FIGURES.iter().zip(turn).map(|((key, _), value)| ((*key).into(), tenths(*value))).collect())
            .collect();
        json!({ "hub": self.version, "log": self.log, "turns": turns })
    }
}

/// Prints the figures of each hub and the ratios and differences between hubs, over all rounds, and returns them as
/// JSON. Only turns of the same round are compared.
fn compare(contenders: &[Contender]) -> Value {
    let mut compared = Map::new();
    let mut tell = |what: String, values: Vec<f64>| {
        let spread = Spread::of(values);
        println!("{what}: {spread}");
        compared.insert(what, json!(spread));
    };
    for contender in contenders {
        for (place, (_, head)) in FIGURES.iter().enumerate() {
            tell(format!("{}, {}: {head}", contender.version, contender.log), contender.figure(place).collect());
        }
    }
    let versions: Vec<(&Contender, &Contender)> = contenders.chunks_exact(2).map(|logs| (&logs[0], &logs[1])).collect();
    let durability = |(memory, disk): (&Contender, &Contender)| -> Vec<f64> {
        disk.figure(CPU).zip(memory.figure(CPU)).map(|(disk, memory)| disk - memory).collect()
    };
    for (memory, disk) in &versions {
        let rates = disk.figure(RATE).zip(memory.figure(RATE));
        tell(
            format!("{}: publications per second with the log on disk, divided by those in memory", disk.version),
            rates.map(|(disk, memory)| disk / memory).collect(),
        );
        tell(
            format!("{}: CPU time per publication with the log on disk, minus that in memory, µs", disk.version),
            durability((memory, disk)),
        );
    }
    if let [before, now] = versions[..] {
        for (before, now) in [(before.0, now.0), (before.1, now.1)] {
            for place in [RATE, CPU] {
                let turns = now.figure(place).zip(before.figure(place));
                let ratios = turns.map(|(now, before)| now / before).collect();
                tell(format!("{} log: {} now, divided by that before", now.log, FIGURES[place].1), ratios);
            }
        }
        let ratios = durability(now).into_iter().zip(durability(before)).map(|(now, before)| now / before).collect();
        tell("CPU time per publication, disk minus memory: the difference now, divided by that before".into(), ratios);
    }
    compared.into()
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn tenths(value: f64) -> Value {
    json!((value * 10.0).round() / 10.0)
}
