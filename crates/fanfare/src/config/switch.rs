//! The values `on` and `off`, for features that are on by default.
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, str::FromStr};

/// A value that is written `on` or `off`. `true` and `false` are accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(crate) struct Switch(pub bool);

/// The error for a text that is not `on`, `off`, `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidSwitch;

/// The visitor that reads a switch from a configuration file.
struct Written;

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

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

impl de::Visitor<'_> for Written {
    type Value = Switch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"on\" or \"off\", in quotation marks")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Switch, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switch, E> {
        Ok(Switch(on))
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
