//! A gate between clients and a hub: it passes on bytes, remembers those that it has passed to clients, and breaks
//! connections when a test wants it.
use crate::PATIENCE;
use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

/// A running gate, at first open. While it is closed, it accepts connections and ends them at once, as a proxy does
/// whose hub is away. Its thread ends with the connections after this value is dropped.
#[derive(Debug)]
pub struct Gate {
    /// The URL of the gate, to use in place of the hub's: `http://ADDRESS`.
    pub url: String,
    address: SocketAddr,
    passage: Arc<Passage>,
}

#[derive(Debug)]
struct Passage {
    hub: String,
    state: Mutex<State>,
    /// Notified when `State::passed` has changed.
    passed: Condvar,
}

#[derive(Debug)]
struct State {
    is_open: bool,
    has_ended: bool,
    /// The ends of the connections that have not broken yet, the client's and the hub's.
    sockets: Vec<TcpStream>,
    /// The bytes that each connection has passed to its client, the oldest connection first.
    passed: Vec<Vec<u8>>,
}

impl Gate {
    /// Starts a gate before the hub with this URL.
    #[must_use]
    pub fn start(hub_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { is_open: true, has_ended: false, sockets: Vec::new(), passed: Vec::new() };
        let hub = hub_url.trim_start_matches("http://").to_owned();
        let passage = Arc::new(Passage { hub, state: Mutex::new(state), passed: Condvar::new() });
        thread::spawn({
            let passage = passage.clone();
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if passage.state.lock().unwrap().has_ended {
                        break;
                    }
                    // The hub may be away: the client's connection has ended then.
                    let _ = passage.admit(client);
                }
            }
        });
        Self { url: format!("http://{address}"), address, passage }
    }

    /// Breaks all connections, and lets no more through until [`Self::open`].
    pub fn close(&self) {
        let mut state = self.passage.state.lock().unwrap();
        state.is_open = false;
        state.break_all();
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.passage.state.lock().unwrap().is_open = true;
    }

    /// Waits until `count` events of this type have been passed on over the connection with this number, counted
    /// from 0, and returns all that
    /// has been passed over it.
    ///
    /// # Panics
    /// If they are not passed in time.
    #[must_use]
    pub fn wait_for(&self, connection: usize, event_type: &str, count: usize) -> String {
        let field = format!("event: {event_type}\n");
        let text = |state: &State| {
            let passed = state.passed.get(connection)?;
            let text = String::from_utf8_lossy(passed).into_owned();
            // The event is whole.
            let (_, rest) = text.match_indices(&field).nth(count - 1).map(|(at, _)| text.split_at(at))?;
            rest.contains("\n\n").then_some(text)
        };
        let state = self.passage.state.lock().unwrap();
        let (state, _) =
            self.passage.passed.wait_timeout_while(state, PATIENCE, |state| text(state).is_none()).unwrap();
        text(&state).unwrap_or_else(|| panic!("no {count} of {event_type} over connection {connection}: {state:?}"))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        {
            let mut state = self.passage.state.lock().unwrap();
            state.has_ended = true;
            state.break_all();
        }
        // This connection wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn break_all(&mut self) {
        for socket in self.sockets.drain(..) {
            // It may have ended already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Passage {
    fn admit(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if !state.is_open {
            return Ok(());
        }
        let hub = TcpStream::connect(&self.hub)?;
        state.sockets.extend([client.try_clone()?, hub.try_clone()?]);
        let connection = state.passed.len();
        state.passed.push(Vec::new());
        drop(state);
        let (from_client, to_hub) = (client.try_clone()?, hub.try_clone()?);
        thread::spawn(move || pass(from_client, to_hub, |_| {}));
        let passage = self.clone();
        thread::spawn(move || {
            pass(hub, client, |bytes| {
                passage.state.lock().unwrap().passed[connection].extend_from_slice(bytes);
                passage.passed.notify_all();
            });
        });
        Ok(())
    }
}

/// Passes on bytes until one end breaks, and then breaks the other one.
fn pass(mut from: TcpStream, mut to: TcpStream, mut passed: impl FnMut(&[u8])) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
        passed(&bytes[..count]);
    }
    // Either may have ended already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
