//! A request of a client, read byte for byte.
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A request of a client.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Method, target and version.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The only header of this name, byte for byte.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.iter().filter(|(held, _)| held == name).map(|(_, value)| value.as_slice());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }

    pub(crate) fn last_event_id(&self) -> &str {
        std::str::from_utf8(self.header("last-event-id").unwrap_or_default()).expect("the ID is UTF-8")
    }

    /// Reads one; `None` if the client went away before it was whole.
    pub(crate) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head_bytes = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let mut body = bytes.split_off(head_bytes + 4);
        let mut lines = bytes[..head_bytes].split(|&byte| byte == b'\n').map(|line| line.trim_ascii());
        let line = String::from_utf8(lines.next()?.to_vec()).ok()?;
        let headers = lines.map(|line| {
            let colon = line.iter().position(|&byte| byte == b':').expect("a header has a colon");
            (String::from_utf8_lossy(&line[..colon]).to_lowercase(), line[colon + 1..].trim_ascii().to_vec())
        });
        let mut request = Self { line, headers: headers.collect(), body: Vec::new() };
        let length = request.header("content-length").map_or("0", |value| std::str::from_utf8(value).expect("digits"));
        let length: usize = length.parse().expect("a length");
        while body.len() < length {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        request.body = body;
        Some(request)
    }
}
