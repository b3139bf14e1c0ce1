//! The part that the two baselines share: the smallest possible hub, which accepts connections, keeps those that
//! subscribe, and reads what is published. The sending of events is left to the baselines.
//!
//! It has one topic, no log, no IDs and no heartbeats, and it ends if a socket is full. An event is encoded once. A
//! `POST` is answered before its event is sent, because a hub also acknowledges an event before it delivers it. The
//! baselines [`bare_write`](crate::bare_write) and [`bare_uring`](crate::bare_uring) differ in how they send an event
//! to all subscribers.
use fanfare_event_stream::Fields;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, ErrorKind, Read, Write},
    net,
    os::fd::OwnedFd,
};

const LISTENER: Token = Token(usize::MAX);
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Prints the listener's address, and serves until this process is killed. `broadcast` sends an event to all
/// subscribers and removes those that have left. The subscribers are `File`s, because writing to a `File` is
/// `write(2)`, whereas writing to a socket is `send(2)`.
///
/// # Errors
/// An error if a connection cannot be accepted, or if `broadcast` fails.
pub fn serve(
    listener: net::TcpListener,
    mut broadcast: impl FnMut(&mut Vec<File>, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    println!("http://{}", listener.local_addr()?);
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1_024));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut requests: HashMap<Token, Request> = HashMap::new();
    let (mut subscribers, mut accepted, mut encoded) = (Vec::new(), 0, Vec::new());
    loop {
        match poll.poll(&mut events, None) {
            // A signal, or a program that traces this process, may interrupt the wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Some(mut socket) = or_not_yet(listener.accept())?.map(|(socket, _)| socket) {
                    socket.set_nodelay(true)?;
                    poll.registry().register(&mut socket, Token(accepted), Interest::READABLE)?;
                    requests.insert(Token(accepted), Request { socket, bytes: Vec::new() });
                    accepted += 1;
                }
                continue;
            }
            let Some(mut request) = requests.remove(&event.token()) else { continue };
            if !request.receive()? {
                continue;
            }
            if request.bytes.starts_with(b"GET ") && request.bytes.ends_with(b"\r\n\r\n") {
                poll.registry().deregister(&mut request.socket)?;
                subscribers.push(subscribe(request.socket)?);
                continue;
            }
            if let Some(data) = request.take_body() {
                request.socket.write_all(ANSWER)?;
                encoded.clear();
                Fields { data: &data, ..Fields::default() }.encode_into(&mut encoded);
                broadcast(&mut subscribers, &encoded)?;
            }
            requests.insert(event.token(), request);
        }
    }
}

/// Returns true if a subscriber is still connected, and false if it has left. `sent` is the result of sending an event
/// to it. A full socket is an error, because a baseline that skips sends could not be compared with servers that send
/// everything.
///
/// # Errors
/// If not all bytes of the event were sent, unless the subscriber has just left.
pub fn stays(sent: io::Result<usize>, event: &[u8]) -> io::Result<bool> {
    match sent {
        Ok(sent) if sent == event.len() => Ok(true),
        Ok(_) => Err(io::Error::new(ErrorKind::WriteZero, "a subscriber's socket is full")),
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(false),
        Err(error) => Err(error),
    }
}

fn subscribe(socket: TcpStream) -> io::Result<File> {
    let mut file = File::from(OwnedFd::from(socket));
    file.write_all(HEAD)?;
    Ok(file)
}

/// A connection that has not subscribed.
struct Request {
    socket: TcpStream,
    bytes: Vec<u8>,
}

impl Request {
    /// Reads the bytes that have arrived. Returns true if the connection stays open.
    fn receive(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 4_096];
        while let Some(read) = or_not_yet(self.socket.read(&mut chunk))? {
            if read == 0 {
                return Ok(false);
            }
            self.bytes.extend_from_slice(&chunk[..read]);
        }
        Ok(true)
    }

    /// Returns the body of a `POST` when it has arrived completely, and removes the request, so that the next one may
    /// begin.
    fn take_body(&mut self) -> Option<String> {
        let text = str::from_utf8(&self.bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1;
        let body = body.get(..length.trim().parse().ok()?)?.to_owned();
        self.bytes.clear();
        Some(body)
    }
}

/// Converts the error of a call that would have to wait (`WouldBlock`) into `None`.
fn or_not_yet<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}
