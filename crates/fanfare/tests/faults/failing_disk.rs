//! A disk that fails: after an error of a sync the hub ends, since nobody knows what is on the disk, and the next one
//! goes on exactly. A hub without room, or without its files, stays, and says that it takes no updates.
use crate::{
    hub::Hub,
    peer::{PATIENCE, Publisher, Received, Subscriber},
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// The longest time that a hub takes to end after its disk has failed.
const IN_TIME: Duration = Duration::from_secs(10);

/// Calls `start`, and returns its result. In a process that it starts, these system calls always fail with this error.
fn with_failing<T: Send + 'static>(calls: &[i64], errno: i32, start: impl FnOnce() -> T + Send + 'static) -> T {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let in_thread = move || {
        let (arch, fails) = (std::env::consts::ARCH.try_into().unwrap(), SeccompAction::Errno(errno.unsigned_abs()));
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, fails, arch).unwrap();
        // The filter counts for this thread, and for the process that it starts.
        apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
        start()
    };
    thread::spawn(in_thread).join().unwrap()
}

fn restarted(mut hub: Hub) -> Hub {
    hub.restart();
    hub
}

/// Sends a request, and returns the status and the body of the answer.
fn ask(hub: SocketAddr, method_and_target: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(hub).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(socket, "{method_and_target} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn health(hub: &Hub, question: &str) -> (u16, String) {
    ask(hub.address, &format!("GET /health/{question}"), "")
}

fn data(events: &[Received]) -> Vec<&str> {
    events.iter().map(|event| event.data.as_str()).collect()
}

/// Any error of a sync ends the hub, also one that says that the disk is full: the system may have dropped what it
/// could not write.
#[test]
fn a_hub_that_cannot_sync_ends_and_the_next_one_goes_on() {
    for errno in [libc::EIO, libc::ENOSPC, libc::EDQUOT] {
        // The first update begins a file, which is synced with another call.
        let mut hub = with_failing(&[libc::SYS_fdatasync], errno, || Hub::start(&[]));
        let mut publisher = Publisher::connect(hub.address).unwrap();
        let acknowledged = publisher.publish("a", "text/plain", "1").unwrap();
        let mut subscriber = Subscriber::connect(hub.address, "a", Some("earliest")).unwrap();
        let first = subscriber.receive_count(1);
        assert_eq!((data(&first), first[0].id.as_str()), (vec!["1"], acknowledged.trim_end()));
        let (status, answer) = ask(hub.address, "POST /topics/a", "2");
        assert_eq!(status, 503, "{answer}");
        let begun = Instant::now();
        assert!(subscriber.receive(&mut Vec::new()).is_err(), "its stream ends, and nothing else comes");
        assert_eq!(hub.ended(IN_TIME), Some(1), "errno {errno}");
        println!("errno {errno}: ended after {:.1?}", begun.elapsed());
        hub.restart();
        let mut publisher = Publisher::connect(hub.address).unwrap();
        publisher.publish("a", "text/plain", "3").unwrap();
        let mut resumed = Subscriber::connect(hub.address, "a", Some(acknowledged.trim_end())).unwrap();
        let mut events = Vec::new();
        while events.last().is_none_or(|last: &Received| last.data != "3") {
            resumed.receive(&mut events).unwrap();
        }
        // The update that was refused may be in the log or not.
        assert!(matches!(&data(&events)[..], ["3"] | ["2", "3"]), "{events:?}");
    }
}

/// An erasure is a sync of the log, too.
#[test]
fn a_hub_that_cannot_sync_an_erasure_ends() {
    let mut hub = Hub::start(&["--allow-erase"]);
    Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "1").unwrap();
    hub.stop();
    let mut hub = with_failing(&[libc::SYS_fsync, libc::SYS_fdatasync], libc::EIO, || restarted(hub));
    let mut subscriber = Subscriber::connect(hub.address, "a", None).unwrap();
    let (status, answer) = ask(hub.address, "DELETE /topics/a", "");
    assert!(status >= 500, "{status} {answer}");
    assert!(subscriber.receive(&mut Vec::new()).is_err(), "its stream breaks off");
    assert_eq!(hub.ended(IN_TIME), Some(1));
}

