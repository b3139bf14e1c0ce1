//! A server that answers every request with the same bytes: for servers of which only these are to be had here.
use crate::PATIENCE;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// A listener that answers one connection after the other and then closes it. It ends when this is dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Answers with this response: its head and body as they are on the wire.
    #[must_use]
    pub fn answering(response: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, ends) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let thread = thread::spawn({
            let ends = ends.clone();
            move || {
                for connection in listener.incoming().map_while(Result::ok) {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    answer(connection, response.as_bytes());
                }
            }
        });
        Self { address, ends, thread: Some(thread) }
    }

    /// `http://ADDRESS`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Whoever waits for a connection gets one.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A client may break off at any moment; that is its own affair.
fn answer(mut connection: TcpStream, response: &[u8]) {
    let _ = connection.set_read_timeout(Some(PATIENCE));
    let request = BufReader::new(&connection).lines().map_while(Result::ok);
    let _ = request.take_while(|line| !line.is_empty()).count();
    let _ = connection.write_all(response).and_then(|()| connection.shutdown(Shutdown::Write));
}
