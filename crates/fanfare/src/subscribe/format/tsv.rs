//! A line an event, its parts between tabs, for the tools that work on lines.
use crate::subscribe::received::Received;
use std::io::{self, Write};

/// Writes ID, type and data.
pub(super) fn write(event: &Received, out: &mut impl Write) -> io::Result<()> {
    let [id, event_type, data] = [&event.id, &event.event_type, &event.data].map(|text| escape(text));
    writeln!(out, "{id}\t{event_type}\t{data}")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_three_parts() {
        let event = Received {
            id: "a\tb".into(),
            event_type: "message".into(),
            data: "one\ntwo\r\\n".into(),
            ..Received::default()
        };
        let mut out = Vec::new();
        write(&event, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\tmessage\tone\\ntwo\\r\\\\n\n");
    }
}
