//! A server whose every byte a test decides.
use fanfare_load::{recipe::Recipe, stamp::Stamp, target::Target};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

pub(crate) const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// The peer, where tests accept what the generator connects.
pub(crate) struct Peer(TcpListener);

impl Peer {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn target(&self) -> Target {
        Recipe::Fanfare.target(&format!("http://{}", self.0.local_addr().unwrap())).unwrap()
    }

    /// The next connection, with the head of its request.
    pub(crate) fn accept(&self) -> (TcpStream, String) {
        let (socket, _) = self.0.accept().unwrap();
        let lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        (socket, head.join("\n"))
    }

    /// Accepts a subscriber, and sends it this.
    pub(crate) fn serve(&self, answer: &str) -> (TcpStream, String) {
        let (mut socket, request) = self.accept();
        socket.write_all(answer.as_bytes()).unwrap();
        (socket, request)
    }
}

/// Answers this many publications of one publisher, and gives the head of the first.
pub(crate) fn acknowledge(peer: &Peer, count: u64, answer: &str) -> String {
    let (mut socket, request) = peer.accept();
    for index in 0..count {
        // A publication is small, and the next one waits for its answer.
        if index > 0 {
            assert!(socket.read(&mut [0; 4_096]).unwrap() > 0);
        }
        socket.write_all(answer.as_bytes()).unwrap();
    }
    request
}

/// An event of the only topic and publisher, due at the beginning of the run.
pub(crate) fn event(sequence: u64) -> String {
    event_due(sequence, Duration::ZERO)
}

pub(crate) fn event_due(sequence: u64, due: Duration) -> String {
    format!("id: {sequence}\ndata: {}\n\n", Stamp { topic: 0, publisher: 0, sequence, due }.data(80))
}
