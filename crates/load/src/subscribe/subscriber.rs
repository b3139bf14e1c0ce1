//! One subscriber: its connection, its place in the order of events, and what it makes of what it reads.
use super::{order::Order, report::Report, response::Response};
use crate::{epoch::Epoch, fault::Fault, stamp::Stamp};
use fanfare_event_stream::{Chunk, EventRef, Parser};
use mio::{Interest, net::TcpStream};
use std::{
    io::{self, Read, Write},
    time::Duration,
};

/// The number of times that one subscriber is read from before it is the next one's turn.
const READS_AT_ONCE: usize = 4;
/// The part of foreign data that is told.
const FOREIGN_DATA_CHARS: usize = 80;

/// One subscriber.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// Its number among those of all workers.
    pub(super) number: u32,
    /// The number of its topic.
    pub(super) topic: u32,
    pub(super) order: Order,
    pub(super) place: Place,
    /// True if it was made to pause or to leave.
    pub(super) troubled: bool,
    /// True if it has left, and is not to come back by itself.
    pub(super) gone: bool,
    /// The time when it began to come back (never, while it is away), until it receives something that was due later.
    pub(super) back_since: Option<Duration>,
    response: Response,
    parser: Parser,
}

/// Its state.
#[derive(Debug)]
pub(super) enum Place {
    /// Not connected.
    Away,
    /// Waiting for the head of its stream.
    Connecting {
        socket: TcpStream,
        /// The part of the request that is left to send.
        request: Vec<u8>,
        since: Duration,
    },
    /// Receiving.
    There(TcpStream),
    /// Connected, but reading nothing.
    Paused(TcpStream),
}

/// The result of a turn of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// All is read.
    Done,
    /// There may be more.
    More,
}

/// The things that a subscriber needs from outside to read.
pub(super) struct Surroundings<'s> {
    pub(super) epoch: Epoch,
    pub(super) chunk: &'s mut [u8],
    pub(super) report: &'s mut Report,
    /// The number of events that have been accounted for: received, or known to be left out.
    pub(super) accounted: &'s mut u64,
    /// True if someone publishes, so that events without a stamp are foreign.
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

    /// The last event ID, empty if there is none.
    pub(super) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Waits for the head of a new stream. `register` is told what the connection is to be watched for.
    ///
    /// # Errors
    /// If the connection has failed already, and those of `register`.
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
        // Over loopback the connection is there by now, or refused.
        self.send_request()?;
        let Place::Connecting { socket, request, .. } = &mut self.place else { return Ok(()) };
        register(socket, if request.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE })
    }

    /// Its connection, if it is receiving.
    pub(super) fn take_if_there(&mut self) -> Option<TcpStream> {
        match std::mem::replace(&mut self.place, Place::Away) {
            Place::There(socket) => Some(socket),
            other => {
                self.place = other;
                None
            }
        }
    }

    /// Its connection, if it has paused.
    pub(super) fn take_if_paused(&mut self) -> Option<TcpStream> {
        match std::mem::replace(&mut self.place, Place::Away) {
            Place::Paused(socket) => Some(socket),
            other => {
                self.place = other;
                None
            }
        }
    }

    /// Sends what is left of its request as far as that goes.
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
            // Not yet writable, or not yet connected.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads what is there, but not for long.
    ///
    /// # Errors
    /// What ended the stream, or refused it.
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
            // Less than there was room for means that the socket is empty (epoll(7)); that it was closed comes as an
            // event.
            if read < around.chunk.len() && !closed {
                return Ok(Turn::Done);
            }
        }
        Ok(Turn::More)
    }

    fn take(&mut self, read: usize, around: &mut Surroundings<'_>) -> io::Result<()> {
        // One look at the clock per read: what came together was received together.
        let now = around.epoch.elapsed();
        around.report.reads += 1;
        around.report.bytes += read as u64;
        let mut bytes = &around.chunk[..read];
        while let Some(piece) = self.response.next_piece(&mut bytes)? {
            let mut chunk = Chunk::new(piece);
            while let Some(event) = self.parser.next_event(&mut chunk).map_err(io::Error::other)? {
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

    /// Notes that the head is there.
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

/// An event at a subscriber, apart from the parser that lends it.
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
