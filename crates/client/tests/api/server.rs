//! A server that speaks raw bytes, connection by connection, as a test has written them down.
use crate::{connection::Connection, request::Request};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinHandle,
};

/// The things that a server has seen so far.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    /// The numbers of the connections that are over, in the order in which they ended.
    over: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<watch::Sender<Seen>>,
    accepting: Option<JoinHandle<()>>,
    /// Keeps the port while nobody listens on it.
    _reserved: TcpSocket,
}

impl Server {
    /// Plays one connection after the other. A connection more than there are is a failure of the test: it is reset,
    /// and [`requests`](Self::requests) tells.
    pub(crate) fn start(connections: impl IntoIterator<Item = Connection>) -> Self {
        let mut connections: Vec<_> = connections.into_iter().collect();
        connections.reverse();
        Self::answering(move |_, _| connections.pop().unwrap_or_else(|| Connection::silent().reset()))
    }

    /// Answers each request as `script` says, which gets the number of the request from 0.
    pub(crate) fn answering(script: impl FnMut(usize, &Request) -> Connection + Send + 'static) -> Self {
        let mut server = Self::down();
        server.come_up(script);
        server
    }

    /// Has an address at which nobody listens: connections are refused.
    pub(crate) fn down() -> Self {
        let reserved = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = reserved.local_addr().expect("a bound socket has an address");
        Self { address, seen: Arc::default(), accepting: None, _reserved: reserved }
    }

    pub(crate) fn come_up(&mut self, mut script: impl FnMut(usize, &Request) -> Connection + Send + 'static) {
        let listener = socket(self.address).listen(64).expect("the port is ours");
        let seen = Arc::clone(&self.seen);
        self.accepting = Some(tokio::spawn(async move { accept(&listener, &seen, &mut script).await }));
    }

    /// Listens no more. Connections that stand go on.
    pub(crate) async fn go_down(&mut self) {
        let accepting = self.accepting.take().expect("the server is up");
        accepting.abort();
        let _ = accepting.await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn origin(&self) -> String {
        self.url("")
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.borrow().requests.clone()
    }

    /// Waits until there were as many requests.
    pub(crate) async fn asked(&self, requests: usize) {
        let asked = |seen: &Seen| seen.requests.len() >= requests;
        self.seen.subscribe().wait_for(asked).await.expect("the server lives as long as this");
    }

    /// Waits until the connection with this number, from 0, is over.
    pub(crate) async fn over(&self, number: usize) {
        let over = |seen: &Seen| seen.over.contains(&number);
        self.seen.subscribe().wait_for(over).await.expect("the server lives as long as this");
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_reuseport(true).expect("a port can be shared");
    socket.set_reuseaddr(true).expect("a port can be used again");
    socket.bind(address).expect("the address is free");
    socket
}

async fn accept(
    listener: &TcpListener,
    seen: &Arc<watch::Sender<Seen>>,
    script: &mut (impl FnMut(usize, &Request) -> Connection + Send + 'static),
) {
    let mut number = 0;
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection is accepted");
        stream.set_nodelay(true).expect("a socket's option");
        let Some(request) = Request::read(&mut stream).await else { continue };
        let connection = script(number, &request);
        seen.send_modify(|seen| seen.requests.push(request));
        let seen = Arc::clone(seen);
        let own = number;
        number += 1;
        tokio::spawn(async move {
            // That the client went away before the end is for the test to judge.
            let _ = connection.play(stream).await;
            seen.send_modify(|seen| seen.over.push(own));
        });
    }
}
