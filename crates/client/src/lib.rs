//! The `EventSource` of browsers, for Rust programs.
#![forbid(unsafe_code)]

mod attempt;
mod builder;
mod clock;
mod config;
mod connect;
mod connection;
mod content_type;
#[cfg_attr(not(test), allow(dead_code, unused_imports, reason = "not yet between a response and the parser"))]
mod decode;
mod error;
mod event_source;
mod events;
mod handle;
mod keeper;
mod listeners;
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
pub use error::{BoxError, Cause, EXCERPT_BYTES, Error, RedirectError};
pub use event_source::{EventSource, Signals};
pub use events::{Blocking, Events, Until};
#[cfg(feature = "json")]
pub use events::{Json, JsonEvent};
pub use fanfare_event_stream::{Limits, ParseError};
pub use handle::Handle;
pub use listeners::{ErrorEvent, Listeners};
pub use message_event::{MessageEvent, Origin};
pub use reconnect::{MAX_RECONNECTION_TIME, Reconnect};
pub use signal::{Opened, ReadyState, Signal, Warning};
pub use store::{Acknowledge, FileStore, FileStoreError, MAX_FILE_BYTES, MemoryStore, Store, StoreFuture};
pub use text::Text;
