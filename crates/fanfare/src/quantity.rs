//! Durations, sizes and numbers as people write them: `20s`, `1h 30m`, `7d`, `1MiB`, `1000`, and `off` for a limit that
//! does not apply.
use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{any, fmt, marker::PhantomData, num::IntErrorKind, str::FromStr, time::Duration};

/// A length of time: numbers with the units `ms`, `s`, `m`, `h`, `d` (24 hours) and `w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HumanDuration(pub Duration);

/// A number of bytes: a whole number, alone or with one of `B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`, `TB`, `TiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub u64);

/// A whole number, such as a number of subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Count(pub u64);

/// A limit that may be `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit<T> {
    /// There is no limit.
    Off,
    /// The limit is this value.
    At(T),
}

/// A type of values that people write as text: durations, sizes, numbers, and limits of these.
pub(crate) trait Quantity: FromStr<Err = Invalid<Self>> {
    /// Returns a description of the form in which people write a value, for error messages.
    fn form() -> String;
}

/// The reason why a text cannot be parsed as a value of the type `T`.
#[derive(PartialEq, Eq)]
pub(crate) enum Invalid<T> {
    /// The text does not have the form in which a value of the type `T` is written.
    Form(PhantomData<fn() -> T>),
    /// The number in the text is too large.
    TooLarge,
}

impl<T> Invalid<T> {
    const FORM: Self = Self::Form(PhantomData);

    /// Converts the error that parsing the number in a text has returned.
    fn number(error: &std::num::ParseIntError) -> Self {
        if *error.kind() == IntErrorKind::PosOverflow { Self::TooLarge } else { Self::FORM }
    }
}

impl Quantity for HumanDuration {
    fn form() -> String {
        "a duration such as 500ms, 20s, 1h 30m or 7d".to_owned()
    }
}

impl Quantity for ByteSize {
    fn form() -> String {
        "a size such as 65536, 512KiB, 1MiB or 2GB".to_owned()
    }
}

impl Quantity for Count {
    fn form() -> String {
        "a whole number such as 1000".to_owned()
    }
}

impl<T: Quantity> Quantity for Limit<T> {
    fn form() -> String {
        format!("{}, or off", T::form())
    }
}

/// The units of sizes, the largest first. A size is written with the first unit of which it is a whole multiple.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl<T> Limit<T> {
    /// Returns the limit; `None` if it is off.
    pub(crate) fn get(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::At(limit) => Some(limit),
        }
    }
}

impl FromStr for HumanDuration {
    type Err = Invalid<Self>;

    fn from_str(text: &str) -> Result<Self, Invalid<Self>> {
        let span: Span = text.trim().parse().map_err(|_| Invalid::FORM)?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| Invalid::FORM)?;
        duration.try_into().map(Self).map_err(|_| Invalid::FORM)
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        let (seconds, nanoseconds) = (self.0.as_secs(), self.0.subsec_nanos());
        match (seconds, nanoseconds) {
            (1.., 0) if seconds.is_multiple_of(DAY) => write!(f, "{}d", seconds / DAY),
            (1.., 0) if seconds.is_multiple_of(3_600) => write!(f, "{}h", seconds / 3_600),
            (1.., 0) if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            (_, 0) => write!(f, "{seconds}s"),
            _ if nanoseconds.is_multiple_of(1_000_000) => write!(f, "{}ms", self.0.as_millis()),
            _ => write!(f, "{}ns", self.0.as_nanos()),
        }
    }
}

impl FromStr for ByteSize {
    type Err = Invalid<Self>;

    fn from_str(text: &str) -> Result<Self, Invalid<Self>> {
        let text = text.trim();
        let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|error| Invalid::number(&error))?;
        let unit = match unit.trim_start() {
            "" => 1,
            unit => SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or(Invalid::FORM)?.1,
        };
        number.checked_mul(unit).map(Self).ok_or(Invalid::TooLarge)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |(_, unit): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*unit);
        let (name, unit) = SIZE_UNITS.iter().find(divides).unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl FromStr for Count {
    type Err = Invalid<Self>;

    fn from_str(text: &str) -> Result<Self, Invalid<Self>> {
        text.parse().map(Self).map_err(|error| Invalid::number(&error))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Quantity> FromStr for Limit<T> {
    type Err = Invalid<Self>;

    fn from_str(text: &str) -> Result<Self, Invalid<Self>> {
        match text {
            "off" => Ok(Self::Off),
            text => text.parse().map(Self::At).map_err(|invalid| match invalid {
                Invalid::Form(_) => Invalid::FORM,
                Invalid::TooLarge => Invalid::TooLarge,
            }),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(limit) => limit.fmt(f),
        }
    }
}

impl<T: Quantity> fmt::Display for Invalid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(_) => write!(f, "expected {}", T::form()),
            Self::TooLarge => f.write_str("this number is too large"),
        }
    }
}

