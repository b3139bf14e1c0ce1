//! The examples that newcomers copy do what they say. Each runs as a program, against the server that it brings.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
use std::{
    env,
    io::{self, Read},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

const EXAMPLES: [(&str, &str); 11] = [
    (
        "quick_start",
        "message None: hello\nadd Some(\"7\"): 73857293\nremove Some(\"8\"): 2153\nthe server has no more events\n",
    ),
    ("llm", "… Server-Sent Events.\n"),
    (
        "chat",
        "the server answered 401 Unauthorized\n> What is SSE?\nServer-Sent Events.\n> And what is it good for?\n\
         For answers like this one.\n",
    ),
    ("axum_proxy", "message at \"1\": one\nend at \"8\": bye\nthe server has no more events\n"),
    ("worker", "did 1\ndid 2\nfell over: job 3 is too hard\ndid 3\ndid 4\ndid 5\n"),
    ("token", "with the old token\nasked for a token\nwith the new token\n"),
    (
        "callbacks",
        "open: 200 OK\nmessage: hello\nerror: the server ended the stream; reconnecting in 100ms, Connecting\nopen: 200 OK\ntotal: 42\n",
    ),
    (
        "status",
        "connected to /\n  (alive)\n  1\nthe server ended the stream: next attempt in less than 1 s\n\
         the server answered 502 Bad Gateway: next attempt in less than 1 s\nconnected to /\n  2\n\
         the server ended the stream: next attempt in less than 1 s\nthe server has no more events\n",
    ),
    ("without_async", "1\n2\n"),
    ("own_transport", "GET http://recorded.example/events\nwhat the server said\nand what it said next\n"),
    ("manual_clock", "six minutes have passed\n"),
];

/// Beside the directory of this test: cargo builds examples with tests.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    let program = program.with_extension(env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is missing: cargo build --examples", program.display());
    program
}

/// Returns what it writes, and whether it succeeds. It has a minute.
fn run(name: &str) -> (String, String, bool) {
    // A proxy of the machine's has no part in it.
    let mut command = Command::new(program(name));
    command.env("NO_PROXY", "*").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (written, output) = mpsc::channel();
    thread::spawn(move || written.send((text(stdout), text(stderr))));
    let Ok((stdout, stderr)) = output.recv_timeout(Duration::from_secs(60)) else {
        child.kill().unwrap();
        panic!("{name} does not end");
    };
    (stdout, stderr, child.wait().unwrap().success())
}

fn text(pipe: impl Read) -> String {
    io::read_to_string(pipe).unwrap().replace("\r\n", "\n")
}

#[test]
fn every_example_says_what_it_should() {
    let check =
        |(name, expected): (&str, &str)| assert_eq!(run(name), (expected.into(), String::new(), true), "{name}");
    thread::scope(|scope| {
        EXAMPLES.map(|example| scope.spawn(move || check(example))).map(|checked| checked.join().unwrap())
    });
}

#[test]
fn no_example_is_left_out() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let names = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<_> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let mut tested = EXAMPLES.map(|(name, _)| name);
    tested.sort_unstable();
    assert_eq!(names, tested);
}
