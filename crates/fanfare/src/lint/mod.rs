//! `fanfare lint`: observes an event stream for a while, and reports faults of the stream and facts that are worth
//! knowing.
//!
//! [`mod@observe`] requests the stream through a transport ([`tap`]) that keeps a [`recording`] of the bytes that
//! arrive. Each check is a function from an observation to a [`finding`]: [`redirects`], [`headers`] and [`cors`] check
//! redirects and the head of the response; [`framing`], [`fields`] and [`ids`] check the [`lines`]; [`timing`] checks
//! when the bytes arrived. Two checks request the stream again: [`resume`] and [`coding`]. [`report`] prints the
//! findings.
mod args;
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

pub(crate) use args::LintArgs;
pub(crate) use error::LintError;

use crate::{
    notice::notice,
    request::{self, Asking, Source, Transport},
    stdout::unless_closed,
};
use args::Format;
use fanfare_client::{Builder, Limits};
use finding::Finding;
use http::header::ACCEPT_ENCODING;
use observe::{Observation, Until, observe};
use report::Report;
use std::io::{self, BufWriter, Write};

/// The client's limit for the data of an event and for a line, in bytes. The limit is larger than the largest
/// recording, so that it never ends an observation.
const LIMIT_BYTES: usize = 4 * tap::MAX_BYTES;

/// Runs the command: observes one stream, and prints a report.
///
/// # Errors
/// [`LintError`] if the stream cannot be requested, if the report cannot be printed, or if it contains errors.
pub(crate) fn run(args: &LintArgs) -> Result<(), LintError> {
    let (hub, rewind) = (&args.request.hub.hub, &args.request.begin.rewind);
    let sources = request::find((&args.from, &args.topics), hub, rewind).map_err(LintError::Request)?;
    let [source @ (Source::Hub { .. } | Source::Url { .. })] = &sources[..] else {
        return Err(LintError::Source);
    };
    if matches!(source, Source::Hub { .. }) && !args.quiet {
        request::hint(&args.from).into_iter().for_each(notice);
    }
    let asking = Asking::new(&args.request, &sources, args.quiet).map_err(LintError::Request)?;
    let transport = asking.transport(source);
    let lint = Lint { source, args, asking, transport };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LintError::Runtime)?;
    runtime.block_on(lint.run())
}

/// A check of one stream, which requests the stream up to three times.
struct Lint<'a> {
    source: &'a Source,
    args: &'a LintArgs,
    asking: Asking<'a>,
    transport: Transport,
}

impl Lint<'_> {
    async fn run(&self) -> Result<(), LintError> {
        let until = Until::Known { time: self.args.time.0, events: self.args.count };
        let observation = self.ask(until, as_it_is).await?;
        let mut findings = findings(&observation);
        if is_readable(&observation) && self.may_repeat() {
            findings.extend(self.resume(&observation).await?);
            findings.extend(self.compress(&observation).await?);
        }
        let report = Report::new(&observation, findings);
        print(&report, self.args.format).map_err(LintError::Print)?;
        match report.errors() {
            0 => Ok(()),
            errors => Err(LintError::Findings { errors }),
        }
    }

    /// Requests the stream and observes it. `asking` adds what only this request needs, such as a header.
    async fn ask(&self, until: Until, asking: impl FnOnce(Builder) -> Builder) -> Result<Observation, LintError> {
        let limits = Limits { max_data_bytes: LIMIT_BYTES, max_line_bytes: LIMIT_BYTES, ..Limits::default() };
        let builder =
            asking(self.asking.builder(self.source, &self.transport).map_err(LintError::Request)?.limits(limits));
        observe(builder, &self.transport, self.source.party(), until).await
    }

    /// Returns true if the request may be repeated: it changes nothing on the server, and it has no body. The source of
    /// a body may be readable only once.
    fn may_repeat(&self) -> bool {
        let message = &self.args.request.message;
        message.body.is_none() && message.is_safe()
    }

    async fn resume(&self, before: &Observation) -> Result<Option<Finding>, LintError> {
        let Some(id) = resume::cursor(&before.recording) else {
            return Ok(None);
        };
        let asked = self.ask(Until::Event { time: resume::WAIT }, |builder| as_it_is(builder).last_event_id(id)).await;
        Ok(answered(asked)?.and_then(|resumed| resume::check(&before.recording, id, &resumed)))
    }

    async fn compress(&self, plain: &Observation) -> Result<Option<Finding>, LintError> {
        let asked = self.ask(Until::Sign { time: coding::WAIT }, |builder| builder).await;
        Ok(answered(asked)?.and_then(|coded| coding::held_back(plain, &coded)))
    }
}

/// Adds a header to a request that asks the server not to compress the response, because the checks of lines cannot
/// read compressed bytes.
fn as_it_is(builder: Builder) -> Builder {
    builder.header(ACCEPT_ENCODING, "identity")
}

/// Returns the observation of a further request; `None` if there was no answer. A missing answer is not an error,
/// because a server that answers only the first request may still have a stream without faults.
fn answered(asked: Result<Observation, LintError>) -> Result<Option<Observation>, LintError> {
    match asked {
        Err(LintError::NoAnswer(_)) => Ok(None),
        asked => asked.map(Some),
    }
}

/// Returns true if the body is an event stream, and not compressed.
fn is_readable(observation: &Observation) -> bool {
    headers::is_stream(observation) && coding::coding(observation).is_none()
}

/// Returns the findings of all checks that need no second response.
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

fn print(report: &Report, format: Format) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::stdout());
    let written = match format {
        Format::Json => report.write_json(&mut out),
        Format::Pretty => report.write_text(&mut out),
    };
    unless_closed(written.and_then(|()| out.flush())).map(drop)
}
