//! What a peer sends, byte by byte, and what a subscriber makes of it.
use fanfare_bench::{fault::Fault, stamp::Stamp, subscribers::Subscribers};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

fn event(sequence: u64) -> String {
    format!("id: {sequence}\ndata: {}\n\n", Stamp { sequence, due: Duration::ZERO }.data(80))
}

/// What the peer does after its answer.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Stays,
    Closes,
}

/// Lets a subscriber that expects event 1 receive this answer until it has had `count`.
fn receive(answer: &str, then: Then, count: u64) -> io::Result<u64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, answer) = (listener.local_addr()?, answer.to_owned());
    let peer = thread::spawn(move || -> io::Result<TcpStream> {
        let (mut socket, _) = listener.accept()?;
        let request = BufReader::new(&socket).lines().map_while(Result::ok);
        assert_eq!(request.take_while(|line| !line.is_empty()).next().as_deref(), Some("GET /topics/t HTTP/1.1"));
        socket.write_all(answer.as_bytes())?;
        if then == Then::Closes {
            socket.shutdown(Shutdown::Both)?;
        }
        // Stays open until this is joined.
        Ok(socket)
    });
    let mut received = Subscribers::connect(address, "t", 1, 1, Instant::now(), |_| {})?;
    received.receive_all(count, |_| Ok(()))?;
    peer.join().unwrap().map(|_| received.deliveries())
}

fn fault(answer: &str, count: u64) -> Option<Fault> {
    receive(answer, Then::Stays, count).unwrap_err().into_inner()?.downcast::<Fault>().ok().map(|fault| *fault)
}

#[test]
fn events_in_order_are_counted() {
    assert_eq!(receive(&format!("{HEAD}:\n\n{}{}{}", event(1), event(2), event(3)), Then::Stays, 3).unwrap(), 3);
}

#[test]
fn an_event_that_is_missed_or_repeated_fails_the_run() {
    let missed = format!("{HEAD}{}{}", event(1), event(3));
    assert_eq!(fault(&missed, 2), Some(Fault::OutOfOrder { expected: 2, received: 3 }));
    let repeated = format!("{HEAD}{}{}", event(1), event(1));
    assert_eq!(fault(&repeated, 2), Some(Fault::OutOfOrder { expected: 2, received: 1 }));
}

#[test]
fn an_event_that_tells_of_a_gap_fails_the_run() {
    let gap = format!("{HEAD}event: fanfare.gap\ndata: {{}}\n\n");
    assert_eq!(fault(&gap, 1), Some(Fault::Foreign { event_type: "fanfare.gap".into(), data: "{}".into() }));
}

#[test]
fn a_stream_that_ends_or_is_refused_fails_the_run() {
    let ended = receive(&format!("{HEAD}{}", event(1)), Then::Closes, 2).unwrap_err();
    assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
    let refused = receive("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", Then::Stays, 1).unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
}
