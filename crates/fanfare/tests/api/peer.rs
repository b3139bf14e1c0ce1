//! A server that says exactly what the test says, byte by byte, one connection after the other.
use crate::program::PATIENCE;
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

/// A listener that answers each connection with the next of its answers, and then closes it.
pub(crate) struct Peer {
    /// The URL where it listens.
    pub url: String,
    heads: mpsc::Receiver<String>,
}

impl Peer {
    /// Answers as many connections as there are answers.
    pub(crate) fn answering<const N: usize>(answers: [&str; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers.map(|answer| answer.replace("{self}", &url));
        let (sender, heads) = mpsc::channel();
        thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let head = read_head(&stream);
                let _ = sender.send(head);
                answer_and_close(stream, &answer);
            }
        });
        Self { url, heads }
    }

    /// The head of the next request, in lower case.
    pub(crate) fn request(&self) -> String {
        self.heads.recv_timeout(PATIENCE).expect("a request in time")
    }
}

/// The same, which also takes the bodies that it is sent, as long as their length is said.
pub(crate) struct BodyPeer {
    /// The URL where it listens.
    pub url: String,
    bodies: mpsc::Receiver<String>,
}

impl BodyPeer {
    /// Answers as many connections as there are answers.
    pub(crate) fn answering(answers: Vec<String>) -> Self {
        let count = answers.len();
        let mut answers = answers.into_iter();
        Self::answering_by(count, move |_| answers.next().unwrap())
    }

    /// Answers up to `count` connections, each as `answer` says of its body.
    pub(crate) fn answering_by(count: usize, mut answer: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, bodies) = mpsc::channel();
        thread::spawn(move || {
            for _ in 0..count {
                let (stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let length = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                let length =
                    length.filter_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.last().unwrap_or(0)];
                reader.read_exact(&mut body).unwrap();
                let body = String::from_utf8(body).unwrap();
                let answer = answer(&body);
                let _ = sender.send(body);
                answer_and_close(stream, &answer);
            }
        });
        Self { url, bodies }
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = String> {
        self.bodies.try_iter()
    }

    /// The body of the next request.
    pub(crate) fn body(&self) -> String {
        self.bodies.recv_timeout(PATIENCE).expect("a request in time")
    }
}

/// A request with its body, which asks for the end of the connection.
pub(crate) fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: String = lines.map(|line| line + "\r\n").collect();
    let mut length = head.lines().filter_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.next().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    format!("{head}connection: close\r\n\r\n{}", String::from_utf8(body).unwrap())
}

fn read_head(stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    lines.map(|line| line.to_lowercase() + "\n").collect()
}

/// Writes the answer and its end, then reads until the program closes the connection. A socket that is closed with
/// bytes unread resets the connection, and the program may lose the answer.
fn answer_and_close(mut stream: TcpStream, answer: &str) {
    // The test may have ended, or the program gone on.
    let written = stream.write_all(answer.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write));
    let _ = written.and_then(|()| io::copy(&mut stream, &mut io::sink()));
}
