//! Checks the times at which the head and the bytes arrived. The times show whether something between server and client
//! delays the head or the bytes, and whether the connection is silent so long that a proxy could close it.
use super::{
    finding::{Finding, Rule, Severity, count},
    observe::{End, Observation},
};
use std::time::Duration;

/// The longest usual time from a request to the head. If the head arrives later, something has delayed it.
const SLOW_HEAD: Duration = Duration::from_secs(1);
/// The longest usual time from the head to the first byte. If the first byte arrives later, the head may be late too:
/// some proxies send it only with the first byte.
const SLOW_FIRST_BYTE: Duration = Duration::from_secs(2);
/// The longest usual silence. It is the interval between comments that the WHATWG HTML specification recommends.
const LONG_SILENCE: Duration = Duration::from_secs(15);
/// The longest time between two pieces of the stream that belong to the same burst.
const AT_ONCE: Duration = Duration::from_millis(20);
/// The smallest number of bursts with several events that is reported. Bursts are reported only if the mean time
/// between them is at least `MIN_BURST_GAP`.
const MIN_BURSTS: usize = 3;
const MIN_BURST_GAP: Duration = Duration::from_millis(500);

const HEAD: Rule = Rule {
    name: "head-late",
    severity: Severity::Warning,
    why: "until the head arrives, a page does not know that it is connected, and a proxy may close the connection",
    advice: "send and flush the head at once, without waiting for an event",
};
const FIRST_BYTE: Rule = Rule {
    name: "first-byte-late",
    severity: Severity::Warning,
    why: "some proxies and virus scanners send the head only with the first byte of the body: until then, the page \
          does not get `open`",
    advice: "send and flush a comment, the line `:`, directly after the head",
};
const BURSTS: Rule = Rule {
    name: "events-in-bursts",
    severity: Severity::Warning,
    why: "the events may be published in bursts, or something collects them: a proxy, compression, or a server that \
          does not flush",
    advice: "flush after each event; `X-Accel-Buffering: no` or `proxy_buffering off` for nginx, `flush_interval -1` \
             for Caddy; check the server without its proxies to see what collects them",
};
const SILENCE: Rule = Rule {
    name: "silence",
    severity: Severity::Warning,
    why: "silent connections are closed: after 55 s by Heroku, 60 s by nginx and the load balancers of AWS, 100 s by Cloudflare; and \
          neither side notices that the other one has gone",
    advice: "send a comment, the line `:`, every 15 seconds or so",
};

/// All checks of the times at which the head and the bytes arrived.
pub(super) const CHECKS: [fn(&Observation) -> Option<Finding>; 4] = [head, first_byte, bursts, silence];

fn head(observation: &Observation) -> Option<Finding> {
    let after = observation.head.after;
    (after > SLOW_HEAD).then(|| HEAD.broken(format!("the head arrived {:.1} s after the request", after.as_secs_f64())))
}

fn first_byte(observation: &Observation) -> Option<Finding> {
    let seconds = |time: Duration| format!("{:.1} s after the head", time.as_secs_f64());
    match observation.recording.arrivals.first() {
        Some(first) if first.at > SLOW_FIRST_BYTE => {
            Some(FIRST_BYTE.broken(format!("the first byte arrived {}", seconds(first.at))))
        }
        None if observation.lasted > SLOW_FIRST_BYTE => {
            Some(FIRST_BYTE.broken(format!("no byte had arrived {}", seconds(observation.lasted))))
        }
        _ => None,
    }
}

/// A burst: bytes that arrived at almost the same time.
struct Burst {
    at: Duration,
    /// The time at which the last bytes of the burst arrived.
    until: Duration,
    bytes: usize,
    events: usize,
    /// True if the burst stops in the middle of a line.
    is_cut: bool,
}

/// Returns the pieces of the stream, grouped into bursts by the times at which they arrived.
fn arrived(observation: &Observation) -> Vec<Burst> {
    let recording = &observation.recording;
    let mut bursts: Vec<Burst> = Vec::new();
    let (mut events, mut start) = (recording.events.iter().peekable(), 0);
    for (number, arrival) in recording.arrivals.iter().enumerate() {
        if bursts.last().is_none_or(|last| arrival.at - last.until > AT_ONCE) {
            bursts.push(Burst { at: arrival.at, until: arrival.at, bytes: 0, events: 0, is_cut: false });
        }
        let burst = bursts.last_mut().expect("there is at least one burst");
        burst.until = arrival.at;
        burst.bytes += arrival.end - start;
        burst.is_cut = !matches!(recording.bytes[arrival.end - 1], b'\r' | b'\n');
        while events.next_if(|event| event.arrival == number).is_some() {
            burst.events += 1;
        }
        start = arrival.end;
    }
    bursts
}

