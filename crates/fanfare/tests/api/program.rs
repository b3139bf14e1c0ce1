//! The program under test.
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The longest time that anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A secret that is long enough.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The results of a run of the program.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub code: i32,
    /// The text on standard output.
    pub stdout: String,
    /// The text on standard error.
    pub stderr: String,
}

/// The program, with none of the variables that the tester's own shell may have for it, or for the width of its help.
pub(crate) fn fanfare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    let meant_for_a_hub =
        |name: &str| name.starts_with("FANFARE_") || name.starts_with("MERCURE_") || name.ends_with("JWT_KEY");
    for (name, _) in std::env::vars().filter(|(name, _)| meant_for_a_hub(name)) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env_remove("COLUMNS").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    run_with_input(arguments, "")
}

/// Runs the program to its end, with `input` piped in.
pub(crate) fn run_with_input(arguments: &[&str], input: &str) -> Ended {
    let mut command = fanfare();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program that does not read its input closes the pipe.
    thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    end(child)
}

/// Waits for the end of the program, which is killed when that takes too long.
pub(crate) fn end(child: Child) -> Ended {
    let id = i32::try_from(child.id()).unwrap();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(PATIENCE) else {
        signal(id, "KILL");
        panic!("the program did not end within {PATIENCE:?}");
    };
    let output = output.unwrap();
    let killed = || panic!("it was killed: {}, {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ended {
        code: output.status.code().unwrap_or_else(killed),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal to one process.
pub(crate) fn signal(id: i32, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), id.to_string()]).status().unwrap().success());
}

/// The lines of a running program's output, each within [`PATIENCE`].
#[derive(Debug)]
pub(crate) struct Lines(mpsc::Receiver<String>);

impl Lines {
    pub(crate) fn of(stdout: ChildStdout) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.into_iter().try_for_each(|line| sender.send(line))
        });
        Self(lines)
    }

    pub(crate) fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// The lines up to the end of the output.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
