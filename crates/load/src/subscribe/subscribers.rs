//! All subscribers of one thread, and the poll that waits for their connections.
use super::{
    order::Order,
    report::Report,
    socket::{self, Sources, Width},
    subscriber::{Place, Subscriber, Surroundings, Turn},
};
use crate::{
    epoch::Epoch,
    fault::Fault,
    publish::Counts,
    target::{Naming, Target},
};
use mio::{Events, Interest, Poll, Token, Waker};
use std::{
    collections::VecDeque,
    io,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

/// The greatest number of connections that are being established at a time. The backlog of a listener is often 128, and
/// the system tries a connection beyond it again only after a second.
const CONNECTING_AT_ONCE: usize = 100;
/// The greatest number of subscribers that leave before other subscribers are read again, because closing many
/// connections takes time.
const LEAVING_AT_ONCE: usize = 100;
/// The time that a subscriber waits before it reconnects after its stream has ended, as an `EventSource` does.
const RECONNECTION_TIME: Duration = Duration::from_secs(1);
const CHUNK_BYTES: usize = 64 << 10;
const WAKER: Token = Token(usize::MAX);

/// The subscribers that one thread serves.
#[derive(Debug)]
pub(super) struct Subscribers {
    target: Target,
    naming: Naming,
    topics: u32,
    epoch: Epoch,
    sources: Sources,
    poll: Poll,
    events: Events,
    chunk: Vec<u8>,
    subscribers: Vec<Subscriber>,
    /// The number of the first subscriber of this thread.
    first: u32,
    /// The number of subscribers, from the first one on, that get a connection with small buffers.
    narrow: usize,
    pub(super) report: Report,
    /// The number of events that were received or are known to be missed.
    accounted: u64,
    to_connect: VecDeque<usize>,
    to_leave: Range<usize>,
    to_return: VecDeque<(Instant, usize)>,
    to_read: Vec<usize>,
    connecting: usize,
}

impl Subscribers {
    /// Creates an empty group of subscribers. They will be numbered from `first` on, and are assigned to the topics in
    /// turn.
    pub(super) fn new(
        target: Target,
        naming: Naming,
        topics: u32,
        epoch: Epoch,
        sources: Sources,
        first: u32,
    ) -> io::Result<Self> {
        Ok(Self {
            target,
            naming,
            topics,
            epoch,
            sources,
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            chunk: vec![0; CHUNK_BYTES],
            subscribers: Vec::new(),
            first,
            narrow: 0,
            report: Report::default(),
            accounted: 0,
            to_connect: VecDeque::new(),
            to_leave: 0..0,
            to_return: VecDeque::new(),
            to_read: Vec::new(),
            connecting: 0,
        })
    }

    /// Returns a waker with which another thread can interrupt the waiting of a [`turn`](Self::turn).
    pub(super) fn waker(&self) -> io::Result<Arc<Waker>> {
        Waker::new(self.poll.registry(), WAKER).map(Arc::new)
    }

    /// Begins to connect `count` more subscribers. They must receive every event that is published from now on;
    /// `counts` says how many events were published before. The first `narrow` of all subscribers get connections with
    /// small buffers.
    pub(super) fn connect(&mut self, count: usize, narrow: usize, counts: &Counts) {
        self.narrow = narrow;
        self.subscribers.reserve_exact(count);
        for _ in 0..count {
            let index = self.subscribers.len();
            let number = self.first + u32::try_from(index).unwrap_or(u32::MAX);
            let topic = number % self.topics;
            self.subscribers.push(Subscriber::new(number, topic, Order::from(counts.of(topic))));
            self.to_connect.push_back(index);
        }
    }

    /// Makes the first `count` subscribers stop reading.
    pub(super) fn pause(&mut self, count: usize) -> io::Result<()> {
        for subscriber in self.subscribers.iter_mut().take(count) {
            subscriber.troubled = true;
            if let Some(mut socket) = subscriber.take_if_there() {
                self.poll.registry().deregister(&mut socket)?;
                subscriber.place = Place::Paused(socket);
            }
        }
        Ok(())
    }

    /// Makes all paused subscribers read again.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        let now = self.epoch.elapsed();
        for (index, subscriber) in self.subscribers.iter_mut().enumerate() {
            if let Some(mut socket) = subscriber.take_if_paused() {
                self.poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
                subscriber.place = Place::There(socket);
                subscriber.back_since = Some(now);
            }
        }
        Ok(())
    }

    /// Makes the first `count` subscribers leave, except those that are still connecting.
    pub(super) fn leave(&mut self, count: usize) {
        self.to_leave = 0..count.min(self.subscribers.len());
    }

    /// Makes all subscribers that have left come back.
    pub(super) fn come_back(&mut self) {
        for (index, subscriber) in self.subscribers.iter_mut().enumerate() {
            if std::mem::take(&mut subscriber.gone) {
                subscriber.back_since = Some(Duration::MAX);
                self.to_connect.push_back(index);
            }
        }
    }

    /// Returns the number of subscribers that are still connecting or leaving, or that wait to connect again.
    pub(super) fn moving(&self) -> usize {
        self.to_connect.len() + self.connecting + self.to_leave.len() + self.to_return.len()
    }

    /// Returns the number of subscribers that have come back or read again, but have received no event yet that was
    /// published after that.
    pub(super) fn behind(&self) -> usize {
        self.subscribers.iter().filter(|subscriber| subscriber.back_since.is_some()).count()
    }

    /// Returns the number of events that will be accounted for when all subscribers, except those that have left, have
    /// received everything that was published.
    pub(super) fn due(&self, counts: &Counts) -> u64 {
        let missing = |subscriber: &Subscriber| -> u64 {
            let lanes = subscriber.order.expected().iter().zip(counts.of(subscriber.topic));
            lanes.map(|(expected, published)| published.saturating_sub(*expected)).sum()
        };
        let present = self.subscribers.iter().filter(|subscriber| !subscriber.gone);
        self.accounted + present.map(missing).sum::<u64>()
    }

    /// Returns the number of events that the subscribers have received or are known to have missed.
    pub(super) fn accounted(&self) -> u64 {
        self.accounted
    }

    /// Records a fault for each subscriber that has not received the last events of a publisher, except subscribers
    /// that have left.
    pub(super) fn give_up(&mut self, counts: &Counts) {
        for subscriber in self.subscribers.iter().filter(|subscriber| !subscriber.gone) {
            let lanes = subscriber.order.expected().iter().zip(counts.of(subscriber.topic));
            for (publisher, (&expected, &published)) in (0..).zip(lanes) {
                if expected < published {
                    let fault = Fault::Undelivered { expected, published };
                    self.report.faults.add(subscriber.number, Some((subscriber.topic, publisher)), &fault);
                }
            }
        }
    }

    /// Begins and ends some connections, waits at most for `wait` until sockets are ready, and reads from them.
    ///
    /// # Errors
    /// If a subscriber's first connection fails or is refused. A later failure of a subscriber is a fault in the
    /// report.
    pub(super) fn turn(&mut self, wait: Duration) -> io::Result<()> {
        self.begin_connections()?;
        self.end_some();
        let busy = !self.to_read.is_empty() || !self.to_leave.is_empty();
        let soonest = self.to_return.front().map_or(wait, |(at, _)| at.saturating_duration_since(Instant::now()));
        self.poll.poll(&mut self.events, Some(if busy { Duration::ZERO } else { wait.min(soonest) }))?;
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut more = std::mem::take(&mut self.to_read);
        for index in more.drain(..) {
            self.receive(index, false)?;
        }
        for event in events.iter().filter(|event| event.token() != WAKER) {
            self.receive(event.token().0, event.is_read_closed())?;
        }
        events.clear();
        self.events = events;
        Ok(())
    }

    fn receive(&mut self, index: usize, closed: bool) -> io::Result<()> {
        let subscriber = &mut self.subscribers[index];
        let was_connecting = matches!(subscriber.place, Place::Connecting { .. });
        let mut around = Surroundings {
            epoch: self.epoch,
            chunk: &mut self.chunk,
            report: &mut self.report,
            accounted: &mut self.accounted,
            stamped: self.target.publish.is_some(),
        };
        let turn = subscriber.send_request().and_then(|()| subscriber.receive(closed, &mut around));
        if was_connecting && matches!(subscriber.place, Place::There(_)) {
            self.connecting -= 1;
        }
        match turn {
            Ok(Turn::Done) => Ok(()),
            Ok(Turn::More) => {
                self.to_read.push(index);
                Ok(())
            }
            Err(error) => self.lose(index, &error),
        }
    }

    /// Handles a stream that has ended or was refused: counts a fault, and lets the subscriber connect again later. If
    /// the subscriber's first connection was refused, returns an error instead.
    fn lose(&mut self, index: usize, error: &io::Error) -> io::Result<()> {
        let subscriber = &mut self.subscribers[index];
        let reason = error.to_string();
        let fault = if let Place::Connecting { .. } = subscriber.place {
            self.connecting -= 1;
            if subscriber.back_since.is_none() && !subscriber.troubled {
                let server = self.target.subscribe_endpoint(self.naming)?.name();
                let said = format!("subscriber {} was refused at {server}: {reason}", subscriber.number);
                return Err(io::Error::new(error.kind(), said));
            }
            Fault::Refused { reason }
        } else {
            Fault::Ended { reason }
        };
        self.report.faults.add(subscriber.number, None, &fault);
        subscriber.place = Place::Away;
        subscriber.back_since = Some(Duration::MAX);
        self.to_return.push_back((Instant::now() + RECONNECTION_TIME, index));
        Ok(())
    }

    fn begin_connections(&mut self) -> io::Result<()> {
        while let Some((_, index)) = self.to_return.pop_front_if(|(at, _)| *at <= Instant::now()) {
            self.to_connect.push_back(index);
        }
        while self.connecting < CONNECTING_AT_ONCE {
            let Some(index) = self.to_connect.pop_front() else { break };
            let subscriber = &mut self.subscribers[index];
            if subscriber.gone {
                continue;
            }
            let request = self.target.subscribe_request(self.naming, subscriber.topic, subscriber.last_event_id())?;
            let width = if index < self.narrow { Width::Narrow } else { Width::Full };
            let endpoint = self.target.subscribe_endpoint(self.naming)?;
            let since = self.epoch.elapsed();
            subscriber.back_since = subscriber.back_since.map(|_| since);
            let socket = socket::connect(endpoint.address, self.sources, subscriber.number, width)
                .map_err(|error| endpoint.unreachable(&error))?;
            let registry = self.poll.registry();
            let begun = subscriber
                .connect(socket, request, since, |socket, interest| registry.register(socket, Token(index), interest));
            self.connecting += 1;
            if let Err(error) = begun {
                self.lose(index, &error)?;
            }
        }
        Ok(())
    }

    fn end_some(&mut self) {
        for index in self.to_leave.by_ref().take(LEAVING_AT_ONCE) {
            let subscriber = &mut self.subscribers[index];
            if !matches!(subscriber.place, Place::Connecting { .. }) {
                subscriber.place = Place::Away;
                (subscriber.troubled, subscriber.gone) = (true, true);
            }
        }
    }
}
