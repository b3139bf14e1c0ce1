//! `cargo xtask`: the single command for everything that CI runs.
//!
//! `cargo xtask test` runs the [`steps`], each with its name and its time. It continues if a step fails, and ends with
//! a line that counts the failures. Before that it installs what the machine lacks and says so. This program depends
//! only on `std`, so that it builds within seconds.
#![forbid(unsafe_code)]

mod alone;
mod bare;
mod deny;
mod docs;
mod fuzz;
mod install;
mod interop;
mod limits;
mod links;
mod minimum;
mod node;
mod options;
mod package;
mod program;
mod sanitize;
mod shape;
mod steps;

use std::{fmt::Display, process::ExitCode};
use steps::{STEPS, Step};

const USAGE: &str = "\
cargo xtask test                  run everything that CI runs
cargo xtask test --only STEP ...  run some of it
cargo xtask list                  show the steps
cargo xtask compare [OPTION ...]  install other servers, and compare the hub with them
cargo xtask options               update the documents about the options of `fanfare serve`
cargo xtask limits                update the document about the limits
cargo xtask shape [--lists]       count lines, circles of imports, and comments that do not begin with a noun or verb";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            STEPS.iter().for_each(|step| println!("{:10} {}", step.name, step.what));
            ExitCode::SUCCESS
        }
        ["test"] => steps::run(&STEPS.iter().collect::<Vec<_>>()),
        ["test", "--only", ref names @ ..] if !names.is_empty() => match named(names) {
            Ok(steps) => steps::run(&steps),
            Err(unknown) => usage(&format!("there is no step '{unknown}': see cargo xtask list")),
        },
        ["compare", ref options @ ..] => told(steps::compare(options)),
        ["options"] => told(options::print()),
        ["limits"] => told(limits::print()),
        ["shape", ref options @ ..] if options.iter().all(|option| *option == "--lists") => {
            told(shape::print(!options.is_empty()))
        }
        _ => usage("wrong arguments"),
    }
}

/// Returns the steps with these names, in the order of [`STEPS`].
fn named(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    match names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        Some(unknown) => Err((*unknown).to_owned()),
        None => Ok(STEPS.iter().filter(|step| names.contains(&step.name)).collect()),
    }
}

/// Returns the exit code for a result, and prints the error if there is one.
fn told(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(error: &str) -> ExitCode {
    eprintln!("error: {error}\n\n{USAGE}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_by_name_and_keep_their_order() {
        let found: Vec<&str> = named(&["test", "format"]).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(found, ["format", "test"]);
        assert_eq!(named(&["format", "tests"]).err().as_deref(), Some("tests"));
    }
}
