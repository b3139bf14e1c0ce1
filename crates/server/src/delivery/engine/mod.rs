//! Stand-in.
use mio::net::TcpStream;
use std::io::{self, Write};
#[derive(Debug)]
pub(crate) enum Engine {
    Direct,
}
pub(crate) struct Send<'a> {
    pub key: u32,
    pub socket: &'a TcpStream,
    pub bytes: &'a [u8],
}
#[derive(Debug)]
pub(crate) struct Unsent {
    pub key: u32,
    pub sent: io::Result<usize>,
}
impl Engine {
    pub(crate) fn send<'a>(&mut self, sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>) {
        for Send { key, mut socket, bytes } in sends {
            match socket.write(bytes) {
                Ok(sent) if sent == bytes.len() => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => unsent.push(Unsent { key, sent: Ok(0) }),
                sent => unsent.push(Unsent { key, sent }),
            }
        }
    }
}
