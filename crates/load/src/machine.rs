//! The machine on which a run was made.
use serde_json::{Value, json};
use std::fs;

/// Returns a description of the machine: its processors, its kernel and its load averages.
#[must_use]
pub fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "machine": format!("{} x {}", cpu.matches("processor\t").count(), model.trim_start_matches(['\t', ':', ' '])),
        "kernel": kernel.trim(),
        // The three load averages are over the last 1, 5 and 15 minutes.
        "load": load.split_whitespace().take(3).collect::<Vec<_>>(),
    })
}
