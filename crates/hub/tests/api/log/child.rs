//! This test binary, run again as a process that can be killed.
use std::{
    env,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

const DIR: &str = "TEST_FANFARE_LOG";

/// The command that runs the test `name` alone, in the role of a child, on the log in `dir`.
pub fn command(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(DIR, dir);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The log of the parent, if this process is a child.
pub fn log() -> Option<PathBuf> {
    env::var_os(DIR).map(PathBuf::from)
}

/// A name for this process that no other one has: the number of a process is given out again.
pub fn name() -> String {
    let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{}-{}", process::id(), begun.as_nanos())
}