impl<T> fmt::Debug for Invalid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if matches!(self, Self::TooLarge) { "too large" } else { "another form" };
        write!(f, "not a {}: {reason}", any::type_name::<T>())
    }
}

impl<T: Quantity> std::error::Error for Invalid<T> {}

/// Writes a count as a number. A count that is too large for a number in TOML is written as text. Such a count is out
/// of the bounds of its option; this is reported later, when the layers of the configuration are merged.
impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(number) => serializer.serialize_i64(number),
            Err(_) => serializer.collect_str(self),
        }
    }
}

/// Reads a quantity from a configuration file. In the file it is a text, or a number if the quantity may be written
/// without a unit.
struct TextOrNumber<T>(PhantomData<T>);

impl<T: Quantity> de::Visitor<'_> for TextOrNumber<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; write a text in quotation marks", T::form())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! as_text {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de, $($generics)*> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOrNumber(PhantomData))
            }
        }
    };
}

as_text!([] HumanDuration);
as_text!([] ByteSize);
as_text!([T: Quantity + fmt::Display] Limit<T>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            ("500ms", 500),
            ("20s", 20_000),
            ("1m", 60_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("0s", 0),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(text.parse(), Ok(HumanDuration(Duration::from_millis(milliseconds))), "{text}");
        }
        // A bare number has no unit, a negative time is none, months and years have no fixed length.
        for text in ["", "20", "s", "-1s", "1mo", "1y", "1 fortnight", "9999999999999999999s"] {
            assert_eq!(text.parse::<HumanDuration>(), Err(Invalid::FORM), "{text}");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        let cases = [
            ("0", 0),
            ("65536", 65_536),
            ("1 KiB", 1_024),
            ("1kb", 1_000),
            ("1MiB", 1 << 20),
            ("3GB", 3_000_000_000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MiB", "1.5MiB", "-1", "+1", "1M"] {
            assert_eq!(text.parse::<ByteSize>(), Err(Invalid::FORM), "{text}");
        }
        for text in ["18446744073709551616", "16777216TiB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(Invalid::TooLarge), "{text}");
        }
    }

    #[test]
    fn a_count_is_a_whole_number() {
        assert_eq!("18446744073709551615".parse(), Ok(Count(u64::MAX)));
        for text in ["", "1.5", "-1", "1k"] {
            assert_eq!(text.parse::<Count>(), Err(Invalid::FORM), "{text}");
        }
        assert_eq!("18446744073709551616".parse::<Count>(), Err(Invalid::TooLarge));
    }

    #[test]
    fn what_is_written_reads_back_unchanged() {
        for milliseconds in [0, 1, 1_500, 20_000, 90_000, 7_200_000, 604_800_000] {
            let duration = HumanDuration(Duration::from_millis(milliseconds));
            assert_eq!(duration.to_string().parse(), Ok(duration));
        }
        let nanoseconds = HumanDuration(Duration::from_nanos(1_000_001));
        assert_eq!(nanoseconds.to_string().parse(), Ok(nanoseconds));
        for bytes in [0, 1, 1_000, 1_024, 1_025, 1 << 20, 1_500_000, 1 << 30, u64::MAX] {
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
        assert_eq!(ByteSize(1 << 30).to_string(), "1GiB");
        assert_eq!(HumanDuration(Duration::from_secs(604_800)).to_string(), "7d");
    }

    #[test]
    fn a_limit_may_be_off() {
        assert_eq!("off".parse(), Ok(Limit::<ByteSize>::Off));
        assert_eq!("1B".parse(), Ok(Limit::At(ByteSize(1))));
        assert_eq!(Limit::<ByteSize>::Off.get(), None);
        let invalid = ["none", "16777216TiB"].map(|text| text.parse::<Limit<ByteSize>>().unwrap_err().to_string());
        assert_eq!(invalid, ["expected a size such as 65536, 512KiB, 1MiB or 2GB, or off", "this number is too large"]);
    }
}
