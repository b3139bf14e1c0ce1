//! Methods for a stream of events: end at a marker, select types, parse JSON, read without `async`.
mod blocking;
#[cfg(feature = "json")]
mod json;
mod of_types;
mod until;

pub use blocking::Blocking;
#[cfg(feature = "json")]
pub use json::{Json, JsonEvent};
pub use of_types::OfTypes;
pub use until::Until;

use crate::{Error, MessageEvent, Text};
use futures_core::Stream;
use std::io;

/// More methods for an [`EventSource`](crate::EventSource), and for every other stream with the same type of errors,
/// for example one that was made with `filter` of `futures`.
///
/// ```no_run
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use fanfare_client::{EventSource, Events as _};
///
/// #[derive(serde::Deserialize)]
/// struct Delta {
///     text: String,
/// }
///
/// let source = EventSource::new("http://localhost:3000/answer")?;
/// for event in source.until("[DONE]").json::<Delta>().blocking()? {
///     print!("{}", event?.value?.text);
/// }
/// # Ok(())
/// # }
/// ```
pub trait Events: Stream + Sized {
    /// Ends the stream at the event whose data is `marker`; the event itself is not returned. The inner stream is
    /// dropped at once, which ends its connection. If the inner stream ends before that event, the answer is not
    /// complete. Then this stream ends with [`Error::Unfinished`], even if the program itself has closed the event
    /// source.
    fn until(self, marker: impl Into<Text>) -> Until<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        Until::new(self, marker.into(), false)
    }

    /// Ends the stream as [`until`](Self::until) does, at the first event whose data begins with `marker`. This is for
    /// events whose data has more text after the marker, such as `[DONE] 17 tokens`.
    fn until_prefix(self, marker: impl Into<Text>) -> Until<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        Until::new(self, marker.into(), true)
    }

    /// Skips all events whose type is not one of `types`. This is useful before [`json`](Self::json), for example, if a
    /// server sends `ping` events between the events with JSON. Events without a type have the type `message`. Call
    /// this after [`until`](Self::until), which would otherwise not see its marker.
    fn of_types<T: Into<Text>>(self, types: impl IntoIterator<Item = T>) -> OfTypes<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        OfTypes::new(self, types.into_iter().map(Into::into).collect())
    }

    /// Parses the data of each event as JSON. Data that is not JSON does not end the stream: it becomes the error in
    /// [`JsonEvent::value`].
    #[cfg(feature = "json")]
    fn json<T>(self) -> Json<Self, T>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
        T: serde::de::DeserializeOwned,
    {
        Json::new(self)
    }

    /// Returns an iterator that waits for each item, for programs without `async`.
    ///
    /// # Errors
    /// Fails if the system has no resources left to make a runtime, such as file descriptors.
    fn blocking(self) -> io::Result<Blocking<Self>> {
        Blocking::new(self)
    }
}

impl<S, T> Events for S where S: Stream<Item = Result<T, Error>> {}
