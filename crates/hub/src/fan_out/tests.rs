//! Tests of single situations. The module [`simulation`](super::simulation) tests random situations.
use super::*;
use crate::{
    audience_key::AudienceKey,
    bundle::{Events, PartKey},
    catch_up::Step,
    ending::EndReason,
    framing::Framing,
    grant::Matchers,
    position::Offset,
    representation::Representation,
    run::Run,
    scale,
    topic::matcher::Matcher,
    window::WindowLimit,
};
use bytes::Bytes;
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

/// Connections that take all bytes, except the connections of two members.
#[derive(Default)]
struct Connections {
    broken: Option<MemberKey>,
    full: Option<MemberKey>,
    sent: Vec<(MemberKey, Bytes)>,
}

impl Connections {
    fn take(&mut self, send: &Outgoing<'_>) -> io::Result<usize> {
        if self.broken == Some(send.member) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.full == Some(send.member) {
            return Ok(0);
        }
        self.sent.push((send.member, Bytes::copy_from_slice(send.slice)));
        Ok(send.slice.len())
    }
}

impl Transmit for Connections {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        for send in sends {
            match self.take(&send) {
                Ok(taken) if taken == send.slice.len() => {}
                taken => unsent.push(Unsent { member: send.member, taken }),
            }
        }
    }

    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize> {
        self.take(&send)
    }
}

/// The ID of every position.
fn nowhere(_: Offset) -> String {
    String::new()
}

fn joining(cursor: Option<u64>) -> Joining {
    joining_of(Matchers::any(), cursor)
}

fn joining_of(matchers: Matchers, cursor: Option<u64>) -> Joining {
    let granted = Matchers::default();
    let key = Arc::new(AudienceKey::new(matchers, granted, Representation::EventStream));
    Joining {
        key,
        cursor: cursor.map(Offset),
        opening: Vec::new(),
        room: None,
        places: Places::None,
        ends: None,
        end_reason: None,
        tag: 0,
    }
}

#[test]
fn a_member_that_was_full_gets_the_event_from_memory_although_another_connection_broke() {
    let (mut core, mut connections, now) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let mut part = None;
    let follow = |key| {
        part = Some(key);
        Offset(10)
    };
    let broken = core.join(joining(None), now, follow, || Offset(10), &nowhere);
    core.turn(now, &mut connections).start(broken);
    let full = core.join(joining(None), now, |_| unreachable!("the part is there"), || Offset(10), &nowhere);
    core.turn(now, &mut connections).start(full);
    (connections.broken, connections.full) = (Some(broken), Some(full));
    let events: Events = vec![(Offset(11), Bytes::from_static(b"event"))].into();
    let mut turn = core.turn(now, &mut connections);
    turn.take_events(part.unwrap(), &events);
    turn.deliver();
    connections.full = None;
    core.turn(now, &mut connections).writable(full);
    assert!(core.next_read().is_none(), "the event is in the window");
    assert_eq!(connections.sent, [(full, Bytes::from_static(b"event"))]);
}

#[test]
fn a_member_that_catches_up_for_long_gets_heartbeats() {
    let (mut core, mut connections, now) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let member = core.join(joining(Some(0)), now, |_| Offset(10), || Offset(10), &nowhere);
    core.turn(now, &mut connections).start(member);
    assert!(core.next_read().is_some());
    let interval = Duration::from_secs(20);
    for beats in 1..4 {
        let later = now + beats * interval;
        core.turn(later, &mut connections).expire(&[member], interval, 0, &nowhere);
        assert_eq!(connections.sent.len(), beats as usize);
        assert!(core.deadline(member, later, interval) > later);
    }
    // A member whose connection is full gets no heartbeat, and its cursor stays where it was.
    connections.full = Some(member);
    let later = now + 4 * interval;
    core.turn(later, &mut connections).expire(&[member], interval, 0, &nowhere);
    connections.full = None;
    core.turn(later, &mut connections).writable(member);
    assert_eq!(core.reached(member), Offset::ZERO);
    assert_eq!(connections.sent.len(), 3, "no byte of the heartbeat was sent, so it is dropped");
}

