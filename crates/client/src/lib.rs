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
//! It connects when it is first polled. When the connection ends it waits and makes another, with the last event ID, so
//! that a server which keeps its events leaves none out: that is no error and not seen here. An error is the last item;
//! a server that answers 204 ends the stream without one. Dropping the source ends its connection.
//!
//! The sections below each have a program in `examples/` that runs as it is:
//! `cargo run -p fanfare-client --example quick_start`, with a URL behind it for another server than the one that it
//! brings.
//!
//! # Answers of language models
//!
//! A request of any method, with a body; a stream that says itself when it is over; JSON in its events
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
//! A `POST` is sent once, since nobody knows what sending it again would do: when its connection breaks, the stream
//! ends with [`Error::NotRepeated`]. [`repeat_requests`](Builder::repeat_requests) says otherwise. And
//! [`until`](Events::until) makes an error of an answer that ends without its marker, which a server that crashes
//! does not. Servers that send events with a type and no data are heard with
//! [`events_without_data`](Builder::events_without_data). A program without `async` has [`blocking`](Events::blocking)
//! (`examples/without_async.rs`).
//!
//! A talk of several turns is in `examples/chat.rs`: [`open`](EventSource::open) says whether there is an answer before
//! its first word, [`of_types`](Events::of_types) passes over what is not JSON, and
//! [`until_prefix`](Events::until_prefix) ends with a marker that says more.
//!
//! # Workers that leave nothing out
//!
//! A [`Store`] keeps how far the work has come, for the next start of the program (`examples/worker.rs`):
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
//! An event counts as dealt with when the next one is asked for, or when the program says so ([`Acknowledge`]). What
//! was dealt with and not kept yet when the program fell over comes again: at least once, never less. Who stops on
//! purpose calls [`flush`](EventSource::flush) before.
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
//! [`listen`](EventSource::listen) takes callbacks (`examples/callbacks.rs`), and [`Handle`] is what closes from within
//! them:
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
//! | `readyState`, `url`, `close()` | the same, and on a [`Handle`] |
//! | `event.data`, `lastEventId`, `origin`, `type` | [`MessageEvent`] |
//! | an `error` event without a reason | [`ErrorEvent`], [`Cause`], [`Error`] |
//! | only `GET`, no headers | [`Builder`] |
//!
//! # A line that shows the state
//!
//! [`signals`](EventSource::signals) gives all that happens, in its order: connections that open, why they end and when
//! the next is tried, comments, warnings (`examples/status.rs`).
//!
//! # Passing events on
//!
//! A server between a stream and its readers gives them what comes as it came (`examples/axum_proxy.rs`):
//! [`Signal::to_wire`] makes bytes of events, of comments and of blocks that are not events but say how far the stream
//! has come ([`Builder::blocks`]). Its readers reconnect by themselves, so it does not ([`Reconnect::never`]). With the
//! feature `serde`, [`MessageEvent`] is `Serialize`.
//!
//! # Secrets
//!
//! The output of this crate, in `Debug`, in errors and in warnings, shows no user, password, cookie or `Authorization`,
//! and no value of a header or query parameter whose name says that it is a secret; [`Masked`] does so for URLs of the
//! program's. Redirects lead such headers to no other origin: see [`Builder::headers`].
//!
//! # Other transports, proxies, TLS
//!
//! Whatever is a [`tower_service::Service`] of the form that [`transport`] describes sends the requests
//! ([`Builder::transport`], `examples/own_transport.rs`): the default one with other settings, the `reqwest` that a
//! program has already (feature `reqwest`), or a stack of layers. It follows no redirects and tries nothing again: the
//! event source does. Where many event sources share one, they share its connections and what it knows of certificates:
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
//! With a transport that the test has written there is no network, and with a [`ManualClock`] no waiting
//! (`examples/manual_clock.rs`). [`TokioClock`], the default, honours `tokio::time::pause`; [`Reconnect::seed`] makes
//! delays the same each time.
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
//! | [`reconnect`](Builder::reconnect) | [`Reconnect::spec`]: after 3 s or what the server says, spread and doubled up to 30 s, for ever; any status but 200 is the end | what servers expect of browsers. A program that runs unattended wants [`resilient`](Reconnect::resilient) |
//! | shortest delay | 100 ms | `retry: 0` must not make a client send requests without a pause |
//! | [`connect_timeout`](Builder::connect_timeout) | 30 s | a host that is there answers sooner |
//! | [`response_timeout`](Builder::response_timeout) | 5 min | servers send the head with the first event, and models think for long; browsers and curl wait, too |
//! | [`idle_timeout`](Builder::idle_timeout) | none | only those who know the server know whether silence means anything. Set it where the server sends comments |
//! | [`max_redirects`](Builder::max_redirects) | 20 | as browsers; credentials stay with their origin |
//! | [`healthy_after`](Reconnect::healthy_after) | 10 s | quiet is healthy: a connection that was open for so long, or brought a comment, is not a failure |
//! | [`repeat_requests`](Builder::repeat_requests) | `GET` and other safe methods | a `POST` may cost money |
//! | [`acknowledge`](Builder::acknowledge) | when the next event is asked for | right for a loop that deals with one after the other |
//! | [`limits`](Builder::limits) | 16 MiB of data per event | far above any event, far below a machine's memory |
//! | [`skip_large_events`](Builder::skip_large_events) | no | what is lost must be told: an event beyond them ends the stream |
//! | [`unfinished_events`](Builder::unfinished_events) | dropped | nobody knows whether they are whole |
//! | [`cookies`](Builder::cookies) | none | a program says who it is by itself |
//! | [`events_without_data`](Builder::events_without_data) | dropped | so the standard says |
//!
//! # What it costs
//!
//! The data of an event is not copied: it is a piece of the buffer in which it came, and an event that is kept keeps
//! that buffer, up to 128 KiB. For events that stay, [`detach`](MessageEvent::detach) copies what is needed. An event
//! that spans buffers is put together once. Between two polls nothing is read beyond what the transport holds, so a
//! slow program slows its server down, and memory stays where it is. An event source has no task; the default transport
//! has one per connection. A [`FileStore`] costs two syncs of the disk per save, and saves as often as it comes to it,
//! not once per event.
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
