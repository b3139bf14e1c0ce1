//! Events for people: a line with time, topics, type and ID, and the data. Short data is on the same line, longer data
//! below it, and JSON has a line for each field.
//!
//! Text from the network never reaches the terminal unchanged: control characters, which could move the cursor or forge
//! lines, are shown as escapes.
use crate::{
    shown::printable,
    subscribe::{
        json::Json,
        received::{GAP, Received},
    },
};
use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    borrow::Cow,
    io::{self, Write},
};

const TIME: Style = Style::new().dimmed();
const TOPIC: Style = AnsiColor::Cyan.on_default();
const TYPE: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ID: Style = Style::new().dimmed();

/// The greatest number of characters of data that stay on the line of the event, if the data is one line.
const MAX_INLINE_CHARACTERS: usize = 60;
const INDENT: &str = "    ";

/// Writes `event` with colours. The writer removes the colours where they are not wanted.
pub(super) fn write(event: &Received, out: &mut impl Write) -> io::Result<()> {
    let style = if event.event_type == GAP { WARNING } else { TYPE };
    write!(out, "{TIME}{}{TIME:#}", time_of_day(event.time_ms))?;
    if let Some(origin) = &event.origin {
        write!(out, " {ID}{}{ID:#}", printable(origin))?;
    }
    if let Some(topics) = &event.topics {
        write!(out, " {TOPIC}{}{TOPIC:#}", printable(&topics.join(" ")))?;
    }
    write!(out, " {style}{}{style:#}", printable(&event.event_type))?;
    if !event.id.is_empty() {
        write!(out, " {ID}{}{ID:#}", printable(&event.id))?;
    }
    let inline = !event.data.contains(['\r', '\n']) && event.data.chars().count() <= MAX_INLINE_CHARACTERS;
    if inline {
        return writeln!(out, "  {}", printable(&event.data));
    }
    let data = indented_json(&event.data).map_or(Cow::Borrowed(event.data.as_str()), Cow::Owned);
    writeln!(out)?;
    data.lines().try_for_each(|line| writeln!(out, "{INDENT}{}", printable(line)))
}

/// Returns the time of day in the time zone of this machine.
fn time_of_day(time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

/// Returns `data` with a line for each field, if it is a JSON object or array. The order of fields, repeated names
/// and the form of numbers stay as they are.
fn indented_json(data: &str) -> Option<String> {
    if !data.trim_start().starts_with(['{', '[']) {
        return None;
    }
    Json::parse(data)?.indented()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(data: &str) -> String {
        let event = Received {
            id: "#7".into(),
            topics: Some(vec!["a".into(), "b".into()]),
            event_type: "news".into(),
            data: data.into(),
            ..Received::default()
        };
        let mut out = anstream::StripStream::new(Vec::new());
        write(&event, &mut out).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        // The time of day depends on where the test runs; its form does not.
        let (time, rest) = text.split_at(12);
        assert!(time.ends_with(":00.000"), "{time}");
        rest.to_owned()
    }

    #[test]
    fn short_text_stays_on_its_line_and_json_is_indented() {
        let cases = [
            ("hello", " a b news #7  hello\n"),
            ("", " a b news #7  \n"),
            ("7", " a b news #7  7\n"),
            ("one\ntwo", " a b news #7\n    one\n    two\n"),
            (r#"{"z":1}"#, " a b news #7  {\"z\":1}\n"),
            (
                "{\"z\":1,\n\"a\":[true]}",
                " a b news #7\n    {\n      \"z\": 1,\n      \"a\": [\n        true\n      ]\n    }\n",
            ),
            ("{not\njson", " a b news #7\n    {not\n    json\n"),
            ("[1]\n2", " a b news #7\n    [1]\n    2\n"),
        ];
        for (data, wanted) in cases {
            assert_eq!(plain(data), wanted, "{data}");
        }
        let long = "x".repeat(MAX_INLINE_CHARACTERS);
        assert_eq!(plain(&long), format!(" a b news #7  {long}\n"));
        assert_eq!(plain(&format!("{long}x")), format!(" a b news #7\n    {long}x\n"));
    }

    #[test]
    fn the_terminal_gets_no_control_characters_from_outside() {
        let shown = plain("\u{1b}[2J\u{9b}31m\ta\u{7f}");
        assert_eq!(shown, " a b news #7  \\u{1b}[2J\\u{9b}31m\ta\\u{7f}\n");
        assert_eq!(plain("a\rb"), " a b news #7\n    a\\rb\n");
    }
}
