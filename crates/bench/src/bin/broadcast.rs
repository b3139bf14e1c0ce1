//! What a delivery costs: one topic, many subscribers, and a hub beside a bare loop of `write(2)` under the same
//! load, and beside one that sends through io_uring where the kernel has it.
//!
//! `cargo run --release -p fanfare-bench --bin broadcast [-- --smoke]`, after `cargo build --release`. Prints a table and one
//! line of JSON. They take turns, each time as a fresh process, so that a machine that gets busy gets busy for both. Each
//! subscriber checks that it gets every event once and in order; the run fails if one does not.
use clap::{Parser, Subcommand, value_parser};
use fanfare_bench::{
    bare_uring, bare_write,
    broadcast::{Load, Turn},
    process::HubProcess,
    report,
    stamp::MIN_DATA_BYTES,
};
use serde_json::{Value, json};
use std::{
    env, fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// CPU per delivery, latency, and memory per idle subscriber, beside a bare loop of write(2).
#[derive(Clone, Parser)]
struct Options {
    /// Subscribers of the one topic. Each is an open file of this process and one of the hub's.
    #[arg(long, default_value_t = 5_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    subscribers: u32,
    /// Events a second.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Seconds of publishing in each turn.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Bytes of data in each event: 42, which a sequence number and a time may take, to 65536.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(MIN_DATA_BYTES as i64..=65_536))]
    bytes: u32,
    /// Turns of each.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Run for a moment with few subscribers, to see that everything works. The figures mean nothing.
    #[arg(long)]
    smoke: bool,
    #[command(subcommand)]
    baseline: Option<Baseline>,
}

#[derive(Clone, Copy, Subcommand)]
enum Baseline {
    /// The bare loop, which a run starts by itself.
    #[command(hide = true)]
    BareWrite,
    /// The bare loop through io_uring, likewise.
    #[command(hide = true)]
    BareUring,
}

#[derive(Clone, Copy)]
enum Server {
    BareWrite,
    BareUring,
    Fanfare,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("broadcast: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut options = Options::parse();
    match options.baseline {
        Some(Baseline::BareWrite) => return bare_write::serve(TcpListener::bind("127.0.0.1:0")?),
        Some(Baseline::BareUring) => return bare_uring::serve(TcpListener::bind("127.0.0.1:0")?),
        None => {}
    }
    if options.smoke {
        options = Options { subscribers: 200, rate: 50, seconds: 1, rounds: 1, ..options };
    }
    let Options { subscribers, rate, seconds, bytes, rounds, smoke, .. } = options;
    let load = Load { subscribers, rate, seconds, bytes, idle: Duration::from_millis(if smoke { 100 } else { 500 }) };
    print_head(&load, rounds);
    let (mut costs, mut rows) = ([const { Vec::new() }; 3], Vec::new());
    for round in 0..rounds {
        let mut order = vec![Server::BareWrite, Server::Fanfare];
        if bare_uring::is_available() {
            order.insert(1, Server::BareUring);
        }
        // Who goes first alternates: the later find warmer caches.
        if round % 2 == 1 {
            order.reverse();
        }
        for server in order {
            let turn = server.turn(&load)?;
            costs[server as usize].push(micros_each(turn.cpu, turn.deliveries));
            rows.push(row(server.name(), &turn, subscribers));
        }
    }
    let [write, uring, fanfare] = &costs;
    let median = ratio("fanfare / bare write", fanfare, write);
    let uring_over_write = ratio("bare io_uring / bare write", uring, write);
    let over_uring = ratio("fanfare / bare io_uring", fanfare, uring);
    let load = json!({ "subscribers": subscribers, "rate": rate, "seconds": seconds, "bytes": bytes });
    let run = report::circumstances();
    println!(
        "{}",
        json!({ "bench": "broadcast", "run": run, "load": load, "fanfare_over_bare_write": median,
            "fanfare_over_bare_uring": over_uring, "bare_uring_over_bare_write": uring_over_write, "rounds": rows })
    );
    Ok(())
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::BareWrite => "bare write",
            Self::BareUring => "bare uring",
            Self::Fanfare => "fanfare",
        }
    }

    /// Measures it in a process of its own.
    fn turn(self, load: &Load) -> io::Result<Turn> {
        let data = PathBuf::from(format!("target/bench-data-{}", std::process::id()));
        let turn = self.start(load.subscribers, &data).and_then(|hub| Turn::run(self.name(), &hub, load));
        if data.exists() {
            fs::remove_dir_all(data)?;
        }
        turn.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.name())))
    }

    fn start(self, subscribers: u32, data: &Path) -> io::Result<HubProcess> {
        let bare = |name| {
            let mut command = Command::new(env::current_exe()?);
            command.arg(name);
            HubProcess::launch(command)
        };
        match self {
            Self::BareWrite => bare("bare-write"),
            Self::BareUring => bare("bare-uring"),
            Self::Fanfare => {
                let binary =
                    env::var_os("FANFARE_BIN").map_or_else(|| PathBuf::from("target/release/fanfare"), PathBuf::from);
                // One more for the subscriber of the warm-up, which the hub may not yet have noticed to have left.
                let most = (subscribers + 1).to_string();
                HubProcess::start(&binary, &["--data", &data.to_string_lossy(), "--max-subscribers", &most])
            }
        }
    }
}

