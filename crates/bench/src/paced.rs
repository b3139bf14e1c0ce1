//! One publisher at a steady pace, each event with its [`Stamp`].
use crate::{publishers::answer_is_whole, stamp::Stamp};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// How long a hub may take to acknowledge a publication.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is published how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'t> {
    /// The topic.
    pub topic: &'t str,
    /// Events a second, above 0.
    pub rate: u32,
    /// Events in all.
    pub count: u64,
    /// The data of each, in bytes.
    pub bytes: usize,
    /// The number of the first event.
    pub first: u64,
}

impl Pace<'_> {
    /// Publishes over one connection, each event once the one before is acknowledged and its own time has come. `epoch` is
    /// the moment from which stamps count. Gives how late the latest was.
    ///
    /// # Errors
    /// If the hub refuses, closes the connection or leaves a publication without answer for ten seconds.
    pub fn publish(&self, hub: SocketAddr, epoch: Instant) -> io::Result<Duration> {
        let mut socket = TcpStream::connect(hub)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let (begun, mut latest) = (Instant::now(), Duration::ZERO);
        for index in 0..self.count {
            #[allow(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
            let due = begun + Duration::from_secs_f64(index as f64 / f64::from(self.rate));
            thread::sleep(due.saturating_duration_since(Instant::now()));
            latest = latest.max(due.elapsed());
            let stamp = Stamp { sequence: self.first + index, due: due.saturating_duration_since(epoch) };
            let data = stamp.data(self.bytes);
            let (topic, length) = (&self.topic, data.len());
            let head = format!("POST /topics/{topic} HTTP/1.1\r\nHost: {hub}\r\nContent-Length: {length}\r\n\r\n");
            socket.write_all((head + &data).as_bytes())?;
            await_answer(&mut socket)?;
        }
        Ok(latest)
    }
}

fn await_answer(socket: &mut TcpStream) -> io::Result<()> {
    let (mut answer, mut chunk) = (Vec::new(), [0; 4_096]);
    while !answer_is_whole(&answer)? {
        match socket.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&chunk[..read]),
        }
    }
    Ok(())
}
