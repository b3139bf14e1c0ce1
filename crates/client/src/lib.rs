//! The `EventSource` of browsers, for Rust programs.
#![forbid(unsafe_code)]

mod attempt;
mod builder;
mod clock;
mod config;
mod connect;
mod connection;
mod content_type;
mod decode;
mod error;
mod event_source;
mod handle;
mod keeper;
mod message_event;
mod reconnect;
mod retry_after;
mod session;
mod signal;
mod store;
mod target;
mod text;
pub mod transport;

pub use attempt::{Attempt, HookError, Verdict};
pub use builder::{BuildError, Builder};
pub use clock::{Clock, ManualClock, Sleep, TokioClock};
pub use decode::{Coding, DecodeError, EncodingError};
pub use error::{BoxError, Cause, EXCERPT_BYTES, Error, RedirectError};
pub use event_source::{EventSource, Signals};
pub use fanfare_event_stream::{Limits, ParseError};
pub use handle::Handle;
pub use message_event::{MessageEvent, Origin};
pub use reconnect::{MAX_RECONNECTION_TIME, Reconnect};
pub use signal::{Opened, ReadyState, Signal, Warning};
pub use store::{Acknowledge, Store, StoreFuture};
pub use text::Text;