fn bursts(observation: &Observation) -> Option<Finding> {
    let arrived = arrived(observation);
    // The first burst is not counted: it may consist of older events, which the server sends at once to a new client.
    let live = arrived.get(1..)?;
    let several: Vec<_> = live.iter().filter(|burst| burst.events > 1).collect();
    let (events, single) =
        (several.iter().map(|burst| burst.events).sum::<usize>(), live.iter().filter(|burst| burst.events == 1));
    let gaps: Duration = several.windows(2).map(|pair| pair[1].at - pair[0].until).sum();
    let gap = gaps / u32::try_from(several.len()).unwrap_or(u32::MAX).saturating_sub(1).max(1);
    // One event that arrives alone is tolerated for every ten events in bursts: it may be the last event of a buffer,
    // or arrive at a quiet time.
    if several.len() < MIN_BURSTS || gap < MIN_BURST_GAP || single.count() * 10 > events {
        return None;
    }
    let mut seen = format!("{events} events arrived in {} bursts, {:.1} s apart", several.len(), gap.as_secs_f64());
    let cut = several.iter().filter(|burst| burst.is_cut).count();
    if cut > 0 {
        seen += &format!("; {cut} of the bursts end in the middle of a line, as if a buffer was full");
    }
    let bytes = several[0].bytes;
    if several.iter().all(|burst| burst.bytes == bytes) {
        seen += &format!("; each burst has {}", count(bytes, "byte"));
    }
    Some(BURSTS.broken(seen))
}

fn silence(observation: &Observation) -> Option<Finding> {
    let times = observation.recording.arrivals.iter().map(|arrival| arrival.at);
    // Silence after the end of a stream does not count.
    let end = (observation.end == End::Stopped).then_some(observation.lasted);
    let (mut last, mut longest) = (Duration::ZERO, (Duration::ZERO, Duration::ZERO));
    for time in times.chain(end) {
        longest = longest.max((time.saturating_sub(last), last));
        last = time;
    }
    let (silence, since) = longest;
    let seen = || {
        format!(
            "nothing arrived for {:.1} s, beginning {:.1} s after the head",
            silence.as_secs_f64(),
            since.as_secs_f64()
        )
    };
    (silence > LONG_SILENCE).then(|| SILENCE.broken(seen()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed};

    /// Pieces of a stream: the time in milliseconds, and the bytes.
    type Arrivals = [(u64, &'static [u8])];

    fn found(lasted_ms: u64, arrivals: &Arrivals) -> Vec<&'static str> {
        let mut observation = observed(&[], arrivals);
        observation.lasted = Duration::from_millis(lasted_ms);
        names(CHECKS.iter().filter_map(|check| check(&observation)))
    }

    #[test]
    fn the_head_has_a_second_and_the_first_byte_two() {
        let mut observation = observed(&[], &[]);
        for (ms, late) in [(1_000, false), (1_001, true)] {
            observation.head.after = Duration::from_millis(ms);
            assert_eq!(head(&observation).is_some(), late, "{ms}");
        }
        let cases: [(u64, &Arrivals, &[&str]); 4] = [
            (2_000, &[], &[]),
            (2_001, &[], &["first-byte-late"]),
            (3_000, &[(2_000, b":\n")], &[]),
            (3_000, &[(2_001, b":\n")], &["first-byte-late"]),
        ];
        for (lasted_ms, arrivals, expected) in cases {
            assert_eq!(found(lasted_ms, arrivals), expected, "{arrivals:?}");
        }
    }

    #[test]
    fn silence_is_long_after_fifteen_seconds() {
        let cases: [(u64, &Arrivals, &[&str]); 4] = [
            (15_000, &[(0, b":\n")], &[]),
            (15_001, &[(0, b":\n")], &["silence"]),
            (17_000, &[(0, b":\n"), (15_000, b":\n")], &[]),
            (17_000, &[(0, b":\n"), (15_001, b":\n")], &["silence"]),
        ];
        for (lasted_ms, arrivals, expected) in cases {
            assert_eq!(found(lasted_ms, arrivals), expected, "{arrivals:?}");
        }
    }

    #[test]
    fn events_that_come_together_again_and_again_were_held_back() {
        let (one, two): (&'static [u8], &'static [u8]) = (b"data: x\n\n", b"data: x\n\ndata: y\n\n");
        let cut: &'static [u8] = b"data: x\n\ndata: y\n\nda";
        let cases: [(&Arrivals, &[&str]); 6] = [
            (&[(0, two), (500, two), (1_000, two), (1_500, two)], &["events-in-bursts"]),
            // In one burst, though in several pieces.
            (&[(0, two), (500, one), (510, one), (1_020, two), (1_530, two)], &["events-in-bursts"]),
            (&[(0, two), (499, two), (998, two), (1_497, two)], &[]),
            (&[(0, two), (500, two), (1_000, two)], &[]),
            (&[(0, two), (500, one), (1_000, one), (1_500, one), (2_000, two)], &[]),
            (&[(0, one), (500, cut), (1_000, b"ta\n\ndata\n\nda"), (1_500, b"ta\n\ndata\n\n")], &["events-in-bursts"]),
        ];
        for (arrivals, expected) in cases {
            assert_eq!(found(1_600, arrivals), expected, "{arrivals:?}");
        }
        let seen =
            bursts(&observed(&[], &[(0, one), (500, cut), (1_500, b"ta\n\ndata\n\nda"), (2_500, b"ta\n\ndata\n\n")]));
        let expected = "6 events arrived in 3 bursts, 1.0 s apart; 2 of the bursts end in the middle of a line, as if a \
                        buffer was full";
        assert_eq!(seen.unwrap().seen, expected);
    }
}
