//! The documents that are made from the definitions of the options of `fanfare serve`.
use crate::program::{cargo, command, root, run, target};
use std::fs;

/// The documents: for each, the name by which `fanfare options` prints it, and the path of its file.
const DOCUMENTS: [(&str, &str); 2] = [("example", "examples/fanfare.toml"), ("reference", "docs/options.md")];

/// Builds the program, and writes each document to its file.
///
/// # Errors
/// A message about what failed.
pub(crate) fn print() -> Result<(), String> {
    run(&mut cargo(&["build", "--workspace", "--bin", "fanfare", "--locked"]))?;
    let program = target().join("debug/fanfare");
    for (document, path) in DOCUMENTS {
        let printed = command(&program.to_string_lossy(), &["options", document]).output();
        let printed = printed.map_err(|error| format!("fanfare cannot be run: {error}"))?;
        if !printed.status.success() {
            return Err(format!("fanfare options {document} ended with {}", printed.status));
        }
        fs::write(root().join(path), printed.stdout).map_err(|error| format!("{path}: {error}"))?;
        println!("{path}");
    }
    Ok(())
}
