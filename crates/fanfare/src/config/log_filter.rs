//! The filter of the log: a level, or levels by module.
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};
use tracing_subscriber::filter::Targets;

/// The filter that selects which messages are logged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogFilter(pub Targets);

/// The error for a text that is not a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidLogFilter;

impl FromStr for LogFilter {
    type Err = InvalidLogFilter;

    fn from_str(text: &str) -> Result<Self, InvalidLogFilter> {
        // Without this check, a single word that is not a level would be the name of a module, and everything from that
        // module would be logged.
        let names_levels = text.split(',').all(|part| part.contains('=') || is_level(part));
        if !names_levels {
            return Err(InvalidLogFilter);
        }
        text.parse().map(Self).map_err(|_| InvalidLogFilter)
    }
}

fn is_level(text: &str) -> bool {
    ["off", "error", "warn", "info", "debug", "trace"].iter().any(|level| level.eq_ignore_ascii_case(text))
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for LogFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for InvalidLogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected error, warn, info, debug or trace, or levels by module such as info,fanfare_hub=debug")
    }
}

impl std::error::Error for InvalidLogFilter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_levels_by_module() {
        for text in ["info", "ERROR", "off", "info,fanfare_hub=debug", "fanfare_server=trace,warn"] {
            let filter: LogFilter = text.parse().unwrap();
            assert_eq!(filter.to_string().parse(), Ok(filter), "{text}");
        }
        for text in ["", "loud", "info,", "fanfare_hub=loud"] {
            assert_eq!(text.parse::<LogFilter>(), Err(InvalidLogFilter), "{text}");
        }
    }
}