/// A peer that reads slowly has time to learn why its stream ends, unless the hub stops.
#[test]
fn who_is_told_why_its_stream_ends_has_more_time() {
    let (interval, begun) = (Duration::from_secs(20), Instant::now());
    let after = |seconds: u64| begun + Duration::from_secs(seconds);
    for (end_reason, stops_after, gone_after) in [
        (None, None, 11),
        (Some(EndReason::TokenExpired), None, 20),
        (Some(EndReason::TokenExpired), Some(12), 13),
        (Some(EndReason::TokenExpired), Some(14), 15),
        (None, Some(10), 11),
    ] {
        let (mut core, mut connections) = (FanOut::new(WindowLimit::default(), 1), Connections::default());
        let joining = joining(None);
        let key = Arc::new(AudienceKey { framing: Framing::Chunked, ..AudienceKey::clone(&joining.key) });
        let joining = Joining { key, ends: Some(after(10)), end_reason, ..joining };
        let member = core.join(joining, begun, |_| Offset(10), || Offset(10), &nowhere);
        core.turn(begun, &mut connections).start(member);
        connections.full = Some(member);
        core.turn(after(10), &mut connections).expire(&[member], interval, 0, &nowhere);
        if let Some(seconds) = stops_after {
            core.turn(after(seconds), &mut connections).end(member);
        }
        assert!(core.deadline(member, after(10), interval) <= after(gone_after), "{end_reason:?} {stops_after:?}");
        core.turn(after(gone_after) - Duration::from_millis(1), &mut connections).expire(
            &[member],
            interval,
            0,
            &nowhere,
        );
        assert!(core.contains(member));
        core.turn(after(gone_after), &mut connections).expire(&[member], interval, 0, &nowhere);
        assert!(!core.contains(member));
    }
}

/// Adds a member with this topic selector and cursor, whose connection takes all bytes. The newest offset of the log is
/// 99.
fn join_by(core: &mut FanOut, selector: &str, cursor: u64) -> MemberKey {
    let matchers = [Matcher::legacy_selector(selector).unwrap()].into_iter().collect();
    let now = Instant::now();
    let member = core.join(joining_of(matchers, Some(cursor)), now, |_| Offset(99), || Offset(99), &nowhere);
    core.turn(now, &mut Connections::default()).start(member);
    member
}

/// Members that need the log when there is no room for it are told where they are, and when to come back.
#[test]
fn readers_are_told_to_come_back_later() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    let waiting = join_by(&mut core, "a", 99);
    let reader = join_by(&mut core, "a", 0);
    let wanted = core.next_read().unwrap();
    core.turn(now, &mut Connections::default()).take_step(wanted.part, &step(0, 5, 10));
    // A reader that has no room for the event, either.
    let full = join_by(&mut core, "a", 3);
    let wanted = core.next_read().unwrap();
    let mut connections = Connections { full: Some(full), ..Connections::default() };
    let place = |offset: Offset| format!("#{}", offset.0);
    let left = core.turn(now, &mut connections).end_readers(wanted.part, EndReason::Later, &place);
    assert_eq!(left, [full]);
    assert!(core.deadline(full, now, Duration::from_secs(60)) <= now + Duration::from_secs(10));
    let departed = [Departed { member: reader, how: Departure::Ended, tag: 0 }];
    assert_eq!(core.take_departed(), departed);
    connections.full = None;
    core.turn(now, &mut connections).writable(full);
    assert_eq!(core.take_departed(), [Departed { member: full, ..departed[0] }]);
    let told = connections.sent.iter().map(|(member, bytes)| (*member, str::from_utf8(bytes).unwrap()));
    for ((member, text), expected) in told.zip([(reader, 10), (full, 3)]) {
        let (retry, rest) = text.strip_prefix("event: fanfare.end\nretry: ").unwrap().split_once('\n').unwrap();
        assert!((30_000..=121_000).contains(&retry.parse::<u64>().unwrap()), "{text}");
        assert_eq!((member, rest), (expected.0, &*format!("id: #{}\ndata: {{\"reason\":\"later\"}}\n\n", expected.1)));
    }
    assert_eq!((connections.sent.len(), core.contains(waiting)), (2, true));
    assert!(core.next_read().is_none(), "nobody needs the log any more");
}

/// Returns all reads of the log that may begin now.
fn reads(core: &mut FanOut) -> Vec<Wanted> {
    std::iter::from_fn(|| core.next_read()).collect()
}