fn print_head(load: &Load, rounds: u32) {
    let Load { subscribers, rate, seconds, bytes, .. } = load;
    println!("{subscribers} subscribers, {rate} events/s of {bytes} bytes for {seconds} s, rounds: {rounds}");
    println!(
        "{:>10} {:>15} {:>8} {:>8} {:>8} {:>11} {:>10} {:>11} {:>14} {:>17}",
        "server",
        "CPU µs/delivery",
        "p50 ms",
        "p99 ms",
        "max ms",
        "events/read",
        "idle bytes",
        "after bytes",
        "CPU µs/connect",
        "generator CPU µs"
    );
}

/// Prints the line of the table, and gives that of the JSON.
fn row(name: &str, turn: &Turn, subscribers: u32) -> Value {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (p50, p99, max) = (turn.latencies.quantile(0.5), turn.latencies.quantile(0.99), turn.latencies.max());
    let (p50, p99, max) = (ms(p50), ms(p99), ms(max));
    let cpu = micros_each(turn.cpu, turn.deliveries);
    let connect = micros_each(turn.connect_cpu, subscribers.into());
    let generator = micros_each(turn.generator_cpu, turn.deliveries);
    let bytes_each = |bytes: u64| bytes.saturating_sub(turn.idle_bytes) / u64::from(subscribers);
    let (idle, served) = (bytes_each(turn.connected_bytes), bytes_each(turn.served_bytes));
    let events_per_read = as_f64(turn.deliveries) / as_f64(turn.reads.max(1));
    println!(
        "{name:>10} {cpu:>15.2} {p50:>8.2} {p99:>8.2} {max:>8.2} {events_per_read:>11.2} {idle:>10} {served:>11} {connect:>14.1} \
         {generator:>17.2}"
    );
    json!({
        "server": name,
        "deliveries": turn.deliveries,
        "events_per_read": events_per_read,
        "cpu_us_per_delivery": cpu,
        "latency_ms": { "p50": p50, "p99": p99, "max": max },
        "publisher_latest_ms": ms(turn.publisher_latest),
        "idle_pss_bytes": turn.idle_bytes,
        "connected_pss_bytes": turn.connected_bytes,
        "served_pss_bytes": turn.served_bytes,
        "pss_bytes_per_subscriber": { "idle": idle, "after_events": served },
        "cpu_us_per_connect": connect,
        "generator_cpu_us_per_delivery": generator,
    })
}

/// The median over the rounds of one cost over another, which it prints; `None` if there were no rounds of one.
fn ratio(name: &str, costs: &[f64], base: &[f64]) -> Option<f64> {
    let mut ratios: Vec<f64> = costs.iter().zip(base).map(|(cost, base)| cost / base).collect();
    ratios.sort_by(f64::total_cmp);
    let (rounds, median) = (ratios.len(), *ratios.get(ratios.len() / 2)?);
    let (least, most) = (ratios[0], ratios[rounds - 1]);
    println!("CPU per delivery, {name}: {median:.2} (median of {rounds}; {least:.2} to {most:.2})");
    Some(median)
}

/// Microseconds for each of this many.
fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / as_f64(count.max(1))
}

fn as_f64(count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "counts of deliveries are far below 2^52")]
    let count = count as f64;
    count
}
