//! The circumstances of a recorded run: the machine, the commit and the command.
use fanfare_load::machine::machine;
use serde_json::{Value, json};
use std::process::Command;

/// Returns the machine, the commit and the command of this run.
#[must_use]
pub fn circumstances() -> Value {
    let mut all = machine();
    all["commit"] = json!(git(&["rev-parse", "--short", "HEAD"]));
    all["arguments"] = json!(std::env::args().skip(1).collect::<Vec<_>>());
    all
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
