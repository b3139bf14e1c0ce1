//! Checks whether compression delays events. For this, a stream that was requested without compression is requested
//! again, with the compression that browsers accept.
use super::{
    finding::{Finding, Rule, Severity},
    headers::{line, value},
    observe::Observation,
};
use http::header::CONTENT_ENCODING;
use std::time::Duration;

/// The time within which the first event or comment of the compressed stream must arrive. This is checked only if the
/// stream without compression sent its first event or comment within half of this time.
pub(super) const WAIT: Duration = Duration::from_secs(5);

const UNASKED: Rule = Rule {
    name: "compression-unasked",
    severity: Severity::Warning,
    why: "the request asked for no compression (Accept-Encoding: identity); programs that cannot decompress the stream \
          cannot read it",
    advice: "compress only in a way that the request's Accept-Encoding names",
};
const HELD_BACK: Rule = Rule {
    name: "compression-not-flushed",
    severity: Severity::Error,
    why: "a compressor collects data before it sends some, unless it is flushed: an event waits until later events \
          arrive",
    advice: "flush the compressor after each event (Z_SYNC_FLUSH), or do not compress text/event-stream",
};
const COMPRESSED: Rule = Rule {
    name: "compressed",
    severity: Severity::Note,
    why: "compression costs the server memory and CPU time for each connection, and saves much only if events are long",
    advice: "no change is needed if compression is intended",
};

/// Returns the content coding of a response, if it has one.
pub(super) fn coding(observation: &Observation) -> Option<String> {
    value(observation, &CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity"))
}

/// Returns a finding if the response is compressed although the request asked for no compression.
pub(super) fn unasked(plain: &Observation) -> Option<Finding> {
    coding(plain).map(|coding| {
        UNASKED.broken(line("Content-Encoding", &coding) + "; the events in this response were not checked")
    })
}

/// Returns a finding if the response `coded` is compressed. `plain` is the response of the same stream without
/// compression, with which `coded` is compared.
pub(super) fn held_back(plain: &Observation, coded: &Observation) -> Option<Finding> {
    let header = line("Content-Encoding", &coding(coded)?);
    match (plain.first_sign, coded.first_sign) {
        // Without compression, the first event or comment must have arrived within half of `WAIT`. Then `WAIT` is long
        // enough for the compressed stream, even if its first event is due later.
        (Some(soon), None) if soon <= WAIT / 2 && coded.lasted >= WAIT => {
            let (soon, bytes) = (soon.as_secs_f64(), coded.recording.bytes.len());
            let waited = coded.lasted.as_secs_f64();
            Some(HELD_BACK.broken(format!(
                "with {header}, no event or comment arrived in {waited:.1} s and {bytes} bytes; without compression, \
                 the first one arrived after {soon:.1} s"
            )))
        }
        _ => Some(COMPRESSED.broken(header)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed};

    #[test]
    fn a_coding_is_asked_for_and_flushed() {
        let gzip = [("content-encoding", "gzip")];
        assert_eq!(names(unasked(&observed(&gzip, &[]))), ["compression-unasked"]);
        assert!(unasked(&observed(&[("content-encoding", "identity")], &[])).is_none());

        let at = |ms| Some(Duration::from_millis(ms));
        let cases = [
            (at(0), at(0), "compressed"),
            (at(0), at(4_999), "compressed"),
            (None, None, "compressed"),
            (at(2_501), None, "compressed"),
            (at(2_500), None, "compression-not-flushed"),
        ];
        for (soon, later, expected) in cases {
            let (mut plain, mut coded) = (observed(&[], &[]), observed(&gzip, &[]));
            (plain.first_sign, coded.first_sign, coded.lasted) = (soon, later, WAIT);
            assert_eq!(names(held_back(&plain, &coded)), [expected], "{soon:?} {later:?}");
            assert!(held_back(&plain, &plain).is_none());
            // A stream that ended before the time was over proves nothing.
            coded.lasted = WAIT - Duration::from_millis(1);
            assert_eq!(names(held_back(&plain, &coded)), ["compressed"]);
        }
    }
}