/// Returns a step through the log, from one offset to another, with one event.
fn step(begins_after: u64, event: u64, cursor: u64) -> Step {
    let run = Run::encoded(b"event".into(), vec![(Offset(event), 5)]);
    Step { begins_after: Offset(begins_after), cursor: Offset(cursor), run, tells_gap: false }
}

#[test]
fn a_step_that_has_nothing_for_a_member_is_no_reason_to_send_it_no_heartbeat() {
    let (mut core, mut connections, now) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let members = [0, 5].map(|cursor| core.join(joining(Some(cursor)), now, |_| Offset(10), || Offset(10), &nowhere));
    members.iter().for_each(|member| core.turn(now, &mut connections).start(*member));
    let part = core.next_read().unwrap().part;
    let interval = Duration::from_secs(20);
    core.turn(now + interval * 19 / 20, &mut connections).take_step(part, &step(0, 3, 10));
    core.turn(now + interval, &mut connections).expire(&members, interval, 0, &nowhere);
    let [first, second] = members;
    assert_eq!(connections.sent, [(first, Bytes::from_static(b"event")), (second, Bytes::from_static(b":\n"))]);
}

#[test]
fn patterns_leave_reads_of_the_log_to_exact_topics() {
    let (mut core, mut connections, now) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let mut join = |core: &mut FanOut, text: String| {
        let matchers = [Matcher::legacy_selector(&text).unwrap()].into_iter().collect();
        let member = core.join(joining_of(matchers, Some(0)), now, |_| Offset(10), || Offset(10), &nowhere);
        core.turn(now, &mut connections).start(member);
    };
    (0..2 * CONCURRENT_READS).for_each(|number| join(&mut core, format!("/{{x}}/{number}")));
    let scans = reads(&mut core);
    assert!((1..CONCURRENT_READS).contains(&scans.len()), "{} reads of patterns", scans.len());
    (0..2 * CONCURRENT_READS).for_each(|number| join(&mut core, format!("/{number}")));
    let exact = reads(&mut core);
    assert_eq!(scans.len() + exact.len(), CONCURRENT_READS);
    // Each read that ends makes room for another read of the same kind.
    for (ended, is_scan) in [(&exact[0], false), (&scans[0], true), (&exact[1], false)] {
        core.turn(now, &mut Connections::default()).take_step(ended.part, &step(0, 3, 10));
        let [next] = &reads(&mut core)[..] else { panic!("one read has ended") };
        assert_eq!(next.key.exact_topics().is_none(), is_scan);
    }
}

/// Reads that find nothing have few turns, and leave the others to those that find something.
#[test]
fn reads_that_have_found_nothing_leave_turns_to_others() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    let nothing = |cursor: u64| Step { run: None, ..step(cursor, 1, cursor + 1) };
    // Many strangers, whose first steps find nothing.
    (0..3 * CONCURRENT_READS).for_each(|number| _ = join_by(&mut core, &format!("/nobody/{number}"), 0));
    let mut under_way = reads(&mut core);
    while let Some(first) = under_way.iter().position(|wanted| !wanted.is_barren) {
        let first = under_way.remove(first);
        core.turn(now, &mut Connections::default()).take_step(first.part, &nothing(0));
        under_way.extend(reads(&mut core));
    }
    assert_eq!(under_way.len(), CONCURRENT_BARREN_READS, "all of them go on, in few turns");
    assert!(under_way.iter().all(|wanted| wanted.is_barren));
    (0..2).for_each(|number| _ = join_by(&mut core, &format!("/somebody/{number}"), 0));
    let others = reads(&mut core);
    assert_eq!(others.len(), 2, "the others do not wait for them");
    // A step that finds something is the end of the small share.
    let found = under_way.remove(0);
    core.turn(now, &mut Connections::default()).take_step(found.part, &step(1, 2, 3));
    let next = reads(&mut core);
    let again = next.iter().find(|wanted| wanted.part == found.part).expect("it goes on at once");
    assert!(!again.is_barren);
}

/// A member joins behind the offset 0, with a token or as a stranger.
fn join_as(core: &mut FanOut, selector: &str, is_anonymous: bool) {
    let now = Instant::now();
    let joining = joining_of([Matcher::legacy_selector(selector).unwrap()].into_iter().collect(), Some(0));
    let key = Arc::new(AudienceKey { is_anonymous, ..AudienceKey::clone(&joining.key) });
    let member = core.join(Joining { key, ..joining }, now, |_| Offset(99), || Offset(99), &nowhere);
    core.turn(now, &mut Connections::default()).start(member);
}

