//! The report of `fanfare lint`, as text for people and as JSON for programs.
use super::{
    finding::{Finding, Severity, count},
    headers::value,
    observe::{End, Observation},
};
use crate::shown::printable;
use anstyle::{AnsiColor, Style};
use fanfare_mask::masked_url;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use std::{
    io::{self, Write},
    time::Duration,
};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();

/// A summary of a stream, and the findings about it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The URL that the response came from, after redirects.
    url: String,
    status: u16,
    version: String,
    content_type: Option<String>,
    head_ms: u64,
    observed_ms: u64,
    bytes: usize,
    /// The number of pieces in which the bytes arrived; a piece is the bytes that arrived within a millisecond.
    pieces: usize,
    events: usize,
    comments: usize,
    /// The median time between two comments, in milliseconds; `None` if it is not known.
    heartbeat_ms: Option<u64>,
    /// True if the server ended the response, or its connection broke.
    ended: bool,
    /// True if the connection broke.
    #[serde(skip)]
    broke: bool,
    errors: usize,
    warnings: usize,
    notes: usize,
    /// The findings, the most severe ones first.
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(observation: &Observation, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.rule.severity);
        let number = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count();
        let (errors, warnings, notes) = (number(Severity::Error), number(Severity::Warning), number(Severity::Note));
        let recording = &observation.recording;
        Self {
            url: masked_url(&observation.head.uri.to_string()).into_owned(),
            status: observation.head.status.as_u16(),
            version: format!("{:?}", observation.head.version),
            content_type: value(observation, &CONTENT_TYPE),
            head_ms: ms(observation.head.after),
            observed_ms: ms(observation.lasted),
            bytes: recording.bytes.len(),
            pieces: recording.arrivals.len(),
            events: recording.events.len(),
            comments: recording.comments.len(),
            heartbeat_ms: recording.heartbeat().map(ms),
            ended: observation.end != End::Stopped,
            broke: matches!(observation.end, End::Broken(_)),
            errors,
            warnings,
            notes,
            findings,
        }
    }

    /// Returns the number of errors.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Writes the report as one JSON object on one line.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes the report for people, with colours. The writer removes the colours where they are not wanted.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let content_type = self.content_type.as_deref().unwrap_or("no content type");
        writeln!(out, "{}", printable(&self.url))?;
        write!(
            out,
            "{DIM}{} {}, {}, head after {} ms; ",
            self.version,
            self.status,
            printable(content_type),
            self.head_ms
        )?;
        let (events, comments) = (count(self.events, "event"), count(self.comments, "comment"));
        let (bytes, pieces, time) = (count(self.bytes, "byte"), count(self.pieces, "piece"), seconds(self.observed_ms));
        let end = match (self.ended, self.broke) {
            (_, true) => ", and then the connection broke",
            (true, false) => ", and then the response ended",
            (false, false) => "",
        };
        write!(out, "{events}, {comments}, {bytes} in {pieces}, in {time}{end}")?;
        if let Some(heartbeat) = self.heartbeat_ms {
            write!(out, "; a comment about every {}", seconds(heartbeat))?;
        }
        writeln!(out, "{DIM:#}")?;
        self.findings.iter().try_for_each(|finding| write_finding(finding, out))?;
        let [errors, warnings, notes] = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .map(|(number, one)| count(number, one));
        writeln!(out, "\n{errors}, {warnings}, {notes}")
    }
}

fn write_finding(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let (style, severity) = match finding.rule.severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Note => (NOTE, "note"),
    };
    writeln!(out, "\n{style}{severity}{style:#} {}", finding.rule.name)?;
    writeln!(out, "  seen: {}", printable(&finding.seen))?;
    writeln!(out, "  why:  {}", finding.rule.why)?;
    writeln!(out, "  do:   {}", finding.rule.advice)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", Duration::from_millis(ms).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::Rule, observe::tests::observed};

    const BAD: Rule = Rule { name: "bad", severity: Severity::Error, why: "because", advice: "otherwise" };
    const ODD: Rule = Rule { name: "odd", severity: Severity::Note, ..BAD };

    #[test]
    fn the_report_is_for_people_and_for_programs() {
        let observation =
            observed(&[("content-type", "text/event-stream")], &[(0, b":\n"), (15_000, b":\n\ndata: x\n\n")]);
        let report = Report::new(&observation, vec![ODD.broken("\u{1b}[2J"), BAD.broken("x")]);
        let mut out = anstream::StripStream::new(Vec::new());
        report.write_text(&mut out).unwrap();
        let expected = "http://a.example/\n\
            HTTP/2.0 200, text/event-stream, head after 0 ms; 1 event, 2 comments, 14 bytes in 2 pieces, in 15.0 s; \
            a comment about every 15.0 s\n\n\
            error bad\n  seen: x\n  why:  because\n  do:   otherwise\n\n\
            note odd\n  seen: \\u{1b}[2J\n  why:  because\n  do:   otherwise\n\n\
            1 error, 0 warnings, 1 note\n";
        assert_eq!(String::from_utf8(out.into_inner()).unwrap(), expected);
        let mut out = Vec::new();
        report.write_json(&mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json["errors"], &json["heartbeat_ms"]), (&1.into(), &15_000.into()));
        let finding = serde_json::json!(
            {"rule": "bad", "severity": "error", "seen": "x", "why": "because", "advice": "otherwise"}
        );
        assert_eq!((&json["findings"][0], report.errors()), (&finding, 1));
    }
}
