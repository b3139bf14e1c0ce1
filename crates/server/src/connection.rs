//! One connection: hyper serves its requests, until a request is answered with a stream that can be delivered without
//! hyper.
//!
//! A connection that stays in hyper needs memory for its buffers and its task for as long as its stream lasts. So when
//! the routes grant a stream, `handover` keeps the answer away from hyper. The connection's task then takes the
//! connection apart and gives the socket to a shard, which itself writes the head of the answer. The service's future
//! is dropped, and so are all bytes that were read after the request. These bytes may be dropped because the answer has
//! `Connection: close`: the server must not process any request that follows on the connection ([RFC 9112, 9.6]).
//!
//! If the request has a body, or if there is no shard to take its stream, hyper sends the answer. The subscriber gets
//! the same events in both cases. Whether hyper or a shard sends a stream, a peer that closes its sending side counts
//! as gone, although it might still read: while nothing is sent to a client, there is no other sign that it has left.
//! An answer that has an end is sent completely even then: many clients close their sending side after their last
//! request, and then wait for the answer.
//!
//! [RFC 9112, 9.6]: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
mod activity;
mod encryption;
mod end;
mod handover;
pub mod http2;
mod large_heads;
mod leaving;
mod linger;
mod looks;
mod query;
mod repair;
mod socket;
#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod stalled;
mod threads;
mod unread;
mod watch;

use crate::{
    delivery::shards::Shards,
    every_answer,
    progress::{self, WriteTimeout},
    tls::Tls,
};
pub(crate) use activity::{Activity, Patience, Unhurried};
use axum::Router;
use bytes::{Bytes, BytesMut};
use end::{end, reset, until_sent};
pub use handover::STAYING_BYTES;
pub(crate) use handover::StaysWithHyper;
use handover::{Handover, Noticing, Requests};
use hyper::server::conn::http1;
pub(crate) use large_heads::LargeHeads;
pub use large_heads::{LARGE_HEAD_BYTES, MAX_LARGE_HEADS};
use leaving::Left;
use linger::linger;
pub use linger::{LINGER_BYTES, LINGER_TIMEOUT};
use looks::Looks;
use repair::repair;
use socket::Socket;
use std::{future::poll_fn, io, pin::Pin, sync::Arc, task::Poll, time::Duration};
pub(crate) use threads::Threads;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch as channel,
    time::timeout,
};
pub(crate) use watch::Stop;
use watch::Watch;

/// The largest head of a request, and the greatest number of bytes of answers that hyper buffers for one connection.
/// The last frame in the buffer may exceed this number, because a frame is never split.
pub const CONNECTION_BUFFER_BYTES: usize = 64 << 10;
/// The number of unsent bytes that the system holds for one connection. If the system held more, a slow reader would
/// get its events no sooner, and no limit of the hub would count the memory. The hub itself keeps the events that slow
/// readers still need, in memory that all subscribers of one audience share.
pub const UNSENT_BYTES: u32 = 128 << 10;
/// The time without any data from a peer after which the system sends a probe, to find out whether the peer is still
/// there. A publisher that has nothing to send for hours stays connected, because its system answers the probe. If the
/// peer has vanished, no answer comes, and the connection is closed, although the hub sends nothing on it.
pub const PROBE_AFTER: Duration = Duration::from_secs(60);
/// The time between two probes of a silent peer; each probe asks whether the peer is still there.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(15);
/// The number of probes that a silent peer may leave unanswered before its connection is closed: this is 2 minutes after
/// its last data. The system sends these probes only while nothing that was sent to the peer is on its way. Otherwise
/// the write timeout counts.
pub const PROBES: u32 = 4;
/// The number of bytes that are read at a time when a whole head of a request is read to repair it.
const READ_BYTES: usize = 4 << 10;
/// The time that the rest of a head may take to arrive, if the head is to be repaired.
const REPAIR_TIMEOUT: Duration = Duration::from_secs(3);

