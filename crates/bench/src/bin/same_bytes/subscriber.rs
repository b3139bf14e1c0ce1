//! A connection of a subscriber. It reads only when the script makes it read; at all other times it stalls.
use crate::hub::PATIENCE;
use socket2::{Domain, Socket, Type};
use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// A socket, and the bytes that were received.
pub(crate) struct Connection {
    socket: TcpStream,
    raw: Vec<u8>,
}

impl Connection {
    /// Opens a stream at this path, with this last event ID, and reads until the first comment of the stream has
    /// arrived.
    pub(crate) fn open(
        address: SocketAddr,
        path: &str,
        last_event_id: Option<&str>,
        receive_buffer: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // The receive buffer is small, so that it is soon full if the subscriber does not read.
        socket.set_recv_buffer_size(receive_buffer)?;
        socket.connect(&address.into())?;
        let mut socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(PATIENCE))?;
        let id = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{id}\r\n").as_bytes())?;
        let mut connection = Self { socket, raw: Vec::new() };
        connection.read_until(|bytes| find(bytes, b":\n").is_some())?;
        Ok(connection)
    }

    /// Reads until the event with this ID has arrived completely, and returns everything up to its end.
    pub(crate) fn read_up_to(&mut self, id: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let (plain, envelope) = (format!("id: {id}\n"), format!("\"id\":\"{id}\""));
        let mut looked_at = 0;
        self.read_until(|bytes| {
            // The next search begins a little before the end of the bytes, where an event may have arrived only in
            // part.
            let from = looked_at.min(bytes.len());
            let found = end_of_event(&bytes[from..], &plain).or_else(|| end_of_event(&bytes[from..], &envelope));
            if found.is_none() {
                looked_at = bytes.len().saturating_sub(1 << 20);
            }
            found.is_some()
        })?;
        let bytes = self.bytes();
        let end = end_of_event(&bytes, &plain)
            .or_else(|| end_of_event(&bytes, &envelope))
            .ok_or("the end of an event was not found")?;
        Ok(bytes[..end].to_vec())
    }

    /// Reads to the end of the stream.
    pub(crate) fn read_to_end(&mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        self.socket.read_to_end(&mut self.raw)?;
        Ok(self.bytes())
    }

    fn read_until(&mut self, mut enough: impl FnMut(&[u8]) -> bool) -> Result<(), Box<dyn Error>> {
        let mut chunk = vec![0; 64 << 10];
        while !enough(&self.bytes()) {
            let read = self.socket.read(&mut chunk)?;
            if read == 0 {
                return Err("a stream has ended too early".into());
            }
            self.raw.extend_from_slice(&chunk[..read]);
        }
        Ok(())
    }

    /// Returns the bytes received so far: the head, and the body without its chunk framing.
    fn bytes(&self) -> Vec<u8> {
        let Some(end) = find(&self.raw, b"\r\n\r\n").map(|at| at + 4) else { return Vec::new() };
        let (head, body) = self.raw.split_at(end);
        if find(&head.to_ascii_lowercase(), b"transfer-encoding: chunked").is_none() {
            return self.raw.clone();
        }
        let mut bytes = head.to_vec();
        let mut rest = body;
        while let Some(line) = find(rest, b"\r\n") {
            let size = str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
            let (from, Some(size)) = (line + 2, size) else { break };
            bytes.extend_from_slice(&rest[from..rest.len().min(from + size)]);
            rest = rest.get(from + size + 2..).unwrap_or_default();
        }
        bytes
    }
}

/// Returns the index after the first event that contains this text; `None` if such an event has not arrived completely.
fn end_of_event(bytes: &[u8], text: &str) -> Option<usize> {
    let at = find(bytes, text.as_bytes())?;
    find(&bytes[at..], b"\n\n").map(|end| at + end + 2)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// Returns the bytes of a connection with everything masked that differs between two runs: the date, the epoch, and
/// times.
pub(crate) fn masked(bytes: &[u8], epoch: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let text = if epoch.is_empty() { text.into_owned() } else { text.replace(epoch, "(epoch)") };
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.to_ascii_lowercase().starts_with("date: ") {
            masked.push_str("date: (date)\r\n");
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("\"time_ms\":") {
            let (before, after) = rest.split_at(at + "\"time_ms\":".len());
            masked.push_str(before);
            rest = after.trim_start_matches(|char: char| char.is_ascii_digit());
        }
        masked.push_str(rest);
    }
    masked.into_bytes()
}
