//! The crate from outside: every rule of the format, each fed whole, byte by byte and cut in two everywhere.
mod blocks;
mod chunking;
mod comments;
mod encoding;
mod finishing;
mod limits;
mod parsing;
mod reconnecting;
#[path = "../reference/mod.rs"]
mod reference;
mod round_trip;
mod skipping;
mod stream;
mod without_data;
