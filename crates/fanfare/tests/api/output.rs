//! Output that nobody reads, and output that cannot be written.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Ended, SECRET, end, fanfare, run_with_input, signal},
};
use std::{fs, io, path::PathBuf, process::Stdio};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 1\ndata: x\n\n";

/// The directory of a log with one update, gone with the test.
struct Log(PathBuf);

impl Log {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fanfare-test-{}-output-{name}", std::process::id()));
        let hub = Hub::with(&["--data", path.to_str().unwrap(), "--clock=false"]);
        let mut publish = fanfare();
        publish.args(["publish", "t", "x", "--hub", &hub.url]).stdout(Stdio::null());
        assert!(publish.status().unwrap().success());
        assert_eq!(hub.stop().code, 0);
        Self(path)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Every command that prints something, and ends by itself.
fn commands(hub: &Hub, log: &Log, peer: &Peer) -> Vec<Vec<String>> {
    let (hub, log, peer) = (&hub.url, log.0.to_str().unwrap(), &peer.url);
    let commands: [&[&str]; 18] = [
        &["--version"],
        &["--help"],
        &["help", "serve"],
        &["serve", "--help"],
        &["options", "example"],
        &["options", "reference"],
        &["serve", "--check"],
        &["check"],
        &["check", "--token", "a.b.c"],
        &["token", "--publish", "*", "--key", SECRET],
        &["publish", "t", "x", "--hub", hub],
        &["publish", "t", "x", "--every", "1s", "--hub", hub],
        &["subscribe", peer, "-n", "1"],
        &["subscribe", peer, "-n", "1", "--format", "pretty"],
        &["log", "ls", log],
        &["log", "export", log],
        &["log", "verify", log],
        &["load", "--subscribers", "1", "--seconds", "1", "--rate", "5"],
    ];
    commands.map(|command| command.iter().map(|&part| part.to_owned()).collect()).into()
}

fn run_to(stdout: impl Into<Stdio>, stderr: impl Into<Stdio>, command: &[String]) -> Ended {
    end(fanfare().args(command).stdout(stdout).stderr(stderr).spawn().unwrap())
}

/// A pipe whose reader has closed it, as `head` does.
fn closed() -> io::PipeWriter {
    io::pipe().unwrap().1
}

#[test]
fn a_reader_may_leave() {
    let (hub, log, peer) = (Hub::start(), Log::new("closed"), Peer::answering([STREAM, STREAM]));
    for command in commands(&hub, &log, &peer) {
        let ended = run_to(closed(), Stdio::piped(), &command);
        assert_eq!(ended.code, 0, "{command:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("error:"), "{command:?}: {ended:?}");
    }
    // What a stream lacks is told by the exit code.
    let ended = run_to(closed(), Stdio::piped(), &["lint".to_owned(), Peer::answering([STREAM; 3]).url]);
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("print"), "{ended:?}");
}

/// A hub is not there to be read.
#[test]
fn a_hub_goes_on_without_its_reader() {
    let address = fanfare_load::port::reserve().unwrap().to_string();
    let mut command = fanfare();
    command.args(["serve", "--memory", "--listen", &address]).stdout(closed()).stderr(Stdio::piped());
    let hub = command.spawn().unwrap();
    // Lines wait for a hub that does not listen yet.
    let published = run_with_input(&["publish", "t", "-", "--reconnect", "always", "--hub", &address], "x\n");
    assert_eq!(published.code, 0, "{published:?}");
    signal(i32::try_from(hub.id()).unwrap(), "TERM");
    assert_eq!(end(hub).code, 0);
}

#[cfg(target_os = "linux")]
fn full() -> fs::File {
    fs::File::options().write(true).open("/dev/full").unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let (hub, log, peer) = (Hub::start(), Log::new("full"), Peer::answering([STREAM, STREAM]));
    let lint = vec!["lint".to_owned(), Peer::answering([STREAM; 3]).url];
    for command in commands(&hub, &log, &peer).into_iter().chain([lint]) {
        let ended = run_to(full(), Stdio::piped(), &command);
        assert_eq!(ended.code, 1, "{command:?}: {ended:?}");
        assert!(ended.stderr.contains("error: cannot print"), "{command:?}: {ended:?}");
        assert!(ended.stderr.contains("No space left on device"), "{command:?}: {ended:?}");
    }
}

/// Messages that cannot be written change nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_command_goes_on_without_its_messages() {
    let cases: [(&[&str], i32); 6] = [
        (&["check", "--nonsense"], 2),
        (&["check", "--max-topics", "0"], 2),
        (&["publish", "t", "x", "--hub", "http://127.0.0.1:1"], 5),
        (&["subscribe", "http://127.0.0.1:1", "--verbose"], 5),
        (&["check", "--key", SECRET], 0),
        (&["token", "--publish", "*", "--key", SECRET], 0),
    ];
    for (command, code) in cases {
        let command: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
        assert_eq!(run_to(Stdio::piped(), full(), &command).code, code, "{command:?}");
    }
    // A hub goes on without its log.
    let address = fanfare_load::port::reserve().unwrap().to_string();
    let mut command = fanfare();
    command.args(["serve", "--memory", "--listen", &address, "--log-level", "trace"]).stdout(Stdio::null());
    let hub = command.stderr(full()).spawn().unwrap();
    let publish = ["publish", "t", "x", "--reconnect", "always", "--every", "100ms", "-n", "2", "--hub", &address];
    assert_eq!(run_to(Stdio::piped(), Stdio::piped(), &publish.map(str::to_owned)).code, 0);
    signal(i32::try_from(hub.id()).unwrap(), "TERM");
    assert_eq!(end(hub).code, 0);
}