/// However many strangers resume, those with a token have turns of their own.
#[test]
fn strangers_leave_reads_to_those_with_a_token() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    (0..100).for_each(|number| join_as(&mut core, &format!("/strangers/{number}"), true));
    let mut under_way = reads(&mut core);
    assert_eq!(under_way.len(), CONCURRENT_STRANGERS_READS);
    (0..100).for_each(|number| join_as(&mut core, &format!("/bearers/{number}"), false));
    under_way.extend(reads(&mut core));
    let strangers = |under_way: &[Wanted]| under_way.iter().filter(|wanted| wanted.key.is_anonymous).count();
    assert_eq!((under_way.len(), strangers(&under_way)), (CONCURRENT_READS, CONCURRENT_STRANGERS_READS));
    for turn in 0..20 {
        let ended = under_way.remove(0);
        core.turn(now, &mut Connections::default()).take_step(ended.part, &step(0, 1, 99));
        under_way.extend(reads(&mut core));
        assert_eq!(under_way.len(), CONCURRENT_READS);
        assert!(
            (1..=CONCURRENT_STRANGERS_READS).contains(&strangers(&under_way)),
            "turn {turn}: neither waits for all"
        );
    }
}

/// Whoever has a token and has found nothing so far takes turns with the strangers who find nothing, also if a read
/// that finds something comes between each two of these turns.
#[test]
fn strangers_who_find_nothing_leave_turns_to_those_with_a_token() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    (0..20).for_each(|number| join_as(&mut core, &format!("/nobody/{number}"), true));
    join_as(&mut core, "/nobody", false);
    (0..20).for_each(|number| join_as(&mut core, &format!("/somebody/{number}"), false));
    let finds_nothing = |wanted: &Wanted| wanted.key.exact_topics().unwrap()[0].as_str().starts_with("/nobody");
    let (mut under_way, mut turns) = (reads(&mut core), 0);
    for ended in 0..400 {
        let Some(index) = under_way.iter().position(|wanted| finds_nothing(wanted) == (ended % 2 == 0)) else {
            continue;
        };
        let Wanted { part, cursor: Offset(cursor), is_barren, .. } = under_way.remove(index);
        let found = step(cursor, cursor + 1, cursor + 1);
        let read = if ended % 2 == 0 { Step { run: None, ..found } } else { found };
        core.turn(now, &mut Connections::default()).take_step(part, &read);
        let begun = reads(&mut core);
        // All who find nothing are known for it in the second half.
        assert!(ended < 200 || is_barren == (ended % 2 == 0));
        turns += begun.iter().filter(|wanted| ended >= 200 && wanted.is_barren && !wanted.key.is_anonymous).count();
        under_way.extend(begun);
    }
    assert!(turns >= 20, "{turns} turns of 100");
}

#[test]
fn members_that_catch_up_and_leave_together_cost_no_more_than_others() {
    scale::is_nearly_linear(|count| {
        let (mut core, mut connections, now) =
            (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
        let members: Vec<_> =
            (0..count).map(|_| core.join(joining(Some(0)), now, |_| Offset(10), || Offset(10), &nowhere)).collect();
        members.iter().for_each(|member| core.turn(now, &mut connections).start(*member));
        let begun = Instant::now();
        members.iter().for_each(|member| core.leave(*member));
        begun.elapsed()
    });
}

/// A connection that takes so many bytes, and then more of them.
struct Narrow {
    room: usize,
    sent: Vec<u8>,
}

impl Transmit for Narrow {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        for send in sends {
            let (member, length) = (send.member, send.slice.len());
            let taken = self.send_one(send);
            if taken.as_ref().is_ok_and(|taken| *taken < length) {
                unsent.push(Unsent { member, taken });
            }
        }
    }

    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize> {
        let taken = send.slice.len().min(self.room);
        self.room -= taken;
        self.sent.extend_from_slice(&send.slice[..taken]);
        Ok(taken)
    }
}

