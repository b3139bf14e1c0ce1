//! Publishers in parallel: one thread, many connections, each with one publication on its way.
use crate::histogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The most bytes of an answer; an ID is far shorter.
const ANSWER_BYTES: usize = 4_096;

/// What the publishers achieved.
#[derive(Clone, Debug)]
pub struct Published {
    /// How many publications were acknowledged.
    pub count: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The time from the last byte of a request to the last of its answer.
    pub latency: Histogram,
}

impl Published {
    /// Acknowledged publications per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of publications is far below 2^52")]
        let count = self.count as f64;
        count / self.elapsed.as_secs_f64()
    }
}

struct Publisher {
    socket: TcpStream,
    answer: Vec<u8>,
    sent: Instant,
}

/// Publishes `data` to `topic` over this many connections for this long.
///
/// # Errors
/// If the hub refuses, closes a connection or stalls for five seconds.
pub fn run(hub: SocketAddr, connections: usize, topic: &str, data: &str, time: Duration) -> io::Result<Published> {
    let length = data.len();
    let request = format!("POST /topics/{topic} HTTP/1.1\r\nHost: {hub}\r\nContent-Length: {length}\r\n\r\n{data}");
    let mut poll = Poll::new()?;
    let mut publishers = Vec::with_capacity(connections);
    for index in 0..connections {
        let socket = std::net::TcpStream::connect(hub)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        publishers.push(Publisher { socket, answer: Vec::with_capacity(ANSWER_BYTES), sent: Instant::now() });
    }
    let begun = Instant::now();
    for publisher in &mut publishers {
        publisher.send(&request)?;
    }
    let (mut count, mut latency) = (0, Histogram::default());
    let mut events = Events::with_capacity(connections);
    while begun.elapsed() < time {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the hub answers no more"));
        }
        for event in &events {
            let publisher = &mut publishers[event.token().0];
            if publisher.receive()? {
                latency.record(publisher.sent.elapsed());
                count += 1;
                publisher.send(&request)?;
            }
        }
    }
    let elapsed = begun.elapsed();
    Ok(Published { count, elapsed, latency })
}

impl Publisher {
    /// Sends a request. It is far smaller than a socket's buffer, which is empty at this point.
    fn send(&mut self, request: &str) -> io::Result<()> {
        self.sent = Instant::now();
        self.socket.write_all(request.as_bytes())
    }

    /// Takes in what is there, and says whether the answer is whole.
    fn receive(&mut self) -> io::Result<bool> {
        let mut chunk = [0; ANSWER_BYTES];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.answer.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if !answer_is_whole(&self.answer)? {
            return Ok(false);
        }
        self.answer.clear();
        Ok(true)
    }
}

/// Whether the answer to a publication is there to its end.
///
/// # Errors
/// If it says anything but 200.
pub(crate) fn answer_is_whole(answer: &[u8]) -> io::Result<bool> {
    if answer_length(answer).is_none_or(|length| answer.len() < length) {
        return Ok(false);
    }
    if answer.starts_with(b"HTTP/1.1 200") {
        return Ok(true);
    }
    Err(io::Error::other(String::from_utf8_lossy(answer).into_owned()))
}

/// The length of the whole answer, once its head is there.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    let text = str::from_utf8(bytes).ok()?;
    let head = text.find("\r\n\r\n")? + 4;
    let mut fields = text[..head].lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1;
    Some(head + length.trim().parse::<usize>().ok()?)
}
