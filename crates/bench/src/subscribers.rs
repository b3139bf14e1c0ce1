//! Many subscribers of one topic in one thread, each of which counts every event and checks its place in the order.
use crate::{
    fault::{Fault, check},
    histogram::Histogram,
    process_tree::open_files_limit,
    response::Response,
};
use fanfare_event_stream::{Chunk, Parser};
use mio::{Events, Interest, Poll, Token, event::Event, net::TcpStream};
use socket2::{Domain, Socket, Type};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

/// The subscribers of one source address: Linux has 28,232 ports to give away for each, by default.
const SUBSCRIBERS_PER_SOURCE: usize = 20_000;
/// The most connections without an answer: below the 128 that a listener's backlog may be, since what goes beyond it is
/// tried again only after a second.
const CONNECTING_AT_ONCE: usize = 100;
/// Open files besides the subscribers': standard streams, the publisher, the poll, the pipes of a child.
const OTHER_FILES: usize = 64;
/// How long nothing may arrive while something is due.
const STALL: Duration = Duration::from_secs(10);
const CHUNK_BYTES: usize = 64 << 10;

/// Subscribers of one topic.
#[derive(Debug)]
pub struct Subscribers {
    poll: Poll,
    events: Events,
    chunk: Vec<u8>,
    subscribers: Vec<Subscriber>,
    arrivals: Arrivals,
    /// How many have the head of their stream.
    answered: usize,
}

/// What all of them have received.
#[derive(Debug)]
struct Arrivals {
    /// The moment from which stamps count.
    epoch: Instant,
    latencies: Histogram,
    reads: u64,
}

#[derive(Debug)]
struct Subscriber {
    socket: TcpStream,
    response: Response,
    parser: Parser,
    /// The event that comes next.
    expected: u64,
}

impl Subscribers {
    /// Connects this many, and waits until each has the head of its stream. `first` is the number of the event that each
    /// is to receive first; stamps count from `epoch`; `progress` is told how many there are.
    ///
    /// # Errors
    /// If they would take more open files than a process may have, or the hub refuses one or stalls.
    pub fn connect(
        hub: SocketAddr,
        topic: &str,
        count: usize,
        first: u64,
        epoch: Instant,
        mut progress: impl FnMut(usize),
    ) -> io::Result<Self> {
        let limit = open_files_limit()?;
        if count + OTHER_FILES > limit {
            let error = format!("{count} subscribers need more than the {limit} open files of a process (ulimit -n)");
            return Err(io::Error::other(error));
        }
        let mut these = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            chunk: vec![0; CHUNK_BYTES],
            subscribers: Vec::with_capacity(count),
            arrivals: Arrivals { epoch, latencies: Histogram::default(), reads: 0 },
            answered: 0,
        };
        let request =
            format!("GET /topics/{topic} HTTP/1.1\r\nHost: {hub}\r\nAccept: text/event-stream\r\n\r\n").into_bytes();
        while these.answered < count {
            let room = these.answered + CONNECTING_AT_ONCE;
            while these.subscribers.len() < count.min(room) {
                let index = these.subscribers.len();
                let mut socket = connect(hub, source(index))?;
                socket.write_all(&request)?;
                these.poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
                let (response, parser) = (Response::default(), Parser::new());
                these.subscribers.push(Subscriber { socket, response, parser, expected: first });
            }
            if !these.receive(STALL)? {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the hub answers no more subscribers"));
            }
            progress(these.answered);
        }
        Ok(these)
    }

    /// Waits for at most this long and takes in what has come. Gives whether anything has.
    ///
    /// # Errors
    /// If a stream ends, or has a [`Fault`].
    pub fn receive(&mut self, wait: Duration) -> io::Result<bool> {
        self.poll.poll(&mut self.events, Some(wait))?;
        for event in &self.events {
            let subscriber = &mut self.subscribers[event.token().0];
            let had_begun = subscriber.response.has_begun();
            subscriber.receive(event, &mut self.chunk, &mut self.arrivals)?;
            self.answered += usize::from(!had_begun && subscriber.response.has_begun());
        }
        Ok(!self.events.is_empty())
    }

    /// Takes in what comes for this long.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub fn receive_for(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.receive(end.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Takes in what comes until each has received `count` events. `turn` is called between, with how many deliveries have
    /// been made; an error of it ends the wait.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive), of `turn`, or [`Fault::Stalled`].
    pub fn receive_all(&mut self, count: u64, mut turn: impl FnMut(u64) -> io::Result<()>) -> io::Result<()> {
        let due = count * self.subscribers.len() as u64;
        let mut last = Instant::now();
        while self.deliveries() < due {
            if self.receive(Duration::from_millis(100))? {
                last = Instant::now();
            } else if last.elapsed() > STALL {
                return Err(io::Error::other(Fault::Stalled { due, made: self.deliveries() }));
            }
            turn(self.deliveries())?;
        }
        Ok(())
    }

    /// How many events were received, by all together.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.arrivals.latencies.count()
    }

    /// How many times something was read from a socket.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.arrivals.reads
    }

    /// The time from when an event was due to when it was received, of each delivery.
    #[must_use]
    pub fn latencies(&self) -> &Histogram {
        &self.arrivals.latencies
    }
}

