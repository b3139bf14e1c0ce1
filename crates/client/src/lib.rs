//! `EventSource` for Rust: connect, decode, reconnect, resume.
