//! The server that sends the streams, over HTTP/1.1 on loopback.
//!
//! The answer to `GET /SCENARIO/COUNT` is the stream of the scenario with the number SCENARIO, with COUNT events,
//! written as fast as the socket takes them. Everything is encoded before the answer begins, so the server's only work
//! during the reading is writing.
use super::scenario::{Framing, SCENARIOS, Scenario};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// The largest head of a request: far more than any of the clients sends.
const MAX_HEAD_BYTES: u64 = 16 << 10;

/// Serves until the process ends. Prints the address where it listens to standard output.
///
/// # Errors
/// An error if the server cannot listen, or cannot accept a connection.
pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let connection = listener.accept()?.0;
        // A reader that leaves when it has all events is not an error.
        thread::spawn(move || drop(answer(connection)));
    }
}

/// Returns the URL of the scenario with this number and this many events.
#[must_use]
pub fn url(address: SocketAddr, number: usize, count: usize) -> String {
    format!("http://{address}/{number}/{count}")
}

fn answer(mut connection: TcpStream) -> io::Result<()> {
    let Some(scenario) = scenario(&request_line(&connection)?) else {
        return connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let block = scenario.block();
    connection.set_nodelay(true)?;
    let framing = if scenario.framing == Framing::Chunked { "transfer-encoding: chunked\r\n" } else { "" };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nconnection: close\r\n";
    connection.write_all(format!("{head}{framing}\r\n").as_bytes())?;
    for _ in 0..scenario.blocks(&block) {
        let mut start = 0;
        for end in &block.ends {
            connection.write_all(&block.bytes[start..*end])?;
            start = *end;
        }
    }
    if scenario.framing == Framing::Chunked { connection.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

/// Reads the head of a request, and returns its first line.
fn request_line(connection: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(connection.take(MAX_HEAD_BYTES)).lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    for line in lines {
        if line?.is_empty() {
            return Ok(first);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Returns the scenario that a request asks for.
fn scenario(request_line: &str) -> Option<Scenario> {
    let (number, count) = request_line.split(' ').nth(1)?.strip_prefix('/')?.split_once('/')?;
    let scenario = *SCENARIOS.get(number.parse::<usize>().ok()?)?;
    Some(Scenario { count: count.parse().ok()?, ..scenario })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_scenario_and_count() {
        let asked = scenario("GET /2/17 HTTP/1.1").unwrap();
        assert_eq!((asked.to_string(), asked.count), (SCENARIOS[2].to_string(), 17));
        for line in ["", "GET / HTTP/1.1", "GET /99/1 HTTP/1.1", "GET /1/x HTTP/1.1", "GET /1 HTTP/1.1"] {
            assert!(scenario(line).is_none(), "{line}");
        }
    }
}
