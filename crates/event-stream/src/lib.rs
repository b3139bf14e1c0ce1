//! The `text/event-stream` format of [WHATWG HTML,
//! 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html): events, their encoder and an incremental
//! parser. No I/O, no clock, no runtime, no `unsafe`.
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
//! The result does not depend on how a stream is cut into chunks, nor does the moment: a blank line ends an event. A
//! parser borrows what it gives from the chunk or from itself, so one event lives until the next is asked for;
//! [`EventRef::to_event`] keeps it. What a stream makes a parser hold is bounded by its [`Limits`].
//!
//! The feature `std` lets the search for line ends use the widest instructions that the processor turns out to have. It
//! changes speed alone; any crate of a program that enables `memchr/std` has the same effect.
//!
//! # Fuzzing
//!
//! In `fuzz/`, with a stable compiler and nothing installed: `cargo run --release --bin parse -- -max_total_time=20`
//! compares parsing, however cut, with a reference reader that takes the standard word by word, and `cargo run
//! --release --bin round_trip -- -max_total_time=20` decodes what was encoded. The layout is that of `cargo fuzz`.
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