/// The settings and the routes that all connections of a server share.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    /// The rule by which peers that take nothing are given up; `None` gives up nobody.
    pub(crate) write_timeout: Option<WriteTimeout>,
    /// The times for which a connection may be without a request.
    pub(crate) patience: Patience,
    /// The shards, which take the streams that hyper need not deliver; `None` if hyper delivers all streams.
    pub(crate) shards: Option<Arc<Shards>>,
    /// The permits for large heads of requests.
    pub(crate) large_heads: LargeHeads,
}

impl Serving {
    /// Serves a connection until it ends or until a shard takes it. If the server begins to stop while a request is
    /// under way, this request is still answered, but no further request is read.
    pub(crate) async fn connection(self, socket: TcpStream, tls: Option<Tls>, stop: channel::Receiver<Stop>) {
        // The server waits until no connection holds a receiver of its stop signal. Rust drops variables in the reverse
        // order of their declaration, so this receiver is dropped last, after everything that may hold the log.
        // Otherwise the process might end before the log is closed.
        let _served = stop.clone();
        prepare(&socket, self.write_timeout);
        let socket = match tls {
            None => Some(Socket::Plain(socket)),
            Some(tls) => encryption::begin(&tls, socket, stop.clone()).await,
        };
        match socket {
            Some(socket) if socket.speaks_http2() => self.http2(socket, Bytes::new(), stop).await,
            Some(socket) => self.http1(socket, stop).await,
            None => {}
        }
    }

    /// Serves a connection with HTTP/2, of which the bytes `beginning` were read already.
    async fn http2(self, socket: Socket, beginning: Bytes, stop: channel::Receiver<Stop>) {
        let Self { router, write_timeout, patience, .. } = self;
        let activity = Activity::new();
        let watch = Watch::new(activity.clone(), patience, stop);
        let requests = http2::Requests { router, activity };
        http2::serve(socket, beginning, Looks::new(write_timeout), watch, requests).await;
    }

