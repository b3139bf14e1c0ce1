//! The socket of a connection, with or without TLS.
use super::linger::LINGER_TIMEOUT;
use crate::tls::seal::Seal;
use std::{
    io::{self, IoSlice, Write as _},
    net,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{rustls::ProtocolVersion, server::TlsStream};

/// A socket of which hyper reads and writes the plaintext.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// The socket of the system.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// True if the two ends have agreed on HTTP/2 when the connection began.
    pub(super) fn speaks_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// True if a shard can send on this connection. The records of TLS 1.2 are others than those that a shard seals.
    pub(super) fn fits_a_shard(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(stream) => stream.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_3),
        }
    }

    /// Takes the connection apart: returns the socket of the system, and for TLS what seals the records that are sent on
    /// it. Everything that was written must have been flushed.
    ///
    /// # Errors
    /// If the secrets cannot be taken out of the connection: bytes of it cannot be sent, or it has failed.
    pub(super) async fn into_parts(self) -> io::Result<(net::TcpStream, Option<Box<Seal>>)> {
        match self {
            Self::Plain(socket) => Ok((socket.into_std()?, None)),
            Self::Tls(mut stream) => {
                // If the peer has asked for a new key, rustls uses it from then on, but says so only before the next
                // bytes that it seals. Those will not be sealed by rustls, so it has to say so now.
                _ = stream.get_mut().1.writer().write(&[])?;
                timeout(LINGER_TIMEOUT, stream.flush()).await??;
                let (socket, connection) = stream.into_inner();
                if connection.wants_write() {
                    return Err(io::Error::other("records of the connection are not sent yet"));
                }
                let secrets = connection.dangerous_extract_secrets().map_err(io::Error::other)?;
                let seal = Seal::new(secrets).ok_or_else(|| io::Error::other("the cipher is not one of TLS 1.3"))?;
                Ok((socket.into_std()?, Some(Box::new(seal))))
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, into),
            Self::Tls(stream) => match Pin::new(stream).poll_read(cx, into) {
                // The peer has closed its sending side without saying so in a record. That could be the work of
                // somebody between the two, but a request says where it ends, so no part of one is taken for a whole.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => read,
            },
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }
}
