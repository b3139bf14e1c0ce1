//! `fanfare subscribe --lint`: looks at an event stream for a while, and says what is wrong with it or worth knowing.
//!
//! [`mod@observe`] asks for the stream, by a transport ([`tap`]) that keeps a [`recording`] of what comes. Each check
//! is a function from that to a [`finding`]: [`redirects`], [`headers`] and [`cors`] for the way and the head,
//! [`framing`], [`fields`] and [`ids`] for the [`lines`], [`timing`] for when they came. Two need another answer beside
//! the first: [`resume`] and [`coding`]. [`report`] prints what was found.
mod coding;
mod cors;
mod error;
mod fields;
mod finding;
mod framing;
mod headers;
mod ids;
mod lines;
mod observe;
mod recording;
mod redirects;
mod report;
mod resume;
mod tap;
mod timing;

pub(crate) use error::LintError;

use super::{
    Format, SubscribeArgs, SubscribeError, request,
    source::Source,
    transport::{Shared, Transport},
};
use fanfare_client::Builder;
use finding::Finding;
use http::{Method, header::ACCEPT_ENCODING};
use observe::{Observation, Until, observe};
use report::Report;
use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

/// Asks for one stream, again and again.
struct Lint<'a> {
    source: &'a Source,
    args: &'a SubscribeArgs,
    shared: Shared,
    transport: Transport,
}

/// Looks at the one stream in `sources` for at most `time`, and prints a report.
///
/// # Errors
/// [`SubscribeError`] if there is no answer, or if there are errors in the report.
pub(super) async fn lint(sources: &[Source], args: &SubscribeArgs, time: Duration) -> Result<(), SubscribeError> {
    let [source @ (Source::Hub { .. } | Source::Url { .. })] = sources else {
        return Err(SubscribeError::Lint(LintError::Source));
    };
    if !matches!(args.print.format, None | Some(Format::Pretty | Format::Json)) {
        return Err(SubscribeError::Lint(LintError::Format));
    }
    let shared = Shared::new(args)?;
    let transport = Transport::new(source, &shared, args);
    let lint = Lint { source, args, shared, transport };
    let observation = lint.ask(Until::Known { time, events: args.select.count }, as_it_is).await?;
    let mut findings = findings(&observation);
    if is_readable(&observation) && lint.may_repeat() {
        findings.extend(lint.resume(&observation).await?);
        findings.extend(lint.compress(&observation).await?);
    }
    let report = Report::new(&observation, findings);
    print(&report, args.print.format).map_err(|error| SubscribeError::Lint(LintError::Print(error)))?;
    match report.errors() {
        0 => Ok(()),
        errors => Err(SubscribeError::Lint(LintError::Findings { errors })),
    }
}

impl Lint<'_> {
    /// Asks for the stream, in the way that `asking` says.
    async fn ask(&self, until: Until, asking: impl FnOnce(Builder) -> Builder) -> Result<Observation, SubscribeError> {
        let builder = asking(request::builder(self.source, &self.shared, self.args)?);
        observe(builder, &self.transport, self.source.party(), until).await.map_err(SubscribeError::Lint)
    }

    /// True if asking again does nothing but ask. A body may also come from where it can be read once.
    fn may_repeat(&self) -> bool {
        let request = &self.args.request;
        request.body.is_none() && request.method.as_ref().is_none_or(Method::is_safe)
    }

    async fn resume(&self, before: &Observation) -> Result<Option<Finding>, SubscribeError> {
        let Some(id) = resume::cursor(&before.recording) else {
            return Ok(None);
        };
        let asked = self.ask(Until::Event { time: resume::WAIT }, |builder| as_it_is(builder).last_event_id(id)).await;
        Ok(answered(asked)?.and_then(|resumed| resume::check(&before.recording, id, &resumed)))
    }

    async fn compress(&self, plain: &Observation) -> Result<Option<Finding>, SubscribeError> {
        let asked = self.ask(Until::Sign { time: coding::WAIT }, |builder| builder).await;
        Ok(answered(asked)?.and_then(|coded| coding::held_back(plain, &coded)))
    }
}

/// Without compression: its bytes would hide what the server writes.
fn as_it_is(builder: Builder) -> Builder {
    builder.header(ACCEPT_ENCODING, "identity")
}

/// Returns the finding, if there is an answer: that a server answers once and not again says nothing about its stream.
fn answered(asked: Result<Observation, SubscribeError>) -> Result<Option<Observation>, SubscribeError> {
    match asked {
        Err(SubscribeError::Lint(LintError::NoAnswer(_))) => Ok(None),
        asked => asked.map(Some),
    }
}

/// True if the body is an event stream, and not compressed.
fn is_readable(observation: &Observation) -> bool {
    headers::is_stream(observation) && coding::coding(observation).is_none()
}

/// Returns what all checks find that need no other answer.
fn findings(observation: &Observation) -> Vec<Finding> {
    let head = headers::CHECKS.iter().chain(&cors::CHECKS);
    let mut findings: Vec<_> = redirects::check(observation).into_iter().collect();
    findings.extend(head.filter_map(|check| check(observation)));
    findings.extend(coding::unasked(observation));
    if headers::is_stream(observation) {
        findings.extend(timing::CHECKS.iter().filter_map(|check| check(observation)));
    }
    if is_readable(observation) {
        findings.extend(framing::CHECKS.iter().filter_map(|check| check(observation)));
        let of_lines = fields::CHECKS.iter().chain(&ids::CHECKS);
        findings.extend(of_lines.filter_map(|check| check(&observation.recording)));
    }
    findings
}

fn print(report: &Report, format: Option<Format>) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::stdout());
    let written = match format {
        Some(Format::Json) => report.write_json(&mut out),
        _ => report.write_text(&mut out),
    };
    match written.and_then(|()| out.flush()) {
        // That the reader of a pipe has gone (`| head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
