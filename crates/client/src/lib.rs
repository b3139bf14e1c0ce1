//! The `EventSource` of browsers, for Rust programs: a stream of the events that a server sends
//! ([WHATWG HTML, 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)), over connections that come and
//! go.
//!
//! ```no_run
//! use fanfare_client::EventSource;
//! use futures_util::TryStreamExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut source = EventSource::new("https://example.com/events")?;
//! while let Some(event) = source.try_next().await? {
//!     println!("{}: {}", event.event_type, event.data);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The event source connects when it is first polled. When the connection ends, it waits and makes another one with the
//! last event ID, so a server that keeps its events leaves none out. This is not an error, and the program does not
//! notice it. An error is the last item of the stream. If the server answers 204, the stream ends without an error.
//! Dropping the event source ends its connection.
//!
//! Each section below has a program in `examples/` that runs unchanged, for example
//! `cargo run -p fanfare-client --example quick_start`. Add a URL to use another server than the one that the program
//! starts.
//!
//! # Answers of language models
//!
//! The request may have any method, and a body. The stream marks its own end, and its events contain JSON
//! (`examples/llm.rs`):
//!
//! ```no_run
//! # #[cfg(not(feature = "json"))] fn main() {}
//! # #[cfg(feature = "json")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use fanfare_client::{EventSource, Events as _};
//! use futures_util::TryStreamExt as _;
//!
//! #[derive(serde::Deserialize)]
//! struct Delta {
//!     text: String,
//! }
//!
//! let source = EventSource::builder("https://example.com/v1/answer")
//!     .method(http::Method::POST)
//!     .bearer("secret")
//!     .header("Content-Type", "application/json")
//!     .body(r#"{"stream": true, "prompt": "What is SSE?"}"#)
//!     .build()?;
//! let mut answer = source.until("[DONE]").json::<Delta>();
//! while let Some(delta) = answer.try_next().await? {
//!     print!("{}", delta.value?.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A `POST` is sent once, since it is not known what sending it again would do. When its connection breaks, the stream
//! ends with [`Error::NotRepeated`]; [`repeat_requests`](Builder::repeat_requests) changes that. A server that crashes
//! does not send the marker, and [`until`](Events::until) then returns an error. For servers that send events with a
//! type and no data there is [`events_without_data`](Builder::events_without_data), and for programs without `async`
//! there is [`blocking`](Events::blocking) (`examples/without_async.rs`).
//!
//! `examples/chat.rs` is a conversation of several turns: [`open`](EventSource::open) shows if there is an answer
//! before its first word, [`of_types`](Events::of_types) skips events that are not JSON, and
//! [`until_prefix`](Events::until_prefix) ends the stream at an event whose data has more text after the marker.
//!
//! # Workers that leave nothing out
//!
//! A [`Store`] keeps the last event ID of the events that the program has dealt with, so that the program continues
//! after them when it starts again (`examples/worker.rs`):
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use fanfare_client::{Acknowledge, EventSource, FileStore, MessageEvent, Reconnect};
//! use futures_util::TryStreamExt as _;
//! use std::time::Duration;
//! # async fn perform(job: &MessageEvent) -> std::io::Result<()> { Ok(()) }
//!
//! let mut jobs = EventSource::builder("https://example.com/jobs")
//!     .store(FileStore::new("/var/lib/worker/last-event-id"))
//!     .acknowledge(Acknowledge::Manual)
//!     .reconnect(Reconnect::resilient())
//!     .idle_timeout(Duration::from_secs(45))
//!     .build()?;
//! while let Some(job) = jobs.try_next().await? {
//!     perform(&job).await?;
//!     jobs.acknowledge(&job);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! An event counts as dealt with when the program asks for the next event, or when it acknowledges the event
//! ([`Acknowledge`]). If the program crashes before the ID of an event was saved, the event comes again: each event is
//! delivered at least once. A program that stops on purpose calls [`flush`](EventSource::flush) first.
//!
//! # Tokens that expire
//!
//! [`before_attempt`](Builder::before_attempt) sees each request before it is sent, and may wait for a new token;
//! [`on_response`](Builder::on_response) decides what a response means (`examples/token.rs`):
//!
//! ```
//! use fanfare_client::{Attempt, EventSource, HookError, Verdict};
//! use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
//! # async fn token() -> std::io::Result<String> { Ok("t".into()) }
//!
//! let source = EventSource::builder("https://example.com/events")
//!     .before_attempt(|mut attempt: Attempt| async move {
//!         let token = HeaderValue::try_from(format!("Bearer {}", token().await?))?;
//!         attempt.request.headers_mut().insert(AUTHORIZATION, token);
//!         Ok::<_, HookError>(attempt)
//!     })
//!     .on_response(|response| match response.status {
//!         // After the delay that is due, which grows while tokens are refused.
//!         StatusCode::UNAUTHORIZED => Verdict::Retry,
//!         _ => Verdict::ByPolicy,
//!     });
//! ```
//!
//! # For those who know the browser's EventSource
//!
//! [`listen`](EventSource::listen) takes callbacks (`examples/callbacks.rs`), and a [`Handle`] closes the event source
//! from within them:
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use fanfare_client::EventSource;
//! let source = EventSource::new("https://example.com/events")?;
//! let handle = source.handle();
//! source
//!     .listen()
//!     .on_open(|_| println!("open"))
//!     .on_message(|event| println!("{} from {}", event.data, event.origin))
//!     .on_error(|error| println!("{error}, {:?}", error.ready_state()))
//!     .add_event_listener("end", move |_| handle.close())
//!     .run()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! | in a browser | here |
//! |---|---|
//! | `new EventSource(url)`, relative to the page | [`EventSource::new`], absolute |
//! | `withCredentials` | headers: [`Builder::header`], [`Builder::bearer`] |
//! | `readyState`, `close()` | [`EventSource::ready_state`], [`EventSource::close`]; also on a [`Handle`] |
//! | `url` | [`EventSource::url`] |
//! | `event.data`, `lastEventId`, `origin`, `type` | [`MessageEvent`] |
//! | an `error` event without a reason | [`ErrorEvent`], [`Cause`], [`Error`] |
//! | only `GET`, no headers | [`Builder`] |
//!
//! # Showing the state
//!
//! [`signals`](EventSource::signals) returns everything that happens, in order: connections that open, the reasons why
//! they end, the time until the next attempt, comments, and warnings (`examples/status.rs`).
//!
//! # Passing events on
//!
//! A server between a stream and its readers passes everything on unchanged (`examples/axum_proxy.rs`).
//! [`Signal::to_wire`] makes bytes of events, of comments, and of blocks that are not events but set the last event ID
//! ([`Builder::blocks`]). The readers reconnect by themselves, so the server does not ([`Reconnect::never`]). With the
//! feature `serde`, [`MessageEvent`] is `Serialize`.
//!
//! # Secrets
//!
//! `Debug` output, errors and warnings of this crate show no user, password, cookie or `Authorization`. They also show
//! no value of a header or query parameter whose name says that the value is a secret. [`Masked`] hides the same values
//! in the program's own URLs. Redirects do not send such headers to another origin: see [`Builder::headers`].
//!
//! # Other transports, proxies, TLS
//!
//! Any [`tower_service::Service`] of the form that [`transport`] describes can send the requests
//! ([`Builder::transport`], `examples/own_transport.rs`): the default transport with other settings, the `reqwest`
//! client that a program already has (feature `reqwest`), or a stack of layers. A transport does not follow redirects,
//! and does not reconnect: the event source does both. Event sources that share a transport share its connections and
//! the certificates that it has read:
//!
//! ```
//! # #[cfg(feature = "hyper")] {
//! use fanfare_client::{EventSource, transport::{HyperTransport, Proxy}};
//!
//! let transport = HyperTransport::builder().proxy(Proxy::None).build();
//! let news = EventSource::builder("https://example.com/news").transport(transport.clone());
//! let jobs = EventSource::builder("https://example.com/jobs").transport(transport);
//! # }
//! # #[cfg(feature = "reqwest")] {
//! # use fanfare_client::EventSource;
//! use fanfare_client::transport::ReqwestTransport;
//!
//! let transport = ReqwestTransport::from_builder(reqwest::Client::builder())?;
//! let mail = EventSource::builder("https://example.com/mail").transport(transport);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Tests
//!
//! A test that has its own transport needs no network, and with a [`ManualClock`] it does not have to wait
//! (`examples/manual_clock.rs`). [`TokioClock`], the default, honours `tokio::time::pause`; [`Reconnect::seed`] makes
//! the delays the same in each run.
//!
//! ```
//! use fanfare_client::{Clock as _, ManualClock};
//! use futures_util::FutureExt as _;
//! use std::time::Duration;
//!
//! let clock = ManualClock::new();
//! let mut hour = clock.sleep(Duration::from_secs(3600));
//! assert!((&mut hour).now_or_never().is_none());
//! clock.advance(Duration::from_secs(3600));
//! assert!(hour.now_or_never().is_some());
//! ```
//!
//! # Defaults, and why
//!
//! | what | default | why |
//! |---|---|---|
//! | [`reconnect`](Builder::reconnect) | [`Reconnect::spec`]: the delay is 3 s or the reconnection time of the server; after failures it is random, and its upper limit doubles, up to 30 s. It never gives up, but a status other than 200 ends the event source | what servers expect of browsers. A program that runs unattended wants [`resilient`](Reconnect::resilient) |
//! | shortest delay | 100 ms | `retry: 0` must not make a client send requests without a pause |
//! | [`connect_timeout`](Builder::connect_timeout) | 30 s | a host that can be reached answers within this time |
//! | [`response_timeout`](Builder::response_timeout) | 5 min | servers send the head with the first event, and models think for long; browsers and curl wait, too |
//! | [`idle_timeout`](Builder::idle_timeout) | none | it depends on the server whether silence is a fault. Set it where the server sends comments |
//! | [`max_redirects`](Builder::max_redirects) | 20 | the limit of browsers. Credentials are not sent to another origin |
//! | [`healthy_after`](Reconnect::healthy_after) | 10 s | a stream may have no events for a while: the end of a connection that was open for this long, or that brought a comment, is not a failure |
//! | [`repeat_requests`](Builder::repeat_requests) | `GET` and other safe methods | a `POST` may cost money |
//! | [`acknowledge`](Builder::acknowledge) | when the next event is asked for | this is right for a loop that deals with one event after the other |
//! | [`limits`](Builder::limits) | 16 MiB of data per event | far more than events have, far less than a machine's memory |
//! | [`skip_large_events`](Builder::skip_large_events) | no | a loss must be reported: an event beyond the limits ends the stream |
//! | [`unfinished_events`](Builder::unfinished_events) | dropped | they may be incomplete |
//! | [`cookies`](Builder::cookies) | none | most programs identify themselves with a token |
//! | [`events_without_data`](Builder::events_without_data) | dropped | the standard says so |
//!
//! # What it costs
//!
//! The data of an event is not copied: it is a part of the buffer in which it came, so an event that is kept keeps that
//! buffer in memory, up to 128 KiB. For events that are kept long, [`detach`](MessageEvent::detach) copies only what is
//! needed. The data of an event that spans several buffers is copied once. Between two polls nothing is read except
//! into the transport's own buffer, so a slow program slows its server down, and the memory does not grow. An event
//! source has no task; the default transport has one per connection. A [`FileStore`] costs two syncs of the disk per
//! save. It does not save once per event: of the IDs that come during a save, only the last is saved next.
//!
//! # Features
//!
//! On by default: `hyper` (a transport), `http2`, `native-roots` (the system's certificates), `compression` and `json`
//! (`Events::json`, by `serde_json`). Off: `webpki-roots` (Mozilla's certificates, compiled in), `reqwest`.
#![forbid(unsafe_code)]

