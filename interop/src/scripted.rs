//! A server that answers every request with the same bytes. It replaces servers that cannot be installed here.
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

/// A server that answers one connection after the other, and closes each after its answer. It stops when this value is
/// dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Starts a server with this response: the head and the body as they are on the wire.
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

    /// Returns the URL of the server: `http://ADDRESS`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // This connection wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Reads a request and sends the response. A client may close the connection at any moment, so errors are ignored.
fn answer(mut connection: TcpStream, response: &[u8]) {
    let _ = connection.set_read_timeout(Some(PATIENCE));
    let request = BufReader::new(&connection).lines().map_while(Result::ok);
    let _ = request.take_while(|line| !line.is_empty()).count();
    let _ = connection.write_all(response).and_then(|()| connection.shutdown(Shutdown::Write));
}