/// Cuts a chunk everywhere: in its head, in its data and in its end. The rest must follow, and then the last chunk.
#[test]
fn a_chunk_that_is_cut_anywhere_goes_on_there() {
    const EVENT: &str = "id: #00000000-11\ndata: some text\n\n";
    let chunk = format!("{:x}\r\n{EVENT}\r\n", EVENT.len());
    let whole = format!("2\r\n:\n\r\n{chunk}{chunk}0\r\n\r\n");
    for cut in 0..=whole.len() {
        for further in 1..8 {
            let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
            let mut peer = Narrow { room: cut, sent: Vec::new() };
            let mut joining = joining(None);
            joining.key = Arc::new(AudienceKey { framing: Framing::Chunked, ..AudienceKey::clone(&joining.key) });
            joining.opening = joining.key.heartbeat().into();
            let mut part = None;
            let follow = |key| {
                part = Some(key);
                Offset(10)
            };
            let member = core.join(joining, now, follow, || Offset(10), &nowhere);
            core.turn(now, &mut peer).start(member);
            for offset in [11, 12] {
                let events: Events = vec![(Offset(offset), Bytes::from(chunk.clone()))].into();
                let mut turn = core.turn(now, &mut peer);
                turn.take_events(part.unwrap(), &events);
                turn.deliver();
            }
            // The peer makes room, a few bytes at a time, until it has both events; then the hub ends the stream.
            let events = whole.len() - Framing::Chunked.end().len();
            while peer.sent.len() < events {
                peer.room = further.min(events - peer.sent.len());
                core.turn(now, &mut peer).writable(member);
            }
            peer.room = cut % 5;
            core.turn(now, &mut peer).end(member);
            while core.contains(member) {
                peer.room = further;
                core.turn(now, &mut peer).writable(member);
            }
            assert_eq!(str::from_utf8(&peer.sent).unwrap(), whole, "cut at {cut}, then {further} bytes at a time");
        }
    }
}

/// There are as many of them as there are subscribers.
#[test]
fn a_member_takes_64_bytes() {
    assert_eq!(size_of::<super::member::Member>(), 64);
}

/// A member notes the time of a send in a number of 32 bits, in milliseconds: it is the same again after 49 days.
#[test]
fn a_member_of_a_busy_part_gets_heartbeats_when_it_becomes_silent() {
    let (mut core, mut connections, begun) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let mut part = None;
    let follow = |key| {
        part = Some(key);
        Offset(10)
    };
    let interval = Duration::from_secs(20);
    let member = core.join(joining(None), begun, follow, || Offset(10), &nowhere);
    core.turn(begun, &mut connections).start(member);
    let mut at = core.deadline(member, begun, interval);
    let (mut now, mut offset) = (begun, 10);
    // An event each 10 s, for 25 days.
    while now < begun + Duration::from_secs(25 * 24 * 3_600) {
        now += Duration::from_secs(10);
        offset += 1;
        let events: Events = vec![(Offset(offset), Bytes::from_static(b"event"))].into();
        let mut turn = core.turn(now, &mut connections);
        turn.take_events(part.unwrap(), &events);
        turn.deliver();
        if at <= now {
            core.turn(now, &mut connections).expire(&[member], interval, 0, &nowhere);
            at = core.deadline(member, now, interval);
        }
    }
    connections.sent.clear();
    // Then silence, for two days.
    let silent = now;
    while now < silent + Duration::from_secs(2 * 24 * 3_600) {
        now = at;
        core.turn(now, &mut connections).expire(&[member], interval, 0, &nowhere);
        at = core.deadline(member, now, interval);
    }
    assert!(connections.sent.len() > 8_000, "{}", connections.sent.len());
}

#[test]
fn patterns_that_find_nothing_leave_half_of_the_reads_too() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    let nothing = |cursor: u64| Step { run: None, ..step(cursor, 1, cursor + 1) };
    (0..4).for_each(|number| _ = join_by(&mut core, &format!("/{{x}}/{number}"), 0));
    let mut under_way = reads(&mut core);
    for wanted in std::mem::take(&mut under_way) {
        core.turn(now, &mut Connections::default()).take_step(wanted.part, &nothing(0));
    }
    (4..12).for_each(|number| _ = join_by(&mut core, &format!("/{{x}}/{number}"), 0));
    let under_way = reads(&mut core);
    let patterns = under_way.iter().filter(|wanted| wanted.key.exact_topics().is_none()).count();
    assert_eq!((patterns, under_way.len()), (CONCURRENT_SCANS, CONCURRENT_SCANS));
}