    /// Serves a connection with HTTP/1.
    async fn http1(self, socket: Socket, stop: channel::Receiver<Stop>) {
        let Self { router, write_timeout, patience, shards, large_heads } = self.clone();
        let handover = (shards.is_some() && socket.fits_a_shard()).then(Handover::default);
        let activity = Activity::new();
        let mut watch = Watch::new(activity.clone(), patience, stop.clone());
        let looks = Looks::new(write_timeout);
        let mut io = Noticing::new(socket, handover.clone(), activity.clone(), looks, large_heads.permit());
        let mut is_last = false;
        loop {
            let requests = Requests::new(router.clone(), handover.clone(), activity.clone());
            let refused = requests.refused();
            let mut connection = http1::Builder::new()
                .half_close(true)
                .keep_alive(!is_last)
                .header_read_timeout(None)
                .max_header_size(CONNECTION_BUFFER_BYTES)
                .max_buf_size(CONNECTION_BUFFER_BYTES)
                .serve_connection(io, requests);
            let mut stopping = false;
            let left = poll_fn(|cx| {
                if watch.stops(cx) && !stopping {
                    stopping = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                let ended = connection.poll_without_shutdown(cx);
                // hyper has tried to send a refusal, which the socket has held back. hyper must not be polled again.
                if activity.take_refusal() {
                    return Poll::Ready(Left::Refused);
                }
                if let Poll::Ready(ended) = ended {
                    return Poll::Ready(Left::Ended(ended.err()));
                }
                if let Some(stream) = handover.as_ref().and_then(Handover::take) {
                    return Poll::Ready(Left::Granted(stream));
                }
                watch.poll_end(cx)
            });
            let left = left.await;
            let parts = connection.into_parts();
            let is_first = activity.is_at_first_head();
            let handover::Parts { mut socket, mut looks, held_back, mut permit, ahead } = parts.io.into_parts();
            match (left, &shards) {
                _ if looks.is_overdue() => reset(socket.tcp()),
                // A client that knows that the hub speaks HTTP/2 begins without asking.
                (Left::Refused | Left::Ended(Some(_)), _) if is_first && http2::begins(&parts.read_buf) => {
                    let beginning = [&parts.read_buf[..], &ahead].concat();
                    drop((parts.read_buf, permit));
                    return self.http2(socket, beginning.into(), stop).await;
                }
                (Left::Refused, _) => {
                    if held_back.is_of(&parts.read_buf) && repair(&parts.read_buf).is_some() {
                        let head = whole_head(&mut socket, &parts.read_buf).await;
                        permit.begin_head();
                        if permit.came(&head).is_err() {
                            return;
                        }
                        let head = repair(&head).unwrap_or_default();
                        let fresh = Noticing::new(socket, handover.clone(), activity.clone(), looks, permit);
                        io = fresh.with_repaired(head);
                        // Another server between the client and the hub may have read the head before the repair
                        // differently. For that server, the next request may begin at another byte. So no further
                        // request is read from this connection.
                        is_last = true;
                        continue;
                    }
                    refuse(socket, held_back.refusal).await;
                }
                (Left::Granted(mut stream), Some(shards)) => match socket.into_parts().await {
                    Ok((socket, seal)) => {
                        stream.seal = seal;
                        // The head of the request is in this buffer.
                        drop((parts.read_buf, permit));
                        // The subscriber is admitted only when its socket is ready for the shard. A subscriber that was
                        // admitted joins its audience on the shard. Only a few subscribers may be on their way there at
                        // a time, and further ones have to wait, so none should be admitted too early.
                        stream.opening.admit().await;
                        shards.take(socket, stream);
                    }
                    Err(error) => tracing::debug!("a socket could not be taken over: {error}"),
                },
                (Left::Ended(error), _) => {
                    // The head of the last request is in this buffer.
                    drop((parts.read_buf, permit));
                    end(&mut socket, error, refused.get(), &mut looks, &mut watch).await;
                    until_sent(socket, looks, watch).await;
                }
                (Left::Late, _) => {
                    end(&mut socket, None, true, &mut looks, &mut watch).await;
                    until_sent(socket, looks, watch).await;
                }
                (Left::Cut | Left::Granted(_), _) => {
                    tracing::debug!("a connection was closed because the server stops");
                }
            }
            return;
        }
    }
}

/// Reads the rest of a request's head, of which the bytes `beginning` have arrived, because the head must be complete
/// before it is repaired. Returns only a part of the head if the head does not end in time or within the limit; hyper
/// then refuses it.
async fn whole_head(socket: &mut Socket, beginning: &[u8]) -> Bytes {
    let mut head = BytesMut::from(beginning);
    let ends = |head: &[u8]| head.windows(2).any(|end| end == b"\n\n") || head.windows(3).any(|end| end == b"\n\r\n");
    let read = async {
        while !ends(&head) && head.len() <= CONNECTION_BUFFER_BYTES {
            head.reserve(READ_BYTES);
            if !matches!(socket.read_buf(&mut head).await, Ok(1..)) {
                break;
            }
        }
    };
    // The caller looks only at the bytes that have arrived, so it does not matter whether the time ran out.
    let _ = timeout(REPAIR_TIMEOUT, read).await;
    head.freeze()
}

/// Sends the refusal that hyper wanted to send, and adds the header fields that every answer has.
async fn refuse(mut socket: Socket, mut refusal: Vec<u8>) {
    if let Some(end) = refusal.windows(2).position(|bytes| bytes == b"\r\n") {
        refusal.splice(end + 2..end + 2, every_answer::fields());
    }
    // All earlier answers have been sent, so there is room for the refusal unless the peer reads nothing.
    let send = async {
        socket.write_all(&refusal).await?;
        socket.flush().await
    };
    if let Ok(Ok(())) = timeout(LINGER_TIMEOUT, send).await {
        linger(socket).await;
    }
}

/// Sets a socket's options. Setting an option can only fail if the peer has gone. The failure is only logged, because
/// the next read from the socket reports that the peer has gone.
///
/// The options are set on each socket, not once on the listener. Linux would pass on the listener's options to the
/// connections that it accepts, but not to connections that arrived before the listener had these options.
fn prepare(socket: &TcpStream, write_timeout: Option<WriteTimeout>) {
    // If the system does not count acknowledged bytes, its own rule is the only one, although it may give up a peer that
    // reads slowly.
    let system_timeout = write_timeout.filter(|_| !progress::is_counted(socket)).map(|rule| rule.limit());
    let set = || {
        // Events are small, and each must be sent at once.
        socket.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        {
            use socket2::{SockRef, TcpKeepalive};
            let socket = SockRef::from(socket);
            if system_timeout.is_some() {
                socket.set_tcp_user_timeout(system_timeout)?;
            }
            let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_INTERVAL);
            socket.set_tcp_keepalive(&keepalive.with_retries(PROBES))?;
            socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = system_timeout;
        io::Result::Ok(())
    };
    if let Err(error) = set() {
        tracing::debug!("cannot set the options of a socket: {error}");
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use axum::{Extension, routing::post};
    use fanfare_hub::log::writer::gather::UNHURRIED;
    use socket2::SockRef;
    use tokio::{net::TcpListener, time::sleep};

    /// Reads one answer, and returns the only byte of its body.
    async fn answer(peer: &mut TcpStream) -> u8 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(peer.read_u8().await.unwrap());
        }
        peer.read_u8().await.unwrap()
    }

