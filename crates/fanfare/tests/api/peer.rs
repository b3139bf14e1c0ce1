//! A server that says exactly what the test says, byte by byte, one connection after the other.
use crate::program::PATIENCE;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

/// A listener that answers each connection with the next of its answers, and then closes it.
pub(crate) struct Peer {
    /// Where it listens.
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
                let (mut stream, _) = listener.accept().unwrap();
                let head = read_head(&stream);
                // The test may have ended, or the program gone on.
                let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Both));
                let _ = sender.send(head);
            }
        });
        Self { url, heads }
    }

    /// The head of the next request, in lower case.
    pub(crate) fn request(&self) -> String {
        self.heads.recv_timeout(PATIENCE).expect("a request in time")
    }
}

fn read_head(stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    lines.map(|line| line.to_lowercase() + "\n").collect()
}
