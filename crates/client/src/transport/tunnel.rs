//! Asks a proxy to connect to a server ([RFC 9110, 9.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6)).
use super::error::{Failure, HyperError};
use http::{HeaderValue, StatusCode};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The longest head, in bytes, of a proxy's answer to CONNECT.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// Asks the proxy at the other end of `connection` to connect to `authority`, which includes a port.
pub(super) async fn open<T: Read + Write + Unpin>(
    connection: T,
    authority: &str,
    authorization: Option<&HeaderValue>,
) -> Result<T, HyperError> {
    let mut io = TokioIo::new(connection);
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(authorization) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let broken = |error| HyperError::new(Failure::Proxy, error);
    io.write_all(&request).await.map_err(broken)?;
    io.flush().await.map_err(broken)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD_BYTES {
            return Err(HyperError::new(Failure::Proxy, "the head of its answer is too long"));
        }
        // The head is read byte by byte, because the bytes after it come from the server, and must stay unread for the
        // caller.
        head.push(io.read_u8().await.map_err(broken)?);
    }
    match status(&head) {
        Some(status) if status.is_success() => Ok(io.into_inner()),
        Some(status) => Err(HyperError::plain(Failure::ProxyRefused(status))),
        None => Err(HyperError::new(Failure::Proxy, "its answer is not HTTP")),
    }
}

/// Parses the status in the head of an answer.
fn status(head: &[u8]) -> Option<StatusCode> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let (version, rest) = rest.split_first()?;
    let code = rest.strip_prefix(b" ")?.get(..3)?;
    version.is_ascii_digit().then(|| StatusCode::from_bytes(code).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read() {
        let cases: [(&[u8], Option<u16>); 6] = [
            (b"HTTP/1.1 200 Connected\r\n\r\n", Some(200)),
            (b"HTTP/1.0 407\r\n\r\n", Some(407)),
            (b"HTTP/1.1 20\r\n\r\n", None),
            (b"HTTP/1.1 \r\n\r\n", None),
            (b"SSH-2.0\r\n\r\n", None),
            (b"\r\n\r\n", None),
        ];
        for (head, expected) in cases {
            assert_eq!(status(head).map(|status| status.as_u16()), expected, "{}", head.escape_ascii());
        }
    }
}
