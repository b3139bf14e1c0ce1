//! A server of HTTP/2 that plays a script, frame by frame
//! ([RFC 9113, 6](https://www.rfc-editor.org/rfc/rfc9113#section-6)).
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Kinds of frames.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags of HEADERS.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, as HPACK's static table has it.
const STATUS_200: &[u8] = &[0x88];

/// One thing that the server does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Says how many streams it allows, or nothing of it.
    Settings(Option<u32>),
    /// Waits for the next request.
    Request,
    /// Answers the last request, wholly.
    Answer,
    /// Answers the last request with a body that does not end.
    Stream,
    /// Resets the stream of the last request with this code.
    Reset(u32),
    /// Goes away with this code; the stream of the last request is one that it has not looked at.
    GoAwayBefore(u32),
    /// Goes away with this code; the stream of the last request is one that it has looked at.
    GoAwayAfter(u32),
}

/// A server, one script a connection. A connection is closed at the end of its script.
pub struct Scripted {
    pub url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Scripted {
    pub async fn start(scripts: &'static [&'static [Act]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (accepted, asked) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            for script in scripts {
                let (socket, _) = listener.accept().await.expect("a connection");
                accepted.fetch_add(1, SeqCst);
                tokio::spawn(play(socket, script, Arc::clone(&asked)));
            }
        });
        Self { url, connections, requests }
    }

    /// The number of connections that it accepted, and of requests that it read on them.
    pub fn counts(&self) -> (usize, usize) {
        (self.connections.load(SeqCst), self.requests.load(SeqCst))
    }
}

async fn play(mut socket: TcpStream, script: &[Act], requests: Arc<AtomicUsize>) -> Option<()> {
    let mut preface = [0; PREFACE.len()];
    socket.read_exact(&mut preface).await.ok()?;
    assert_eq!(preface, PREFACE);
    let mut last = 0_u32;
    for act in script {
        let frame = match *act {
            Act::Settings(None) => frame(SETTINGS, 0, 0, &[]),
            Act::Settings(Some(streams)) => frame(SETTINGS, 0, 0, &[&[0, 3][..], &streams.to_be_bytes()].concat()),
            Act::Request => {
                last = request(&mut socket).await?;
                requests.fetch_add(1, SeqCst);
                continue;
            }
            Act::Answer => frame(HEADERS, END_STREAM | END_HEADERS, last, STATUS_200),
            Act::Stream => frame(HEADERS, END_HEADERS, last, STATUS_200),
            Act::Reset(code) => frame(RST_STREAM, 0, last, &code.to_be_bytes()),
            Act::GoAwayBefore(code) => go_away(last - 2, code),
            Act::GoAwayAfter(code) => go_away(last, code),
        };
        socket.write_all(&frame).await.ok()?;
    }
    Some(())
}

/// Reads up to the next request, and says on which stream it is.
async fn request(socket: &mut TcpStream) -> Option<u32> {
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, _, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        socket.read_exact(&mut payload).await.ok()?;
        if kind == HEADERS {
            return Some(u32::from_be_bytes(id));
        }
    }
}

fn go_away(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("frames of tests are short");
    [&[0, 0, length, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}