#[test]
fn that_nothing_was_found_is_forgotten_with_the_readers() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    let nothing = |cursor: u64| Step { run: None, ..step(cursor, 1, cursor + 1) };
    // Keeps the part.
    join_by(&mut core, "a", 99);
    let reader = join_by(&mut core, "a", 0);
    let first = core.next_read().unwrap();
    core.turn(now, &mut Connections::default()).take_step(first.part, &nothing(0));
    core.leave(reader);
    core.take_departed();
    assert!(core.next_read().is_none());
    join_by(&mut core, "a", 5);
    let next = core.next_read().unwrap();
    assert!(!next.is_barren, "whoever needs the log next may find something");
}

/// The times of the heartbeats that a member gets, in intervals after the beginning, and the number of its checks.
struct Beats {
    core: FanOut,
    connections: Connections,
    part: PartKey,
    member: MemberKey,
    begun: Instant,
    at: Instant,
    offset: u64,
    checks: usize,
}

impl Beats {
    const INTERVAL: Duration = Duration::from_secs(20);

    fn begin(seed: u64) -> Self {
        let (mut core, mut connections, begun) =
            (FanOut::new(WindowLimit::default(), seed), Connections::default(), Instant::now());
        let mut part = None;
        let follow = |key| {
            part = Some(key);
            Offset(10)
        };
        let joining = Joining { opening: b":".to_vec(), ..joining(None) };
        let member = core.join(joining, begun, follow, || Offset(10), &nowhere);
        core.turn(begun, &mut connections).start(member);
        let at = core.deadline(member, begun, Self::INTERVAL);
        Self { core, connections, part: part.unwrap(), member, begun, at, offset: 10, checks: 0 }
    }

    fn event_at(&mut self, intervals: f64) {
        self.offset += 1;
        let events: Events = vec![(Offset(self.offset), Bytes::from_static(b"event"))].into();
        let mut turn = self.core.turn(self.begun + Self::INTERVAL.mul_f64(intervals), &mut self.connections);
        turn.take_events(self.part, &events);
        turn.deliver();
    }

    /// Lets the time pass up to this many intervals after the beginning, and returns the times of the heartbeats.
    fn until(&mut self, intervals: f64) -> Vec<f64> {
        let (mut beats, until) = (Vec::new(), self.begun + Self::INTERVAL.mul_f64(intervals));
        while self.at < until {
            let now = self.at;
            self.connections.sent.clear();
            self.core.turn(now, &mut self.connections).expire(&[self.member], Self::INTERVAL, 0, &nowhere);
            beats.extend(self.connections.sent.iter().map(|_| (now - self.begun).div_duration_f64(Self::INTERVAL)));
            self.at = self.core.deadline(self.member, now, Self::INTERVAL);
            self.checks += 1;
        }
        beats
    }
}

#[test]
fn the_first_heartbeats_of_a_silence_come_early_if_events_are_rare() {
    for seed in 0..100 {
        let mut beats = Beats::begin(seed);
        let times = beats.until(12.0);
        let pauses: Vec<_> = [0.0].iter().chain(&times).zip(&times).map(|(before, time)| time - before).collect();
        for (pause, expected) in pauses.iter().zip([0.125, 0.25, 0.5]) {
            assert!((expected * 0.8 - 0.001..=expected + 0.001).contains(pause), "{pauses:?}");
        }
        assert!(pauses[3..].iter().all(|pause| (0.799..=1.001).contains(pause)), "{pauses:?}");
        assert!(beats.checks <= 3 * times.len(), "{} checks for {} heartbeats", beats.checks, times.len());
        // An event after a long silence.
        beats.event_at(12.5);
        let times = beats.until(14.5);
        assert!((12.6..=13.0).contains(&times[0]) && (0.199..=0.251).contains(&(times[1] - times[0])), "{times:?}");
    }
}

/// A member that gets events all the time is looked at as seldom as if there were no early heartbeats.
#[test]
fn a_member_with_frequent_events_is_seldom_looked_at() {
    let mut beats = Beats::begin(1);
    for event in 1..=1_000 {
        assert_eq!(beats.until(f64::from(event) / 10.0), [0.0; 0]);
        beats.event_at(f64::from(event) / 10.0);
    }
    assert!(beats.checks < 130, "{} looks in 100 intervals", beats.checks);
}

