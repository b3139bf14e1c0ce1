//! Delivery to sockets that HTTP has let go of. A task for each of them, for now.
use super::{
    body::{EventBody, stopping},
    stream::Stream,
};
use crate::settings::{Delivery, Settings};
use http_body_util::BodyExt as _;
use std::{io, net, num::NonZero, thread};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

/// A stream with the socket that it goes to.
#[derive(Debug)]
pub(crate) struct Handed {
    /// Non-blocking. Nothing of the response was written to it, and all that came before was.
    pub(crate) socket: net::TcpStream,
    /// What is written first: the response's head, and the first heartbeat.
    pub(crate) head: Vec<u8>,
    pub(crate) stream: Stream,
}

/// Those who deliver to handed-over sockets.
#[derive(Debug)]
pub struct Shards {
    stop: watch::Sender<bool>,
}

impl Shards {
    /// Starts them, as many and of the kind that the settings say, and logs which. `None` if everything is delivered
    /// through hyper.
    ///
    /// # Errors
    /// [`io::Error`] if the system does not have what the settings ask for.
    pub fn start(settings: &Settings) -> io::Result<Option<Self>> {
        let engine = match settings.delivery {
            Delivery::Hyper => {
                tracing::info!(engine = "hyper", write_timeout = ?settings.write_timeout, "delivery");
                return Ok(None);
            }
            Delivery::Auto | Delivery::Epoll => "epoll",
            Delivery::IoUring => "io-uring",
        };
        let threads = settings.delivery_threads.map_or_else(cores, NonZero::get);
        tracing::info!(engine, threads, write_timeout = ?settings.write_timeout, "delivery");
        Ok(Some(Self { stop: watch::channel(false).0 }))
    }

    /// Delivers a stream. After [`Self::stop`] it ends behind its head.
    pub(crate) fn take(&self, handed: Handed) {
        let stop = self.stop.subscribe();
        tokio::spawn(async move {
            if let Err(error) = deliver(handed, stop).await {
                tracing::debug!("a stream ended: {error}");
            }
        });
    }

    /// Ends all streams. What was begun is sent whole.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves when no stream is left.
    pub(crate) async fn stopped(&self) {
        self.stop.closed().await;
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

async fn deliver(handed: Handed, stop: watch::Receiver<bool>) -> io::Result<()> {
    let Handed { socket, head, stream } = handed;
    let mut socket = TcpStream::from_std(socket)?;
    let (reading, writing) = socket.split();
    tokio::select! {
        sent = send(writing, &head, EventBody::begun(stream, stopping(stop.clone()))) => sent,
        gone = hung_up(reading) => gone,
    }
}

async fn send(mut socket: WriteHalf<'_>, head: &[u8], mut body: EventBody) -> io::Result<()> {
    socket.write_all(head).await?;
    while let Some(frame) = body.frame().await {
        let run = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
        socket.write_all(&run).await?;
    }
    socket.shutdown().await
}

/// Reads what nobody asked for until the peer is gone. One that has only ended its sending is taken for gone too.
async fn hung_up(mut socket: ReadHalf<'_>) -> io::Result<()> {
    while socket.read(&mut [0; 1_024]).await? > 0 {}
    Ok(())
}