#[test]
fn a_hub_without_room_stays_and_says_so() {
    for errno in [libc::ENOSPC, libc::EDQUOT] {
        let mut hub = with_failing(&[libc::SYS_pwrite64], errno, || Hub::start(&[]));
        for _ in 0..3 {
            assert_eq!(ask(hub.address, "POST /topics/a", "1").0, 503);
        }
        let full = r#"["the disk is full"]}"#;
        assert_eq!(health(&hub, "live"), (200, r#"{"status":"ok","reasons":[]}"#.to_owned()));
        assert_eq!(health(&hub, "ready"), (200, format!(r#"{{"status":"degraded","reasons":{full}"#)));
        assert_eq!(health(&hub, "publish"), (503, format!(r#"{{"status":"failed","reasons":{full}"#)));
        assert_eq!(hub.ended(Duration::from_secs(3)), None, "it stays");
        let mut subscriber = Subscriber::connect(hub.address, "a", None).unwrap();
        hub.kill();
        assert!(subscriber.receive(&mut Vec::new()).is_err());
    }
}

/// The system would end a process that exceeds a limit on the size of files.
#[test]
fn a_hub_whose_file_may_not_grow_stays_until_it_may() {
    let mut hub = Hub::start(&[]);
    let large = "x".repeat(100_000);
    assert_eq!(ask(hub.address, "POST /topics/a", "1").0, 200);
    hub.limit_files(Some(64 << 10));
    let mut subscriber = Subscriber::connect(hub.address, "a", Some("earliest")).unwrap();
    assert_eq!(data(&subscriber.receive_count(1)), ["1"]);
    for _ in 0..3 {
        assert_eq!(ask(hub.address, "POST /topics/a", &large).0, 503);
    }
    let full = r#"{"status":"failed","reasons":["the disk is full"]}"#;
    assert_eq!(health(&hub, "publish"), (503, full.to_owned()));
    assert_eq!(hub.ended(Duration::from_secs(1)), None, "it stays");
    hub.limit_files(None);
    assert_eq!(ask(hub.address, "POST /topics/a", &large).0, 200);
    assert_eq!(data(&subscriber.receive_count(1)), [large]);
}

/// The first publication after a start removes the file that marks the end of the last run. If it cannot, the file is
/// not valid any more, and the answer to the publication is true after the next start.
#[test]
fn a_mark_of_the_end_that_stays_harms_nothing() {
    let mut hub = Hub::start(&[]);
    Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "1").unwrap();
    assert!(hub.stop(), "the end is marked");
    let mut hub = with_failing(&[libc::SYS_unlink, libc::SYS_unlinkat], libc::EIO, || restarted(hub));
    let (status, answer) = ask(hub.address, "POST /topics/a", "2");
    assert_eq!(status, 200, "{answer}");
    hub.kill();
    hub.restart();
    Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "3").unwrap();
    let mut subscriber = Subscriber::connect(hub.address, "a", Some("earliest")).unwrap();
    assert_eq!(data(&subscriber.receive_count(3)), ["1", "2", "3"]);
}

/// The first publication after a start is refused, and the hub stops without another one. Nothing is missing then, and
/// nobody is told of a gap.
#[test]
fn a_first_publication_that_is_refused_makes_no_gap() {
    let mut hub = Hub::start(&[]);
    let id = Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "1").unwrap();
    assert!(hub.stop(), "the end is marked");
    for is_killed in [false, true] {
        hub = with_failing(&[libc::SYS_pwrite64], libc::ENOSPC, || restarted(hub));
        assert_eq!(ask(hub.address, "POST /topics/a", "refused").0, 503);
        if is_killed {
            hub.kill();
        } else {
            hub.stop();
        }
    }
    hub.restart();
    let mut resumed = Subscriber::connect(hub.address, "a", Some(id.trim_end())).unwrap();
    Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "2").unwrap();
    assert_eq!(data(&resumed.receive_count(1)), ["2"], "no gap comes before it");
}

/// A restart would begin an empty log, so the hub stays, and serves what it still has.
#[test]
fn a_hub_whose_files_have_vanished_stays_and_says_so() {
    let mut hub = Hub::start(&[]);
    let mut publisher = Publisher::connect(hub.address).unwrap();
    publisher.publish("a", "text/plain", "1").unwrap();
    for file in fs::read_dir(hub.data()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let begun = Instant::now();
    while health(&hub, "publish").0 == 200 {
        assert!(begun.elapsed() < IN_TIME, "it is not noticed");
        thread::sleep(Duration::from_millis(50));
    }
    println!("noticed after {:.1?}", begun.elapsed());
    let reason = r#"["the log does not accept updates"]}"#;
    assert_eq!(health(&hub, "publish").1, format!(r#"{{"status":"failed","reasons":{reason}"#));
    assert_eq!(health(&hub, "ready"), (200, format!(r#"{{"status":"degraded","reasons":{reason}"#)));
    assert_eq!(ask(hub.address, "POST /topics/a", "2").0, 503);
    assert_eq!(hub.ended(Duration::from_secs(3)), None, "it stays");
}
