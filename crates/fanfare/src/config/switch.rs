//! The values `on` and `off`, for features that are on by default.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `on` or `off`. In a file it may also be `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub(crate) struct Switch(pub bool);

/// The text is neither `on` nor `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidSwitch;

/// A switch as a configuration file has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Bool(bool),
    Text(String),
}

impl FromStr for Switch {
    type Err = InvalidSwitch;

    fn from_str(text: &str) -> Result<Self, InvalidSwitch> {
        match text {
            "on" | "true" => Ok(Self(true)),
            "off" | "false" => Ok(Self(false)),
            _ => Err(InvalidSwitch),
        }
    }
}

impl TryFrom<Written> for Switch {
    type Error = InvalidSwitch;

    fn try_from(written: Written) -> Result<Self, InvalidSwitch> {
        match written {
            Written::Bool(on) => Ok(Self(on)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<Switch> for String {
    fn from(switch: Switch) -> Self {
        switch.to_string()
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "on" } else { "off" })
    }
}

impl fmt::Display for InvalidSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected on or off")
    }
}

impl std::error::Error for InvalidSwitch {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off() {
        for (text, on) in [("on", true), ("off", false), ("true", true), ("false", false)] {
            assert_eq!(text.parse(), Ok(Switch(on)));
        }
        for text in ["", "On", "yes", "0"] {
            assert_eq!(text.parse::<Switch>(), Err(InvalidSwitch), "{text}");
        }
    }
}
