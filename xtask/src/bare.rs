//! Checks that the crate for the format of event streams compiles for programs that have only `core` and `alloc`.
use crate::program::{cargo, command, run, warn};

/// A processor without an operating system. There is no `std` for it, so code that needs `std` does not compile.
const TARGET: &str = "thumbv7em-none-eabi";

/// Checks the crate for [`TARGET`], which is installed if it is missing. If the target cannot be installed, the check
/// is left out, with a warning.
///
/// # Errors
/// If the crate does not compile.
pub(crate) fn check() -> Result<(), String> {
    if let Err(why) = install() {
        warn(format!("NO CHECK WITHOUT STD: the target {TARGET} could not be installed: {why}"));
        return Ok(());
    }
    let package = ["check", "--locked", "--package", "fanfare-event-stream", "--no-default-features"];
    run(cargo(&package).args(["--target", TARGET]))
}

fn install() -> Result<(), String> {
    let print = ["--print", "target-libdir", "--target", TARGET];
    let output = command("rustc", &print).output().map_err(|error| format!("rustc: {error}"))?;
    let directory = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if std::path::Path::new(&directory).is_dir() {
        return Ok(());
    }
    println!("missing: the target {TARGET}; installing it with rustup");
    run(&mut command("rustup", &["target", "add", TARGET]))
}
