//! One publisher at a steady rate.
use super::{
    answer,
    plan::Published,
    share::{ANSWER_TIMEOUT, Share},
};
use crate::stamp::Stamp;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

/// The longest time that a publisher sleeps before it checks whether it has to end.
const NAP: Duration = Duration::from_millis(50);

/// Publishes over one connection. An event is sent when it is due and the server has acknowledged the event before it.
/// `rate` is the number of events a second of all publishers together; the publishers take turns.
pub(super) fn publish(share: Share, rate: u32) -> io::Result<Published> {
    let Share { target, plan, epoch, end, mut counts, publisher } = share;
    let endpoint = target.publish_endpoint()?;
    let mut socket = endpoint.connect()?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    let (begun, mut published, mut request) = (Instant::now(), Published::default(), Vec::new());
    for turn in 0.. {
        let index = turn * u64::from(plan.publishers) + u64::from(publisher);
        if !plan.has(index) {
            break;
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
        let due = begun + Duration::from_secs_f64(index as f64 / f64::from(rate));
        while !end.load(Ordering::Relaxed) && Instant::now() < due {
            thread::sleep(due.saturating_duration_since(Instant::now()).min(NAP));
        }
        if end.load(Ordering::Relaxed) {
            break;
        }
        published.latest = published.latest.max(due.elapsed());
        let topic = plan.topic(index);
        let stamp = Stamp { topic, publisher, sequence: counts.next(topic, publisher), due: epoch.until(due) };
        request.clear();
        target.publish_request(&mut request, plan.naming, topic, &stamp.data(plan.bytes))?;
        let sent = Instant::now();
        let answered = socket.write_all(&request).and_then(|()| await_answer(&mut socket));
        answered.map_err(|error| endpoint.broken("a publication", &error))?;
        published.latencies.record(sent.elapsed());
        published.count += 1;
    }
    Ok(Published { counts, elapsed: begun.elapsed(), ..published })
}

fn await_answer(socket: &mut TcpStream) -> io::Result<()> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
    while !answer::is_whole(&bytes)? {
        match socket.read(&mut chunk)? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a publisher's connection was closed")),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
    Ok(())
}
