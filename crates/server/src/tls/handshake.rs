//! The handshake of a connection, and what a client is told that does not make one.
use super::config::Tls;
use rustls::server::{Acceptor, ClientHello};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{StartHandshake, server::TlsStream};

/// The time that a handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The greatest number of bytes that a client may send before the server knows what it wants. Usual clients send less
/// than 2 KiB.
pub const MAX_HELLO_BYTES: usize = 16 << 10;
/// The alert `unrecognized_name`, with the level `fatal`, as a record without protection ([RFC 6066,
/// 3](https://www.rfc-editor.org/rfc/rfc6066#section-3)).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// The reason why a connection has no handshake.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The client has sent a request without TLS. The first bytes of the request were read.
    PlainHttp(TcpStream),
    /// The handshake failed, and the client was told why if there was a way. The connection is to be closed.
    Failed(io::Error),
}

impl Tls {
    /// Makes the handshake with the client of a new connection, within [`HANDSHAKE_TIMEOUT`].
    pub(crate) async fn handshake(&self, socket: TcpStream) -> Result<TlsStream<TcpStream>, Refused> {
        match timeout(HANDSHAKE_TIMEOUT, self.shake(socket)).await {
            Ok(shaken) => shaken,
            Err(_) => Err(Refused::Failed(io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long"))),
        }
    }

    async fn shake(&self, mut socket: TcpStream) -> Result<TlsStream<TcpStream>, Refused> {
        let (mut acceptor, mut chunk, mut bytes) = (Acceptor::default(), [0; 2 << 10], 0);
        let accepted = loop {
            let read = socket.read(&mut chunk).await?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            // A handshake begins with the byte 22, and a request with the name of its method.
            if bytes == 0 && chunk[0].is_ascii_uppercase() {
                return Err(Refused::PlainHttp(socket));
            }
            bytes += read;
            if bytes > MAX_HELLO_BYTES {
                return Err(io::Error::other("the first message is too long").into());
            }
            let mut rest = &chunk[..read];
            while !rest.is_empty() {
                acceptor.read_tls(&mut rest)?;
            }
            match acceptor.accept() {
                Ok(Some(accepted)) => break accepted,
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let mut told = Vec::new();
                    alert.write_all(&mut told)?;
                    socket.write_all(&told).await?;
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error).into());
                }
            }
        };
        if self.refuses(&accepted.client_hello()) {
            socket.write_all(&UNRECOGNIZED_NAME).await?;
            return Err(io::Error::other("there is no certificate for the name").into());
        }
        Ok(StartHandshake::from_parts(accepted, socket).into_stream(self.config.clone()).await?)
    }

    /// True if there is no certificate for the name that the client asks for, and such clients are refused.
    fn refuses(&self, hello: &ClientHello<'_>) -> bool {
        let is_unknown = |name: &str| !self.certificates.has(&name.to_ascii_lowercase());
        self.only_known_names && hello.server_name().is_some_and(is_unknown)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}
