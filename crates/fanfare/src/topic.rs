//! Checks topics that are given as arguments. If an argument is not a topic, the command fails before it sends a
//! request.
use fanfare_hub::topic::{
    InvalidTopic, Topic,
    matcher::{InvalidMatcher, MAX_MATCHER_BYTES, Matcher},
};
use std::fmt;

/// The reason why an argument is not a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidArgument {
    /// The argument is empty, like a variable of the shell that was never set.
    Empty,
    /// The argument has only spaces.
    Blank,
    /// The argument cannot be a topic.
    Topic(InvalidTopic),
    /// The argument is not a valid matcher of topics.
    Matcher(InvalidMatcher),
}

/// Parses the topic of a publication.
///
/// # Errors
/// [`InvalidArgument`] says what is wrong with the text.
pub(crate) fn topic(text: &str) -> Result<Topic, InvalidArgument> {
    not_blank(text)?;
    Topic::new(text).map_err(InvalidArgument::Topic)
}

/// Checks and returns a topic, or a matcher of topics: `*` or a URI Template.
///
/// # Errors
/// [`InvalidArgument`] says what is wrong with the text.
pub(crate) fn matcher(text: &str) -> Result<String, InvalidArgument> {
    not_blank(text)?;
    let is_stream = text.starts_with("http://") || text.starts_with("https://");
    match text.len() {
        bytes if bytes > MAX_MATCHER_BYTES && !is_stream => {
            Err(InvalidArgument::Topic(InvalidTopic::TooLong { bytes, limit: MAX_MATCHER_BYTES }))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Parses a matcher of topics that the command itself uses, without asking a hub: `*`, a URI Template, or a topic.
///
/// # Errors
/// [`InvalidArgument`] says what is wrong with the text.
pub(crate) fn selector(text: &str) -> Result<Matcher, InvalidArgument> {
    not_blank(text)?;
    Matcher::legacy_selector(text).map_err(InvalidArgument::Matcher)
}

fn not_blank(text: &str) -> Result<(), InvalidArgument> {
    match text.trim() {
        _ if text.is_empty() => Err(InvalidArgument::Empty),
        "" => Err(InvalidArgument::Blank),
        _ => Ok(()),
    }
}

impl fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic cannot be empty; is a variable of the shell not set?"),
            Self::Blank => f.write_str("a topic cannot consist of spaces only"),
            Self::Topic(InvalidTopic::Wildcard) => {
                f.write_str("'*' is not a topic, but matches every topic: publish under a single topic")
            }
            Self::Topic(error) => error.fmt(f),
            Self::Matcher(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidArgument {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_topic_is_told() {
        assert_eq!(topic("news").map(|topic| topic.to_string()).as_deref(), Ok("news"));
        for (text, error) in [("", InvalidArgument::Empty), (" \t", InvalidArgument::Blank)] {
            assert_eq!((topic(text), matcher(text)), (Err(error.clone()), Err(error)), "{text:?}");
        }
        assert_eq!(topic("*"), Err(InvalidArgument::Topic(InvalidTopic::Wildcard)));
        assert_eq!(topic("a\nb"), Err(InvalidArgument::Topic(InvalidTopic::Character('\n'))));
        assert_eq!(matcher("*").as_deref(), Ok("*"));
        let long = "x".repeat(MAX_MATCHER_BYTES + 1);
        assert!(topic(&long).is_err() && matcher(&long).is_err() && matcher(&format!("http://h/{long}")).is_ok());
    }
}
