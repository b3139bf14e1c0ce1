//! Things that are often wanted of a stream of events: an end, JSON, no `async`.
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

/// More to do with an [`EventSource`](crate::EventSource), and with every stream that has its errors: what `filter` of
/// `futures` makes of one, for example.
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
    /// Ends with the event whose data is `marker`, which is not given. The stream behind it is dropped at once, which
    /// ends its connection. If it ends before that event an answer is not whole, and that is an error, also where the
    /// program itself has closed the event source: [`Error::Unfinished`].
    fn until(self, marker: impl Into<Text>) -> Until<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        Until::new(self, marker.into(), false)
    }

    /// Ends as [`until`](Self::until) does, with the first event whose data begins with `marker`: for ends that say
    /// more, such as `[DONE] 17 tokens`.
    fn until_prefix(self, marker: impl Into<Text>) -> Until<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        Until::new(self, marker.into(), true)
    }

    /// Passes over events of all types but these, before [`json`](Self::json) for example: a stream may say `ping`
    /// between what is JSON. Events without a type are of the type `message`. Put it behind [`until`](Self::until),
    /// which would not see its marker otherwise.
    fn of_types<T: Into<Text>>(self, types: impl IntoIterator<Item = T>) -> OfTypes<Self>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
    {
        OfTypes::new(self, types.into_iter().map(Into::into).collect())
    }

    /// Reads the data of each event as JSON. Data that is not JSON does not end the stream.
    #[cfg(feature = "json")]
    fn json<T>(self) -> Json<Self, T>
    where
        Self: Stream<Item = Result<MessageEvent, Error>>,
        T: serde::de::DeserializeOwned,
    {
        Json::new(self)
    }

    /// An iterator that waits for each item, for programs without `async`.
    ///
    /// # Errors
    /// Fails if the system has nothing left to make a runtime of: threads, file descriptors.
    fn blocking(self) -> io::Result<Blocking<Self>> {
        Blocking::new(self)
    }
}

impl<S, T> Events for S where S: Stream<Item = Result<T, Error>> {}
