//! The server's part of one connection, as a test wants it.
use socket2::SockRef;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

/// The behaviour of a connection after the head of its request has come.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    steps: Vec<Step>,
    end: End,
}

#[derive(Clone, Debug)]
enum Step {
    /// Writes this at once.
    Write(Vec<u8>),
    /// Goes on when the test says so.
    Wait(Gate),
}

#[derive(Clone, Copy, Debug)]
enum End {
    /// Stays until the client closes.
    Hold,
    Close,
    /// Closes its own side, and stays until the client closes the other.
    HalfClose,
    /// Closes so that the client sees a reset.
    Reset,
}

/// The point where a connection waits for the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Notify>);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.notify_one();
    }
}

impl Connection {
    /// Says nothing.
    pub(crate) fn silent() -> Self {
        Self { steps: Vec::new(), end: End::Hold }
    }

    /// Begins with these bytes, whatever they are.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::silent().write(bytes)
    }

    /// Begins an event stream: each [`piece`](Self::piece) is a chunk of HTTP's, which comes out of a transport as it
    /// is.
    pub(crate) fn stream() -> Self {
        Self::raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        )
    }

    /// A whole response. `headers` are lines with their ends.
    pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Self {
        let length =
            if matches!(status, 204 | 205) { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        Self::raw(format!("HTTP/1.1 {status} Said\r\n{headers}{length}Connection: close\r\n\r\n{body}")).close()
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::answer(status, &format!("Location: {location}\r\n"), "")
    }

    pub(crate) fn piece(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        // A chunk without bytes would be the last.
        if bytes.is_empty() { self } else { self.write(chunk(bytes)) }
    }

    pub(crate) fn write(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Write(bytes.into()));
        self
    }

    pub(crate) fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// Ends the stream as HTTP has it.
    pub(crate) fn end(self) -> Self {
        self.write("0\r\n\r\n").close()
    }

    pub(crate) fn close(self) -> Self {
        Self { end: End::Close, ..self }
    }

    pub(crate) fn half_close(self) -> Self {
        Self { end: End::HalfClose, ..self }
    }

    pub(crate) fn reset(self) -> Self {
        Self { end: End::Reset, ..self }
    }

    pub(crate) async fn play(self, mut stream: TcpStream) -> std::io::Result<()> {
        for step in self.steps {
            match step {
                Step::Write(bytes) => stream.write_all(&bytes).await?,
                Step::Wait(gate) => gate.0.notified().await,
            }
        }
        match self.end {
            End::Close => return Ok(()),
            End::Reset => return SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
            End::HalfClose => stream.shutdown().await?,
            End::Hold => {}
        }
        while stream.read(&mut [0; 64]).await? > 0 {}
        Ok(())
    }
}

/// `bytes` as HTTP's chunked encoding has them.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
