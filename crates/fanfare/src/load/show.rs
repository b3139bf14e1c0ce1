//! The result as a table, and as one line of JSON.
use fanfare_bench::{
    meter::Meter,
    report,
    scenario::{Outcome, Scenario, Size},
    target::Target,
};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};

/// Says what is about to happen, to people.
pub(super) fn begin(scenario: Scenario, size: Size, target: &Target, meter: Option<Meter>) {
    if !io::stderr().is_terminal() {
        return;
    }
    let process = match meter {
        Some(meter) => format!("process {}", meter.process),
        None => "CPU and memory unknown: give --pid".to_owned(),
    };
    let (name, address, subscribers) = (scenario.name(), target.subscribe.address, size.subscribers);
    anstream::eprintln!("{name}: {subscribers} subscribers at {address} ({process})");
}

/// Prints the figures in their order, what went wrong, and everything as JSON.
pub(super) fn end(scenario: Scenario, size: Size, outcome: &Outcome) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    let width = outcome.figures.iter().map(|figure| figure.label.chars().count()).max().unwrap_or(0);
    for figure in &outcome.figures {
        writeln!(output, "{:width$}  {:>12}", figure.label, number(figure.value))?;
    }
    writeln!(output, "{:width$}  {:>12}", "faults", outcome.faults.to_string())?;
    for example in &outcome.faults.examples {
        writeln!(output, "  {example}")?;
    }
    let mut line = json!({
        "load": scenario.name(),
        "fanfare": env!("CARGO_PKG_VERSION"),
        "machine": report::machine(),
        "size": size,
    });
    if let (Value::Object(line), Value::Object(figures)) = (&mut line, outcome.json()) {
        line.extend(figures);
    }
    writeln!(output, "{line}")
}

/// Whole from a hundred up, else with two digits behind the point.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
