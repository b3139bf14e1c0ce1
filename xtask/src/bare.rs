//! The format of event streams for programs that have `core` and `alloc` alone.
use crate::program::{cargo, command, run, warn};

/// A processor without an operating system, for which there is no `std`: what needs it does not compile.
const TARGET: &str = "thumbv7em-none-eabi";

/// Checks the crate for that target, which is installed if it is missing. If it cannot be installed the check is left
/// out, with a warning.
///
/// # Errors
/// If it does not compile.
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
    println!("missing: the target {TARGET}; installs it with rustup");
    run(&mut command("rustup", &["target", "add", TARGET]))
}
