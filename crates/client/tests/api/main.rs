//! `EventSource` as a whole, against a server that speaks raw bytes.
//!
//! Each rule of WHATWG HTML 9.2 has a test with the number that it has in the project's checklist. Those of the parser
//! are tested one by one and exhaustively beside it: here they show that connections, chunks, redirects and resumption
//! come to the same.
//!
//! | rule | tested in |
//! |---|---|
//! | P1 to P8: decoding, lines, chunks | `decoding`, `chunking` |
//! | P9 to P17: fields | `fields` |
//! | P18 to P25: events and their IDs | `dispatch` |
//! | C1 to C6: the request and the response | `connecting` |
//! | C7: redirects | `redirects` |
//! | C8, C10: connections that fail or end | `reconnecting` |
//! | C9, C12, C13, C16: closing | `closing` |
//! | C11: `Last-Event-ID` | `resuming` |
//! | C14: CORS | not for a program, which has no origin of its own; what corresponds is that credentials stay with theirs: `redirects` |
//! | C15: DOM events | not for a program; what corresponds is which signals come, in which order: `reconnecting` |
mod chunking;
mod closing;
mod connecting;
mod connection;
mod cookies;
mod decoding;
mod dispatch;
mod fields;
mod fixture;
mod handle;
mod healthy;
mod hooks;
mod limits;
mod log;
mod notes;
mod opening;
mod passing_on;
mod reconnecting;
mod redirects;
mod request;
mod requests;
mod resuming;
mod secrets;
mod server;
mod signals;
mod skipping;
mod stores;
mod timeouts;