impl Subscriber {
    fn receive(&mut self, event: &Event, chunk: &mut [u8], arrivals: &mut Arrivals) -> io::Result<()> {
        loop {
            let read = match self.socket.read(chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            arrivals.reads += 1;
            self.take(&chunk[..read], arrivals)?;
            // Less than there was room for means that the socket is empty (epoll(7)); that it was closed comes as an event.
            if read < chunk.len() && !event.is_read_closed() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8], arrivals: &mut Arrivals) -> io::Result<()> {
        while let Some(piece) = self.response.next_piece(&mut bytes)? {
            let mut chunk = Chunk::new(piece);
            while let Some(event) = self.parser.next_event(&mut chunk).map_err(io::Error::other)? {
                let due = check(event.event_type, event.data, self.expected).map_err(io::Error::other)?;
                self.expected += 1;
                arrivals.latencies.record(arrivals.epoch.elapsed().saturating_sub(due));
            }
        }
        Ok(())
    }
}

/// The address that a subscriber connects from; `None` leaves it to the system, which takes 127.0.0.1.
fn source(index: usize) -> Option<Ipv4Addr> {
    let block = index / SUBSCRIBERS_PER_SOURCE;
    let host = u32::try_from(block).unwrap_or(u32::MAX).saturating_add(1).min(0x00ff_fffe);
    (block > 0).then(|| Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 0).to_bits() + host))
}

fn connect(hub: SocketAddr, source: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(hub), Type::STREAM, None)?;
    if let Some(source) = source {
        socket.bind(&SocketAddr::from((source, 0)).into())?;
    }
    // Waiting is right here: over loopback it is the kernel alone that completes a connection.
    socket.connect(&hub.into())?;
    socket.set_nonblocking(true)?;
    Ok(TcpStream::from_std(socket.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_twenty_thousand_subscribers_have_a_source_address() {
        assert_eq!((source(0), source(SUBSCRIBERS_PER_SOURCE - 1)), (None, None));
        assert_eq!(source(SUBSCRIBERS_PER_SOURCE), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(source(SUBSCRIBERS_PER_SOURCE * 256), Some(Ipv4Addr::new(127, 0, 1, 1)));
        assert_eq!(source(usize::MAX), Some(Ipv4Addr::new(127, 255, 255, 254)));
    }
    #[test]
    fn a_subscriber_connects_from_its_source_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for source in [None, Some(Ipv4Addr::new(127, 0, 0, 2))] {
            let socket = connect(listener.local_addr().unwrap(), source).unwrap();
            assert_eq!(socket.local_addr().unwrap().ip(), source.unwrap_or(Ipv4Addr::LOCALHOST));
        }
    }
}