#[test]
fn heartbeats_do_not_come_after_each_event_if_events_are_not_rare() {
    for pause in [0.2, 0.5, 0.7, 1.5] {
        let (mut beats, mut at) = (Beats::begin(1), 0.0);
        let mut first = 0;
        for event in 0..1_000 {
            at += pause;
            let count = beats.until(at).len();
            first += if event < 10 { count } else { 0 };
            // A silence of more than an interval has a heartbeat, as always.
            let usual = usize::from(pause > 1.0);
            let when = format!("before event {event}, {pause} intervals after the last");
            assert!(event < 10 || count <= usual, "{count} heartbeats {when}");
            beats.event_at(at);
        }
        assert!(
            first <= if pause > 1.0 { 13 } else { 3 },
            "{first} heartbeats until it was noticed that events are not rare"
        );
    }
}

/// The windows of many audiences keep few events each, and no member loses any: it reads the log.
/// Makes a state machine with members of `audiences` audiences, of which the first is slow, sends it `count` events of
/// `bytes` bytes, and then lets it take them. Returns true if its window reaches back to the first of these events.
fn window_reaches_back(audiences: usize, count: u64, bytes: usize) -> bool {
    let (mut core, mut connections, now) =
        (FanOut::new(WindowLimit::default(), 1), Connections::default(), Instant::now());
    let mut parts = Vec::new();
    for number in 0..audiences {
        let matchers = [Matcher::exact(&number.to_string()).unwrap()].into_iter().collect();
        let follow = |part| {
            parts.push(part);
            Offset(0)
        };
        let member = core.join(joining_of(matchers, None), now, follow, || Offset(0), &nowhere);
        core.turn(now, &mut connections).start(member);
    }
    connections.full = Some(0);
    let event = Bytes::from(vec![b'x'; bytes]);
    for offset in 1..=count {
        let events: Events = vec![(Offset(offset), event.clone())].into();
        let mut turn = core.turn(now, &mut connections);
        turn.take_events(parts[0], &events);
        turn.deliver();
    }
    connections.full = None;
    core.turn(now, &mut connections).writable(0);
    core.next_read().is_none()
}

#[test]
fn many_audiences_have_small_windows() {
    // Each audience may have half of the events or bytes that few audiences may have.
    let (many, of_bytes) = (2 * MAX_WINDOW_EVENTS / 1_024, MAX_WINDOW_BYTES >> 19);
    for (audiences, count, bytes, expected) in [
        (many, 512, 5, true),
        (many, 513, 5, false),
        (1, 1_024, 5, true),
        (1, 1_025, 5, false),
        (of_bytes, 16, 32 << 10, true),
        (of_bytes, 17, 32 << 10, false),
        (1, 32, 32 << 10, true),
        (1, 33, 32 << 10, false),
        (3 * MAX_WINDOW_BYTES / LEAST_WINDOW_BYTES, 2, 32 << 10, true),
        (3 * MAX_WINDOW_BYTES / LEAST_WINDOW_BYTES, 3, 32 << 10, false),
    ] {
        let reaches = window_reaches_back(audiences, count, bytes);
        assert_eq!(reaches, expected, "{count} events of {bytes} bytes, {audiences} audiences");
    }
}

/// A slow peer has more time for the reason, but not when the whole server stops.
#[test]
fn the_time_for_the_last_bytes_depends_on_the_reason_and_on_the_stop() {
    let (mut core, now) = (FanOut::new(WindowLimit::default(), 1), Instant::now());
    let member = core.join(joining(Some(5)), now, |_| Offset(5), || Offset(5), &nowhere);
    let mut connections = Connections { full: Some(member), ..Connections::default() };
    core.turn(now, &mut connections).start(member);
    core.turn(now, &mut connections).end_because(member, EndReason::TokenRevoked, &nowhere);
    let left = |core: &mut FanOut, passed| core.deadline(member, now + passed, Duration::from_secs(3_600)) - now;
    assert_eq!(left(&mut core, Duration::ZERO), Duration::from_secs(10));
    let stopped = Duration::from_secs(3);
    for later in [stopped, stopped + Duration::from_millis(500)] {
        core.turn(now + later, &mut connections).end(member);
        assert_eq!(left(&mut core, later), stopped + Duration::from_secs(1));
    }
}
