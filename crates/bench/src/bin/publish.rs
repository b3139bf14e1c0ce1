//! What durability costs a publisher: the same load on a hub whose log is on disk and on one whose log is in memory.
//!
//! `cargo run --release -p fanfare-bench --bin publish [-- --smoke]`, after `cargo build --release`. Prints a table and one
//! line of JSON. The two hubs take turns, so that a machine that gets busy gets busy for both.
use fanfare_bench::{
    epoch::Epoch,
    process::HubProcess,
    publish::{Counts, Plan, Published, Publishing},
    recipe::Recipe,
    report,
    server::fanfare,
    target::Naming,
};
use serde_json::json;
use std::{env, io, path::PathBuf, thread, time::Duration};

const CONNECTIONS: u32 = 64;
const DATA_BYTES: usize = 200;

fn main() -> io::Result<()> {
    let smoke = env::args().any(|argument| argument == "--smoke");
    let (rounds, time) = if smoke { (1, Duration::from_millis(300)) } else { (7, Duration::from_secs(4)) };
    let binary = fanfare();
    let directory = PathBuf::from(format!("target/bench-data-{}", std::process::id()));
    let memory = HubProcess::start(&binary, &["--memory"])?;
    let disk = HubProcess::start(&binary, &["--data", &directory.to_string_lossy()])?;
    println!("{CONNECTIONS} connections, {DATA_BYTES} bytes, {rounds} rounds of {time:?}");
    println!("{:>8} {:>12} {:>9} {:>9} {:>14}", "log", "publishes/s", "p50 µs", "p99 µs", "CPU µs/publish");
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..rounds {
        let mut rates = [0.0; 2];
        for (rate, (name, hub)) in rates.iter_mut().zip([("memory", &memory), ("disk", &disk)]) {
            let before = hub.meter().cpu()?;
            let published = publish_for(hub, time)?;
            let row = row(name, &published, hub.meter().cpu()? - before);
            *rate = published.rate();
            rows.push(row);
        }
        ratios.push(rates[1] / rates[0]);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!("disk / memory: {median:.2} (median of {rounds}; {:.2} to {:.2})", ratios[0], ratios[ratios.len() - 1]);
    println!(
        "{}",
        json!({ "bench": "publish", "run": report::circumstances(), "disk_over_memory": median, "rounds": rows })
    );
    drop((memory, disk));
    std::fs::remove_dir_all(directory)
}

fn publish_for(hub: &HubProcess, time: Duration) -> io::Result<Published> {
    let target = Recipe::Fanfare.target(&format!("http://{}", hub.address));
    let target = target.map_err(|error| io::Error::other(error.to_string()))?;
    let (topics, publishers) = (1, CONNECTIONS);
    let plan = Plan { naming: Naming::Exact, topics, publishers, rate: None, count: None, bytes: DATA_BYTES };
    let publishing = Publishing::start(&target, plan, Epoch::now(), &Counts::new(topics, publishers));
    thread::sleep(time);
    publishing.stop()
}

fn row(name: &str, published: &Published, cpu: Duration) -> serde_json::Value {
    let (p50, p99) = (published.latencies.quantile(0.5).as_micros(), published.latencies.quantile(0.99).as_micros());
    #[allow(clippy::cast_precision_loss, reason = "a count of publications is far below 2^52")]
    let cpu_us = cpu.as_secs_f64() * 1e6 / published.count.max(1) as f64;
    println!("{name:>8} {:>12.0} {p50:>9} {p99:>9} {cpu_us:>14.1}", published.rate());
    json!({ "log": name, "publishes_per_s": published.rate().round(), "p50_us": p50, "p99_us": p99, "cpu_us": cpu_us })
}
