//! One subscriber: its connection, the numbers of the events that it expects, and the checks of what it reads.
use super::{order::Order, report::Report, response::Response};
use crate::{epoch::Epoch, fault::Fault, stamp::Stamp};
use fanfare_event_stream::{Chunk, EventRef, Parser};
use mio::{Interest, net::TcpStream};
use std::{
    io::{self, Read, Write},
    time::Duration,
};

/// The greatest number of reads from one subscriber's socket before the next subscriber has its turn.
const READS_AT_ONCE: usize = 4;
/// The number of characters of an unexpected event's data that the description of the fault shows.
const FOREIGN_DATA_CHARS: usize = 80;
/// The types of the events in which the hub tells of the connection: its place, and why it ends. They are no
/// deliveries.
const NOTICES: [&str; 2] = ["fanfare.start", "fanfare.end"];

/// One subscriber.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// The number of the subscriber among those of all workers.
    pub(super) number: u32,
    /// The number of the subscriber's topic.
    pub(super) topic: u32,
    pub(super) order: Order,
    pub(super) place: Place,
    /// True if the subscriber was made to pause or to leave.
    pub(super) troubled: bool,
    /// True if the subscriber was made to leave. It comes back only if it is told to.
    pub(super) gone: bool,
    /// The time when the subscriber began to connect or to read again, until it receives an event that was due after
    /// that; `None` if it has received one. While it waits to connect again, this is the greatest possible time.
    pub(super) back_since: Option<Duration>,
    response: Response,
    parser: Parser,
}

/// The state of a subscriber's connection.
#[derive(Debug)]
pub(super) enum Place {
    /// The subscriber is not connected.
    Away,
    /// The subscriber waits for the head of its response.
    Connecting {
        socket: TcpStream,
        /// The part of the request that has not been sent yet.
        request: Vec<u8>,
        since: Duration,
    },
    /// The subscriber receives its stream.
    There(TcpStream),
    /// The subscriber is connected, but does not read.
    Paused(TcpStream),
}

/// The result of reading a subscriber's connection for one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Everything that had arrived was read.
    Done,
    /// There may be more to read.
    More,
}

/// The data that a subscriber needs to read its socket, and that it shares with the other subscribers of its thread.
pub(super) struct Surroundings<'s> {
    pub(super) epoch: Epoch,
    pub(super) chunk: &'s mut [u8],
    pub(super) report: &'s mut Report,
    /// The number of events that are accounted for: received, or known to be missed.
    pub(super) accounted: &'s mut u64,
    /// True if this run publishes events, so that events without a stamp are unexpected.
    pub(super) stamped: bool,
}

impl Subscriber {
    pub(super) fn new(number: u32, topic: u32, order: Order) -> Self {
        Self {
            number,
            topic,
            order,
            place: Place::Away,
            troubled: false,
            gone: false,
            back_since: None,
            response: Response::default(),
            parser: Parser::new(),
        }
    }