    #[tokio::test]
    async fn a_handler_is_told_who_is_in_no_hurry() {
        let tells =
            |unhurried: Option<Extension<Unhurried>>| async move { if unhurried.is_some() { "y" } else { "n" } };
        let serving = Serving {
            router: Router::new().route("/", post(tells)),
            write_timeout: None,
            patience: Patience::new(Duration::from_secs(60), Duration::from_secs(60)),
            shards: None,
            large_heads: LargeHeads::new(1),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let stop = channel::Sender::new(Stop::Not);
        let served = tokio::spawn(serving.connection(accepted, None, stop.subscribe()));
        let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
        peer.write_all(request).await.unwrap();
        assert_eq!(answer(&mut peer).await, b'n', "nobody knows what was before");
        sleep(UNHURRIED * 2).await;
        // The second of these two requests has arrived before the first is answered.
        peer.write_all(&request.repeat(2)).await.unwrap();
        assert_eq!(answer(&mut peer).await, b'y');
        assert_eq!(answer(&mut peer).await, b'n');
        drop(peer);
        served.await.unwrap();
    }

    /// Only one of these connections may have a large head at a time. It is counted while its head arrives and while its
    /// request is handled, and it ends after the answer.
    #[tokio::test]
    async fn large_heads_are_limited_in_sum() {
        let serving = Serving {
            router: Router::new().route("/", post(async || "y")),
            write_timeout: None,
            patience: Patience::new(Duration::from_secs(60), Duration::from_secs(60)),
            shards: None,
            large_heads: LargeHeads::new(1),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = channel::Sender::new(Stop::Not);
        let connect = async || {
            let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            (peer, tokio::spawn(serving.clone().connection(accepted, None, stop.subscribe())))
        };
        let request = |padding: usize| {
            let padding = "x".repeat(padding);
            format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\npadding: {padding}\r\n\r\n").into_bytes()
        };
        let (large, usual) = (request(LARGE_HEAD_BYTES), request(LARGE_HEAD_BYTES - 100));
        let (mut first, served) = connect().await;
        let (head, end) = large.split_at(large.len() - 1);
        first.write_all(head).await.unwrap();
        let (mut second, refused) = connect().await;
        second.write_all(&usual).await.unwrap();
        assert_eq!(answer(&mut second).await, b'y', "this head is not large");
        second.write_all(&large).await.unwrap();
        let ended = second.read_u8().await;
        assert!(ended.is_err(), "{ended:?}");
        drop(second);
        refused.await.unwrap();
        first.write_all(end).await.unwrap();
        assert_eq!(answer(&mut first).await, b'y');
        served.await.unwrap();
        let (mut third, served) = connect().await;
        third.write_all(&large).await.unwrap();
        assert_eq!(answer(&mut third).await, b'y');
        served.await.unwrap();
    }

    /// A publisher may be silent for hours, and so is a peer that has vanished.
    #[tokio::test]
    async fn a_silent_peer_is_probed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        prepare(&accepted, None);
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
        drop(peer);
    }
}
