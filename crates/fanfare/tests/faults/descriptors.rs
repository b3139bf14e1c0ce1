//! A process that may open fewer files than there may be subscribers.
use crate::{hub, killed::Killed, peer::Publisher};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    num::NonZero,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The files that the hub may open, beside those of its threads.
const FILES: usize = 300;
/// More than the files that the hub opens for each processor.
const FILES_PER_PROCESSOR: usize = 16;
const PATIENCE: Duration = Duration::from_secs(20);
/// The shortest time between two warnings.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Subscribers leave some files to publishers and to probes, and the hub does not log each refusal.
#[test]
fn publishers_and_probes_get_in_when_subscribers_have_taken_their_files() {
    let mut command = Command::new("sh");
    let files = FILES + FILES_PER_PROCESSOR * thread::available_parallelism().map_or(1, NonZero::get);
    let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_fanfare"), "serve", "--listen", "127.0.0.1:0", "--memory"]);
    command.args(["--clock", "false"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut hub = Killed(command.spawn().unwrap());
    let address = hub::address(hub.0.stdout.as_mut().unwrap());
    let stderr = BufReader::new(hub.0.stderr.take().unwrap());
    let (told, tells) = mpsc::channel();
    thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
    let begins = "so there may be ";
    let warning = loop {
        let line = tells.recv_timeout(PATIENCE).expect("a warning that there are few files");
        if line.contains(begins) {
            break line;
        }
    };
    assert!(warning.contains(&format!("only {files} files may be open")), "{warning}");
    let limit: usize = warning.split(begins).nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(limit > FILES / 3 && limit < files / 2, "half of the files that the hub has not opened itself: {warning}");
    let began = Instant::now();
    let mut subscribers: Vec<TcpStream> = Vec::new();
    let mut turned_away = 0;
    for _ in 0..2 * files {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(b"GET /topics/a HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        // The head, and the beginning of the body: a comment, or the time to wait.
        let mut answer = String::new();
        while answer.split_once("\r\n\r\n").is_none_or(|(_, body)| body.is_empty()) {
            let mut bytes = [0; 512];
            let length = socket.read(&mut bytes).unwrap();
            assert!(length > 0, "{answer}");
            answer.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "an error would end an EventSource for good: {answer}");
        turned_away += usize::from(answer.contains("\r\n\r\nretry: "));
        subscribers.push(socket);
    }
    assert_eq!(2 * files - turned_away, limit, "{warning}");
    for _ in 0..20 {
        let mut publisher = Publisher::connect(address).unwrap();
        publisher.publish("a", "text/plain", "hello").unwrap();
        let mut probe = TcpStream::connect(address).unwrap();
        probe.set_read_timeout(Some(PATIENCE)).unwrap();
        probe.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        probe.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
    crate::stopping::terminate(&mut hub.0, PATIENCE);
    let lines: Vec<String> = tells.iter().collect();
    let warnings = lines.iter().filter(|line| line.contains("WARN") && line.contains("limit of subscribers")).count();
    let most = 1 + began.elapsed().as_secs() / WARNING_INTERVAL.as_secs();
    assert!(warnings > 0 && warnings as u64 <= most, "{lines:?}");
}
