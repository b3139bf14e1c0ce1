//! A minimal HTTP client for publishing, which only needs a socket.
use crate::PATIENCE;
use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
};

/// Posts `body` as plain text to an `http:` URL, and returns the body of the answer.
///
/// # Errors
/// If the socket fails, or the status of the answer is not 2xx.
pub fn post(url: &str, body: &str) -> io::Result<String> {
    let rest = url.strip_prefix("http://").expect("an URL of http:");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut socket = TcpStream::connect(authority)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    if head.starts_with("HTTP/1.1 2") { Ok(body.to_owned()) } else { Err(io::Error::other(answer)) }
}
