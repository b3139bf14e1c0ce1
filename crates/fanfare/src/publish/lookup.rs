//! Whether the log has lines whose publication was never answered. A batch is published all or none, and stands together in
//! the log, so it is there if all of its lines are there one behind the other.
use serde::Deserialize;
use std::collections::VecDeque;

/// The longest line of a hub's that is read: the largest update, with all of its data escaped.
const MAX_LINE_BYTES: usize = 128 << 20;

/// A search in what the hub holds of one topic, as JSON lines.
#[derive(Debug)]
pub(super) struct Search<'a> {
    topic: &'a str,
    event_type: &'a str,
    lines: Vec<&'a str>,
    /// How far the search has to fall back when the line behind so many does not fit.
    fallback: Vec<usize>,
    /// The IDs of the lines that were found so far, one behind the other.
    ids: VecDeque<String>,
    found: bool,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

/// An update as a hub's JSON lines have it.
#[derive(Deserialize)]
struct Published {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    data: String,
    topics: Vec<String>,
}

/// The hub sent a line that is longer than any update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineTooLong;

impl<'a> Search<'a> {
    /// Searches for `lines`, of which there is at least one.
    pub(super) fn new(topic: &'a str, event_type: &'a str, lines: Vec<&'a str>) -> Self {
        // Knuth, Morris and Pratt: lines may repeat.
        let mut fallback = vec![0; lines.len()];
        let mut length = 0;
        for at in 1..lines.len() {
            while length > 0 && lines[at] != lines[length] {
                length = fallback[length - 1];
            }
            length += usize::from(lines[at] == lines[length]);
            fallback[at] = length;
        }
        Self { topic, event_type, lines, fallback, ids: VecDeque::new(), found: false, rest: Vec::new() }
    }

    /// Reads JSON lines on.
    ///
    /// # Errors
    /// [`LineTooLong`].
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), LineTooLong> {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            // What is no update concerns nobody here: a gap has no topics, a heartbeat is a blank line.
            if let Ok(update) = serde_json::from_slice::<Published>(&self.rest) {
                self.see(update);
            }
            self.rest.clear();
        }
        if self.rest.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(LineTooLong);
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    fn see(&mut self, update: Published) {
        if self.found || update.topics != [self.topic] || update.event_type != self.event_type {
            return;
        }
        while !self.ids.is_empty() && self.lines[self.ids.len()] != update.data {
            let length = self.fallback[self.ids.len() - 1];
            self.ids.drain(..self.ids.len() - length);
        }
        if self.lines[self.ids.len()] == update.data {
            self.ids.push_back(update.id);
        }
        self.found = self.ids.len() == self.lines.len();
    }

    /// The IDs of the lines, each ended by LF, if all were found.
    pub(super) fn found(self) -> Option<String> {
        self.found.then(|| self.ids.into_iter().map(|id| id + "\n").collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(lines: &[&str], held: &[(&str, &str)]) -> Option<String> {
        let mut search = Search::new("t", "message", lines.to_vec());
        let line = |(index, (topic, data)): (usize, &(&str, &str))| {
            format!("{{\"id\":\"{index}\",\"topics\":[\"{topic}\"],\"type\":\"message\",\"data\":\"{data}\"}}\n")
        };
        let text: String = held.iter().enumerate().map(line).collect();
        // However the bytes are cut.
        format!("\n{{\"gap\":1}}\n{text}").as_bytes().chunks(7).for_each(|chunk| search.read(chunk).unwrap());
        search.found()
    }

    #[test]
    fn a_batch_is_there_if_all_of_it_is_one_behind_the_other() {
        let held = [("t", "a"), ("t", "a"), ("u", "x"), ("t", "b"), ("t", "c")];
        let cases: [(&[&str], Option<&str>); 7] = [
            (&["a"], Some("0\n")),
            (&["a", "a", "b"], Some("0\n1\n3\n")),
            (&["a", "b"], Some("1\n3\n")),
            (&["b", "c"], Some("3\n4\n")),
            (&["a", "c"], None),
            (&["b", "c", "d"], None),
            (&["x"], None),
        ];
        for (lines, ids) in cases {
            assert_eq!(search(lines, &held).as_deref(), ids, "{lines:?}");
        }
        let repeated = ["a", "b", "a", "b", "a", "c"].map(|data| ("t", data));
        assert_eq!(search(&["a", "b", "a", "c"], &repeated).as_deref(), Some("2\n3\n4\n5\n"));
        assert_eq!(search(&["a"], &[]), None);
    }
}
