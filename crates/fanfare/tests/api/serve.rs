//! The words of `serve` at its start, and its end.
use crate::{
    hub::Hub,
    program::{Lines, SECRET, fanfare, run},
};
use std::{fs, path::PathBuf, process::Stdio};

/// A directory that is not there yet, and gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("fanfare-test-{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Not there, if the test failed early.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn it_says_where_it_is_and_what_to_do_next() {
    let hub = Hub::with(&["--memory", "--alias", "/sse=news,weather"]);
    let url = hub.url.clone();
    assert!(!url.ends_with(":0"), "{url}");
    let text = (0..8).map(|_| hub.lines.next()).collect::<Vec<_>>().join("\n");
    for part in [
        "in memory: it is lost when this process ends".to_owned(),
        "open: everybody who can reach this address".to_owned(),
        format!("{url}/sse (news, weather)"),
        format!("curl -d 'hello' {url}/topics/greetings"),
        format!("curl -N {url}/topics/greetings"),
    ] {
        assert!(text.contains(&part), "{text} lacks {part}");
    }
    assert_eq!(hub.stop().code, 0);
}

#[test]
fn with_a_key_the_printed_lines_carry_a_token() {
    let hub = Hub::with(&["--memory", "--key", SECRET]);
    let lines: Vec<String> = (0..6).map(|_| hub.lines.next()).collect();
    assert!(lines.iter().filter(|line| line.contains("Bearer $FANFARE_TOKEN")).count() == 2, "{lines:?}");
    assert!(!lines.concat().contains(SECRET), "{lines:?}");
}

#[test]
fn without_keys_the_clock_ticks() {
    let hub = Hub::with(&["--memory"]);
    let ticks = run(&["subscribe", "clock", "--hub", &hub.url, "-n", "2"]);
    assert_eq!((ticks.code, ticks.stdout.lines().count()), (0, 2), "{ticks:?}");
    assert!(ticks.stdout.contains("\"topics\":[\"clock\"]"), "{ticks:?}");
}

#[test]
fn what_is_published_outlives_the_process() {
    let data = Directory::new("outlives");
    let options = ["--data", data.path(), "--clock=false"];
    let hub = Hub::with(&options);
    let published = run(&["publish", "t", "kept", "--hub", &hub.url]);
    assert_eq!((published.code, hub.stop().code), (0, 0));
    let hub = Hub::with(&options);
    let held = run(&["subscribe", "t", "--hub", &hub.url, "--last-event-id", "earliest", "-n", "1"]);
    assert!(held.stdout.contains("\"data\":\"kept\"") && held.stdout.contains(published.stdout.trim_end()), "{held:?}");
}

#[test]
fn a_log_that_another_hub_has_is_told() {
    let data = Directory::new("in-use");
    let _hub = Hub::with(&["--data", data.path()]);
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.path()]);
    assert_eq!((second.code, second.stdout.as_str()), (1, ""));
    assert!(second.stderr.contains("another hub has the log in"), "{second:?}");
}

/// Subscribers must not keep the process from stopping: they are sent away to reconnect.
#[test]
fn it_stops_while_somebody_subscribes() {
    let hub = Hub::start();
    let mut command = fanfare();
    command.args(["subscribe", "t", "--hub", &hub.url, "--last-event-id", "earliest"]);
    let mut subscriber = command.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(run(&["publish", "t", "x", "--hub", &hub.url]).code, 0);
    // It has what was published, and so is there.
    Lines::of(subscriber.stdout.take().unwrap()).next();
    assert_eq!(hub.stop().code, 0);
    subscriber.kill().unwrap();
    subscriber.wait().unwrap();
}