    /// Returns the ID with which the subscriber resumes: the last event ID that it received; empty if there is none.
    pub(super) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Sends the request over a new connection, and begins to wait for the head of the response. `register` gets the
    /// socket and the kinds of readiness to wait for, and must add the socket to the poll.
    ///
    /// # Errors
    /// If the connection has already failed, or if `register` fails.
    pub(super) fn connect(
        &mut self,
        socket: TcpStream,
        request: Vec<u8>,
        since: Duration,
        register: impl FnOnce(&mut TcpStream, Interest) -> io::Result<()>,
    ) -> io::Result<()> {
        self.parser.reset();
        self.response = Response::default();
        self.place = Place::Connecting { socket, request, since };
        // Over loopback the connection is established or refused by now, so the request can be sent at once.
        self.send_request()?;
        let Place::Connecting { socket, request, .. } = &mut self.place else { return Ok(()) };
        register(socket, if request.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE })
    }

    /// Takes the connection out of a subscriber that receives its stream; the subscriber is then away.
    pub(super) fn take_if_there(&mut self) -> Option<TcpStream> {
        match std::mem::replace(&mut self.place, Place::Away) {
            Place::There(socket) => Some(socket),
            other => {
                self.place = other;
                None
            }
        }
    }

    /// Takes the connection out of a subscriber that is paused; the subscriber is then away.
    pub(super) fn take_if_paused(&mut self) -> Option<TcpStream> {
        match std::mem::replace(&mut self.place, Place::Away) {
            Place::Paused(socket) => Some(socket),
            other => {
                self.place = other;
                None
            }
        }
    }

    /// Sends as much of the remaining request as the socket accepts.
    ///
    /// # Errors
    /// If the connection has failed.
    pub(super) fn send_request(&mut self) -> io::Result<()> {
        let Place::Connecting { socket, request, .. } = &mut self.place else { return Ok(()) };
        if request.is_empty() {
            return Ok(());
        }
        match socket.write(request) {
            Ok(sent) => drop(request.drain(..sent)),
            // The socket is not writable yet, or not connected yet: the request is sent when the poll reports that it
            // is.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads the bytes that have arrived, with at most `READS_AT_ONCE` reads. `closed` is true if the poll has reported
    /// that the server closed the connection.
    ///
    /// # Errors
    /// The error that ended the stream, or the reason why it was refused.
    pub(super) fn receive(&mut self, closed: bool, around: &mut Surroundings<'_>) -> io::Result<Turn> {
        for _ in 0..READS_AT_ONCE {
            let read = match &mut self.place {
                Place::Connecting { socket, .. } | Place::There(socket) => socket.read(around.chunk),
                Place::Away | Place::Paused(_) => return Ok(Turn::Done),
            };
            let read = match read {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the server")),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Done),
                Err(error) => return Err(error),
            };
            self.take(read, around)?;
            // If fewer bytes were read than `chunk` can hold, the socket has no more bytes (epoll(7)). If the server
            // closes the connection later, the poll reports this as an event.
            if read < around.chunk.len() && !closed {
                return Ok(Turn::Done);
            }
        }
        Ok(Turn::More)
    }

    fn take(&mut self, read: usize, around: &mut Surroundings<'_>) -> io::Result<()> {
        // The clock is read once for all bytes of one read, because these bytes were received at the same time.
        let now = around.epoch.elapsed();
        around.report.reads += 1;
        around.report.bytes += read as u64;
        let mut bytes = &around.chunk[..read];
        while let Some(piece) = self.response.next_piece(&mut bytes)? {
            let mut chunk = Chunk::new(piece);
            while let Some(event) = self.parser.next_event(&mut chunk).map_err(io::Error::other)? {
                if NOTICES.contains(&event.event_type) {
                    continue;
                }
                let receipt = Receipt {
                    number: self.number,
                    topic: self.topic,
                    order: &mut self.order,
                    troubled: self.troubled,
                    back_since: &mut self.back_since,
                    now,
                };
                receipt.record(&event, around.stamped, around.report, around.accounted);
            }
        }
        if self.response.has_begun() {
            self.begin(now, around.report);
        }
        Ok(())
    }

    /// Ends the state `Connecting`, because the head has been received, and records the time that this took.
    fn begin(&mut self, now: Duration, report: &mut Report) {
        if !matches!(self.place, Place::Connecting { .. }) {
            return;
        }
        if let Place::Connecting { socket, since, .. } = std::mem::replace(&mut self.place, Place::Away) {
            report.connects.record(now.saturating_sub(since));
            self.place = Place::There(socket);
        }
    }
}

/// The parts of a subscriber that check an event. The parser is not one of them, because the event borrows from the
/// parser.
struct Receipt<'s> {
    number: u32,
    topic: u32,
    order: &'s mut Order,
    troubled: bool,
    back_since: &'s mut Option<Duration>,
    now: Duration,
}

impl Receipt<'_> {
    fn record(self, event: &EventRef<'_>, stamped: bool, report: &mut Report, accounted: &mut u64) {
        if !stamped {
            report.deliveries += 1;
            return;
        }
        let stamp = Stamp::of(event.data).filter(|stamp| event.event_type == "message" && stamp.topic == self.topic);
        let taken = stamp.and_then(|stamp| Some((stamp, self.order.take(stamp.publisher, stamp.sequence)?)));
        let Some((stamp, (count, fault))) = taken else {
            let data = event.data.chars().take(FOREIGN_DATA_CHARS).collect();
            let fault = Fault::Foreign { event_type: event.event_type.to_owned(), data };
            report.faults.add(self.number, None, &fault);
            return;
        };
        *accounted += count;
        if let Some(fault) = fault {
            report.faults.add(self.number, Some((stamp.topic, stamp.publisher)), &fault);
        }
        if count == 0 {
            return;
        }
        report.deliveries += 1;
        let latencies = if self.troubled { &mut report.troubled } else { &mut report.steady };
        latencies.record(self.now.saturating_sub(stamp.due));
        if self.back_since.is_some_and(|since| stamp.due > since) {
            *self.back_since = None;
        }
    }
}
