//! Prints the result of `fanfare load` as a table, and as one line of JSON.
use crate::{stderr, stdout};
use fanfare_load::{
    machine,
    meter::Meter,
    scenario::{Outcome, Scenario, Size},
    target::Target,
};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write};

/// Before the scenario is run, prints its name, the number of subscribers and the address of the server. Prints nothing
/// if standard error is not a terminal.
pub(super) fn begin(scenario: Scenario, size: Size, target: &Target, meter: Option<Meter>) {
    if !io::stderr().is_terminal() {
        return;
    }
    let process = match meter {
        Some(meter) => format!("process {}", meter.process),
        None => "CPU and memory are unknown: give --pid".to_owned(),
    };
    let (name, address, subscribers) = (scenario.name(), target.subscribe.address, size.subscribers);
    stderr::print(format_args!("{name}: {subscribers} subscribers at {address} ({process})\n"));
}

/// Prints a table of the figures and faults for people, and everything as one line of JSON on standard output. If
/// standard output is not a terminal, the table goes to standard error, so that standard output contains only the JSON.
///
/// # Errors
/// [`io::Error`] if the result cannot be printed, except if the reader has closed the output.
pub(super) fn end(scenario: Scenario, size: Size, outcome: &Outcome) -> io::Result<()> {
    stdout::unless_closed(write(scenario, size, outcome)).map(drop)
}

fn write(scenario: Scenario, size: Size, outcome: &Outcome) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    if io::stdout().is_terminal() {
        table(&mut output, outcome)?;
    } else {
        // An error is ignored: if standard error is closed, the JSON is enough.
        let _ = table(&mut anstream::stderr().lock(), outcome);
    }
    let mut line = json!({
        "load": scenario.name(),
        "fanfare": env!("CARGO_PKG_VERSION"),
        "machine": machine::machine(),
        "size": size,
    });
    if let (Value::Object(line), Value::Object(figures)) = (&mut line, outcome.json()) {
        line.extend(figures);
    }
    writeln!(output, "{line}")
}

fn table(output: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let width = outcome.figures.iter().map(|figure| figure.label.chars().count()).max().unwrap_or(0);
    for figure in &outcome.figures {
        writeln!(output, "{:width$}  {:>12}", figure.label, number(figure.value))?;
    }
    writeln!(output, "{:width$}  {:>12}", "faults", outcome.faults.to_string())?;
    outcome.faults.examples.iter().try_for_each(|example| writeln!(output, "  {example}"))
}

/// Formats a number: without decimals if it is 100 or more, otherwise with two decimals.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
