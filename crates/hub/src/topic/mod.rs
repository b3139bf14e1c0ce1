//! Topics: the names under which updates are published, and the matchers that select topics.
pub(crate) mod candidate;
mod invalid_matcher;
mod linear_regex;
pub mod matcher;
mod name;
mod pattern;
mod pattern_cache;
pub(crate) mod pattern_index;
pub mod uri_template;
pub mod url_pattern;

pub use linear_regex::{MAX_COMPILED_BYTES, MAX_MATCH_STEPS};
pub use name::{InvalidTopic, MAX_TOPIC_BYTES, PRESENCE_TOPICS, Topic, forbidden_character};
pub use pattern_cache::{MAX_CACHED_BYTES, MAX_CACHED_PATTERNS, Patterns};
