//! The baseline with one `write(2)` per subscriber and event, and nothing else. If a server costs more than this
//! baseline, the server itself causes the difference.
use crate::bare_server;
use std::{
    fs::File,
    io::{self, Write},
    net::TcpListener,
};

/// Prints the listener's address, and serves until this process is killed.
///
/// # Errors
/// An error if a connection cannot be accepted, or if a subscriber's socket is full.
pub fn serve(listener: TcpListener) -> io::Result<()> {
    bare_server::serve(listener, broadcast)
}

fn broadcast(subscribers: &mut Vec<File>, event: &[u8]) -> io::Result<()> {
    let mut failed = Ok(());
    subscribers.retain_mut(|subscriber| {
        bare_server::stays(subscriber.write(event), event).unwrap_or_else(|error| {
            failed = Err(error);
            true
        })
    });
    failed
}
