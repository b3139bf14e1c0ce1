//! The circumstances that every recorded run tells: where and when it was made.
use serde_json::{Value, json};
use std::{fs, process::Command};

/// The machine, the commit and the command of this run.
#[must_use]
pub fn circumstances() -> Value {
    let mut all = machine();
    all["commit"] = json!(git(&["rev-parse", "--short", "HEAD"]));
    all["arguments"] = json!(std::env::args().skip(1).collect::<Vec<_>>());
    all
}

/// The machine, and how busy it is.
#[must_use]
pub fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "machine": format!("{} x {}", cpu.matches("processor\t").count(), model.trim_start_matches(['\t', ':', ' '])),
        "kernel": kernel.trim(),
        // Of the last 1, 5 and 15 minutes.
        "load": load.split_whitespace().take(3).collect::<Vec<_>>(),
    })
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
