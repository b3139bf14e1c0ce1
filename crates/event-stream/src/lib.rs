//! The `text/event-stream` format of [WHATWG HTML,
//! 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html): events, their encoder and an incremental
//! parser. The crate does no I/O, and needs no clock, no runtime and no `unsafe`.
//!
//! ```
//! use fanfare_event_stream::{Chunk, Parser};
//!
//! let mut parser = Parser::new();
//! let mut chunk = Chunk::new(b"event: greeting\nid: 7\ndata: hello\n\ndata: half an ev");
//! while let Some(event) = parser.next_event(&mut chunk)? {
//!     assert_eq!((event.event_type, event.data, event.last_event_id), ("greeting", "hello", "7"));
//! }
//! let mut chunk = Chunk::new(b"ent\n\n");
//! let event = parser.next_event(&mut chunk)?.expect("an event");
//! assert_eq!((event.event_type, event.data, event.last_event_id), ("message", "half an event", "7"));
//! # Ok::<(), fanfare_event_stream::ParseError>(())
//! ```
//!
//! The result does not depend on how a stream is divided into chunks. An event is returned as soon as the blank line
//! that ends it has arrived. An event borrows from the chunk or the parser, so it can be used only until the next event
//! is read; [`EventRef::to_event`] makes a copy that the program can keep. The memory of a parser is bounded by its
//! [`Limits`].
//!
//! With the feature `std`, the search for line ends uses the widest instructions that the processor has. Only the speed
//! changes. If another crate of the program enables the feature `std` of `memchr`, the search is this fast in any case.
//!
//! # Fuzzing
//!
//! In `fuzz/`, with a stable compiler and nothing else installed: `cargo run --release --bin parse --
//! -max_total_time=20` compares the parser, with every division into chunks, with a simple reader that follows the text
//! of the standard. `cargo run --release --bin round_trip -- -max_total_time=20` decodes what was encoded. The
//! directories are laid out as for `cargo fuzz`.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod encode;
mod event;
mod event_id;
mod event_type;
mod limits;
mod parser;

pub use encode::{Fields, encode_comment};
pub use event::{BlockRef, Data, Event, EventRef};
pub use event_id::{EventId, InvalidEventId};
pub use event_type::{EventType, InvalidEventType};
pub use limits::{Limits, ParseError};
pub use parser::{Chunk, Item, Parser};
