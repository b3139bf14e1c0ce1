//! The running of other programs from the root of the workspace. Each command is shown before it runs.
use std::{
    env,
    num::NonZero,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
};

/// The variable from which a test program reads how many of its tests run at the same time.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// Returns the directory of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Returns the directory where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |directory| root().join(directory))
}

/// Returns the command `cargo` with these arguments, from the toolchain that runs this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(&env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments);
    // `cargo run` has set these variables for this program, and the cargo that it starts must not see them.
    cargo.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
    cargo
}

/// Returns a command with these arguments.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Shows the command, runs it, and waits until it has ended.
///
/// # Errors
/// A message about a program that cannot be run, or that fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    println!("$ {name} {}", arguments.join(" "));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} cannot be run: {error}")),
    }
}

/// Makes a command that runs tests run two tests at a time for each processor, unless the environment sets another
/// number. Tests spend most of their time waiting: for a peer, a disk or a moment.
pub(crate) fn run_tests_two_by_two(command: &mut Command) -> &mut Command {
    if env::var_os(TEST_THREADS).is_none() {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        command.env(TEST_THREADS, (2 * processors).to_string());
    }
    command
}

/// Returns true if a program of this name is found on the path.
pub(crate) fn is_there(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}

/// Returns the platform that this toolchain builds for.
///
/// # Errors
/// If `rustc` does not print the platform.
pub(crate) fn host() -> Result<String, String> {
    let version = command("rustc", &["-vV"]).output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&version.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` did not print the platform that it builds for".into())
}

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints a warning now, and again when everything is done.
pub(crate) fn warn(what: String) {
    println!("warning: {what}");
    WARNINGS.lock().unwrap_or_else(PoisonError::into_inner).push(what);
}

/// Returns all warnings so far.
pub(crate) fn warnings() -> Vec<String> {
    WARNINGS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
