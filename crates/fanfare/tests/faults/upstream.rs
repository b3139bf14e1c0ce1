//! An event stream that goes on by itself and keeps its events: whoever presents a last event ID gets all that follow.
use crate::peer::PATIENCE;
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The time between new events.
const PACE: Duration = Duration::from_millis(2);
/// The longest time that the stream goes on, so that a test that failed leaves no thread.
const LONGEST: Duration = Duration::from_secs(3_000);

/// The record of what the upstream sent.
#[derive(Debug)]
pub struct Sent {
    pub event_type: String,
    /// `None` where the hub puts an ID of its own in its place.
    pub id: Option<String>,
    pub data: String,
}

/// A server of events with the numbers from 1 on.
pub struct Upstream {
    pub url: String,
    /// The number of the last event.
    head: Arc<AtomicU64>,
    /// The number at which there will be no more.
    end: Arc<AtomicU64>,
    ticker: JoinHandle<()>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (head, end) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let ticker = thread::spawn({
            let (head, end) = (head.clone(), end.clone());
            move || tick(&head, &end)
        });
        thread::spawn({
            let head = head.clone();
            move || {
                for socket in listener.incoming().map_while(Result::ok) {
                    let head = head.clone();
                    // Ends when nobody reads on.
                    thread::spawn(move || serve(socket, &head));
                }
            }
        });
        Self { url, head, end, ticker }
    }

    /// Stops, and says what there was.
    pub fn end(self) -> Vec<Sent> {
        self.end.store(0, SeqCst);
        self.ticker.join().unwrap();
        (1..=self.head.load(SeqCst)).map(event).collect()
    }
}

/// Now and then a burst, which fills more than one batch.
fn tick(head: &AtomicU64, end: &AtomicU64) {
    let ticks = LONGEST.as_millis() / PACE.as_millis();
    for _ in 0..ticks {
        if head.load(SeqCst) >= end.load(SeqCst) {
            return;
        }
        let burst = if fastrand::u8(0..50) == 0 { fastrand::u64(0..1_000) } else { fastrand::u64(0..4) };
        head.fetch_add(burst, SeqCst);
        thread::sleep(PACE);
    }
}

/// Some have IDs that a hub does not keep, and all of a few look the same otherwise.
fn event(number: u64) -> Sent {
    let id = (!number.is_multiple_of(7)).then(|| number.to_string());
    let data = format!("{}{}", number / 20, "\nx".repeat(usize::try_from(number % 5).unwrap()));
    Sent { event_type: if number.is_multiple_of(3) { "third" } else { "message" }.into(), id, data }
}

fn serve(mut socket: TcpStream, head: &AtomicU64) -> io::Result<()> {
    socket.set_write_timeout(Some(PATIENCE))?;
    let lines = BufReader::new(&socket).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let request: Vec<String> = lines.map(|line| line.to_lowercase()).collect();
    let after = request.iter().find_map(|line| line.strip_prefix("last-event-id: ")).unwrap_or("0");
    let mut after: u64 = after.trim_start_matches('#').parse().map_err(io::Error::other)?;
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 10\n\n")?;
    loop {
        let last = head.load(SeqCst);
        let mut text = String::from(":\n");
        for number in after + 1..=last {
            let Sent { event_type, id, data } = event(number);
            let id = id.unwrap_or(format!("#{number}"));
            text.push_str(&format!("id: {id}\nevent: {event_type}\n"));
            data.lines().for_each(|line| text.push_str(&format!("data: {line}\n")));
            text.push('\n');
        }
        after = last;
        socket.write_all(text.as_bytes())?;
        thread::sleep(PACE);
    }
}
