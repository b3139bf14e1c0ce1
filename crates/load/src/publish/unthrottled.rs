//! Publishers that publish as fast as answers arrive: one thread with many connections, each with one publication at a
//! time.
use super::{
    answer,
    plan::{Counts, Published},
    share::{ANSWER_TIMEOUT, Share},
};
use crate::stamp::Stamp;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{
    io::{self, Read, Write},
    sync::atomic::Ordering,
    time::Instant,
};

/// The greatest number of bytes that are read from a socket at a time. An answer holds an event ID and is far shorter.
const ANSWER_BYTES: usize = 4_096;

struct Publisher {
    socket: TcpStream,
    answer: Vec<u8>,
    sent: Instant,
}

/// Publishes over all connections of the plan.
pub(super) fn publish(mut share: Share) -> io::Result<Published> {
    let connections = share.plan.publishers as usize;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(connections));
    let mut publishers = Vec::with_capacity(connections);
    for index in 0..connections {
        publishers.push(Publisher::connect(&share, &poll, index)?);
    }
    let (begun, mut published, mut request) = (Instant::now(), Published::default(), Vec::new());
    let mut index = 0;
    for number in 0..share.plan.publishers {
        index += u64::from(publishers[number as usize].send(&mut share, number, index, &mut request)?);
    }
    while published.count < index {
        poll.poll(&mut events, Some(ANSWER_TIMEOUT))?;
        if events.is_empty() {
            return Err(broken(
                &share,
                &io::Error::new(io::ErrorKind::TimedOut, "the server does not answer any more"),
            ));
        }
        for event in &events {
            let publisher = &mut publishers[event.token().0];
            if publisher.receive().map_err(|error| broken(&share, &error))? {
                published.latencies.record(publisher.sent.elapsed());
                published.count += 1;
                let number = u32::try_from(event.token().0).unwrap_or(0);
                index += u64::from(publisher.send(&mut share, number, index, &mut request)?);
            }
        }
    }
    Ok(Published { counts: share.counts, elapsed: begun.elapsed(), ..published })
}

fn broken(share: &Share, error: &io::Error) -> io::Error {
    match share.target.publish_endpoint() {
        Ok(endpoint) => endpoint.broken("a publication", error),
        Err(unknown) => unknown,
    }
}

impl Publisher {
    fn connect(share: &Share, poll: &Poll, index: usize) -> io::Result<Self> {
        let socket = share.target.publish_endpoint()?.connect()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        Ok(Self { socket, answer: Vec::with_capacity(ANSWER_BYTES), sent: Instant::now() })
    }

    /// Sends the event with this number and returns true. Returns false if the plan has no such event, or if the
    /// publishers have to end. A request fits into the socket's send buffer, which is empty at this point.
    fn send(&mut self, share: &mut Share, publisher: u32, index: u64, request: &mut Vec<u8>) -> io::Result<bool> {
        let Share { target, plan, epoch, end, counts, .. } = share;
        if end.load(Ordering::Relaxed) || !plan.has(index) {
            return Ok(false);
        }
        let topic = plan.topic(index);
        self.sent = Instant::now();
        let sequence = Counts::next(counts, topic, publisher);
        let stamp = Stamp { topic, publisher, sequence, due: epoch.until(self.sent) };
        request.clear();
        target.publish_request(request, plan.naming, topic, &stamp.data(plan.bytes))?;
        self.socket.write_all(request).map(|()| true)
    }

    /// Reads the bytes of the answer that have arrived, and returns true if the answer is complete.
    fn receive(&mut self) -> io::Result<bool> {
        let mut chunk = [0; ANSWER_BYTES];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => {
                    let closed = "a publisher's connection was closed";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed));
                }
                Ok(read) => {
                    self.answer.extend_from_slice(&chunk[..read]);
                    // If fewer bytes were read than `chunk` can hold, the socket has no more bytes (epoll(7)).
                    if read < chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let whole = answer::is_whole(&self.answer)?;
        if whole {
            self.answer.clear();
        }
        Ok(whole)
    }
}