mod attempt;
mod builder;
mod clock;
mod content_type;
mod cookies;
mod decode;
mod driver;
mod error;
mod event_source;
mod events;
mod handle;
mod keeper;
mod listeners;
mod masked;
mod message_event;
mod reconnect;
mod retry_after;
#[cfg(feature = "serde")]
mod serialize;
mod session;
mod signal;
mod store;
mod target;
mod text;
pub mod transport;
mod unread;

pub use attempt::{Attempt, HookError, Verdict};
pub use builder::{BuildError, Builder};
pub use clock::{Clock, ManualClock, Sleep, TokioClock};
pub use cookies::CookieJar;
pub use decode::{Coding, DecodeError, EncodingError};
pub use error::{BoxError, Cause, EXCERPT_BYTES, Error, RedirectError, Refused};
pub use event_source::{EventSource, Signals};
pub use events::{Blocking, Events, OfTypes, Until};
#[cfg(feature = "json")]
pub use events::{Json, JsonEvent};
pub use fanfare_event_stream::{Limits, ParseError};
pub use handle::Handle;
pub use listeners::{ErrorEvent, Listeners};
pub use masked::Masked;
pub use message_event::{MessageEvent, Origin};
pub use reconnect::{MAX_RECONNECTION_TIME, Reconnect};
pub use signal::{Block, Opened, ReadyState, Signal, Warning};
pub use store::{Acknowledge, FileStore, FileStoreError, MemoryStore, Store, StoreFuture};
pub use text::Text;
