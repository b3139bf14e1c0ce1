//! A server for the examples, so that each example runs by itself. The example decides how the server answers each
//! request. The server closes the connection after each response; a real server keeps its connections open.
#![allow(dead_code, reason = "not every example looks at all of a request, or gives all kinds of answers")]
use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// A request that the server received, with the parts that the examples use.
pub struct Request {
    /// The number of this request, from 1.
    pub number: usize,
    head: String,
    pub body: String,
}

impl Request {
    /// Returns the value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next_back()
            .unwrap_or_default()
    }
}

pub enum Answer {
    /// An event stream with this text, which then ends.
    Events(String),
    /// An event stream with this text, which does not end and sends nothing more.
    Open(String),
    /// A response with this status and no events, such as `404 Not Found`.
    Status(&'static str),
}

/// Returns the first argument of the program. Without an argument, starts a server and returns its URL; the server ends
/// with the program.
pub fn url(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<String> {
    if let Some(url) = env::args().nth(1) {
        return Ok(url);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        for (connection, number) in listener.incoming().zip(1..) {
            // An error is ignored: a client may close its connection at any time, and the next client uses a new one.
            let _ = connection.and_then(|connection| serve(connection, number, &answer));
        }
    });
    Ok(url)
}

fn serve(mut connection: TcpStream, number: usize, answer: &impl Fn(&Request) -> Answer) -> io::Result<()> {
    let request = read(&connection, number)?;
    let (status, text, stays) = match answer(&request) {
        Answer::Events(text) => ("200 OK", text, false),
        Answer::Open(text) => ("200 OK", text, true),
        Answer::Status(status) => (status, String::new(), false),
    };
    let head = "Content-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close";
    write!(connection, "HTTP/1.1 {status}\r\n{head}\r\n\r\n{text}")?;
    if stays {
        thread::spawn(move || io::copy(&mut connection, &mut io::sink()));
    }
    Ok(())
}

fn read(connection: &TcpStream, number: usize) -> io::Result<Request> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let mut request = Request { number, head, body: String::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_string(&mut request.body)?;
    Ok(request)
}
