//! Tests over a socket: the next event is sent only after the client has seen the last one.

use http::Request;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use super::{
    super::{ACCEPT_ENCODING, Decoded},
    encoders::encoder,
    events,
};
use crate::transport::{HyperTransport, Proxy, RequestBody, erase};

/// Answers one request with each chunk as soon as it arrives in `chunks`, and returns the head of the request.
async fn serve(listener: TcpListener, coding: &str, mut chunks: mpsc::Receiver<Vec<u8>>) -> String {
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a request"));
    }
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write_all(answer.as_bytes()).await.expect("to answer");
    while let Some(chunk) = chunks.recv().await {
        let chunk = [format!("{:x}\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat();
        socket.write_all(&chunk).await.expect("to send");
    }
    socket.write_all(b"0\r\n\r\n").await.expect("to end");
    String::from_utf8(head).expect("text")
}

#[tokio::test]
async fn events_are_seen_one_by_one_in_every_coding() {
    let transport = erase(HyperTransport::builder().proxy(Proxy::None).build());
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (send, chunks) = mpsc::channel(1);
        let server = tokio::spawn(serve(listener, coding, chunks));
        let request = Request::get(url).header("accept-encoding", ACCEPT_ENCODING).body(RequestBody::default());
        let response = transport.send(request.expect("a request")).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let mut body = Decoded::new(body, &parts.headers).expect("a known coding");

        let mut encoder = encoder(coding);
        for event in events() {
            send.send(encoder.flush(&event)).await.expect("a server");
            let mut seen = Vec::new();
            while seen.len() < event.len() {
                let frame = body.frame().await.expect("no end").expect("no error");
                seen.extend_from_slice(&frame.into_data().expect("data"));
            }
            assert!(seen == event, "{coding}");
        }
        send.send(encoder.end()).await.expect("a server");
        drop(send);
        assert!(body.frame().await.is_none(), "{coding}");
        let head = server.await.expect("no panic").to_ascii_lowercase();
        assert!(head.contains("accept-encoding: gzip, deflate, br, zstd\r\n"), "{head}");
    }
}
