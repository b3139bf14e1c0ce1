//! Publishers and subscribers in a few lines of blocking sockets, so that what they see is what the hub sent.
use fanfare_event_stream::{Chunk, Parser};
use fanfare_hub::notice;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The longest time for which a peer waits.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A publisher on one connection.
pub struct Publisher {
    socket: TcpStream,
}

impl Publisher {
    pub fn connect(hub: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(hub)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket })
    }

    /// Publishes to a topic and returns the body of the answer, which acknowledges it.
    pub fn publish(&mut self, topic: &str, content_type: &str, data: &str) -> io::Result<String> {
        let length = data.len();
        let head = format!(
            "POST /topics/{topic} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
        );
        self.ask(&[head.as_bytes(), data.as_bytes()].concat())
    }

    /// Erases updates of a topic and returns the body of the answer, which acknowledges it.
    pub fn erase(&mut self, topic: &str) -> io::Result<String> {
        self.ask(format!("DELETE /topics/{topic} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<String> {
        self.socket.write_all(request)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 1 << 16];
        loop {
            let text = str::from_utf8(&answer).map_err(io::Error::other)?;
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                assert!(head.starts_with("http/1.1 200"), "{text}");
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() == length.parse::<usize>().unwrap() {
                    return Ok(body.to_owned());
                }
            }
            match self.socket.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => answer.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

/// An event as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub event_type: String,
    pub id: String,
    pub data: String,
}

/// A subscriber on one connection.
pub struct Subscriber {
    socket: TcpStream,
    parser: Parser,
    /// The bytes after the head that the parser has not yet seen.
    unread: Vec<u8>,
    in_body: bool,
}

impl Subscriber {
    /// Subscribes to a topic. HTTP/1.0 has no chunks, so the bytes of the body are those of the stream.
    pub fn connect(hub: SocketAddr, topic: &str, last_event_id: Option<&str>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(hub)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let cursor = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(socket, "GET /topics/{topic} HTTP/1.0\r\nHost: localhost\r\n{cursor}\r\n")?;
        let mut subscriber = Self { socket, parser: Parser::new(), unread: Vec::new(), in_body: false };
        subscriber.read_head()?;
        Ok(subscriber)
    }

    fn read_head(&mut self) -> io::Result<()> {
        while !self.in_body {
            self.read()?;
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                assert!(self.unread.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&self.unread));
                self.unread.drain(..end + 4);
                self.in_body = true;
            }
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<()> {
        let mut chunk = [0; 1 << 16];
        match self.socket.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.unread.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }

    /// Appends the events that arrive next, at least one. Events about the connection itself are left out.
    pub fn receive(&mut self, events: &mut Vec<Received>) -> io::Result<()> {
        let before = events.len();
        loop {
            let mut chunk = Chunk::new(&self.unread);
            while let Some(event) = self.parser.next_event(&mut chunk).map_err(io::Error::other)? {
                if notice::is_about_the_connection(event.event_type) {
                    continue;
                }
                events.push(Received {
                    event_type: event.event_type.to_owned(),
                    id: event.last_event_id.to_owned(),
                    data: event.data.to_owned(),
                });
            }
            self.unread.clear();
            if events.len() > before {
                return Ok(());
            }
            self.read()?;
        }
    }

    /// Receives until there are `count` events.
    pub fn receive_count(&mut self, count: usize) -> Vec<Received> {
        let mut events = Vec::new();
        while events.len() < count {
            self.receive(&mut events).unwrap();
        }
        events
    }
}
