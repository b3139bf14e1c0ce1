//! The rule under a clock of the test: who is given up, and when the next look is.
use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// A state in which bytes are on their way.
fn sent(acknowledged: u64) -> Option<Sent> {
    Some(Sent { acknowledged, unacknowledged_packets: 0, unsent_bytes: 1 })
}

/// Judges a peer at each of these times, in milliseconds. Returns the time at which it is given up.
fn given_up(looks: &[(u64, Option<Sent>)]) -> Option<u64> {
    let (rule, begun) = (WriteTimeout::new(LIMIT, LIMIT).unwrap(), Instant::now());
    let mut wait = None;
    for (at, sent) in looks {
        wait = match rule.judge(*sent, wait, begun + Duration::from_millis(*at)) {
            Verdict::Complete => None,
            Verdict::Waits(wait) => Some(wait),
            Verdict::Overdue => return Some(*at),
        };
    }
    None
}

#[test]
fn only_who_acknowledges_nothing_for_the_whole_time_is_given_up() {
    let complete = Some(Sent { acknowledged: 7, ..Sent::default() });
    assert_eq!(given_up(&[(0, sent(7)), (4_999, sent(7)), (5_000, sent(7))]), Some(5_000));
    assert_eq!(given_up(&[(0, sent(7)), (4_999, sent(8)), (9_998, sent(8)), (9_999, sent(8))]), Some(9_999));
    assert_eq!(
        given_up(&[(0, sent(7)), (4_999, sent(8)), (9_998, sent(9)), (14_997, sent(10))]),
        None,
        "a byte each time"
    );
    assert_eq!(given_up(&[(0, sent(7)), (9_999, sent(8))]), None, "a late look is no fault of the peer");
    assert_eq!(given_up(&[(0, complete), (60_000, sent(7)), (64_999, sent(7))]), None, "it was idle before");
    assert_eq!(given_up(&[(0, sent(7)), (1_000, complete), (5_000, sent(7)), (9_999, sent(7))]), None);
    assert_eq!(given_up(&[(0, None), (60_000, None)]), None, "the system tells nothing");
    assert_eq!(given_up(&[(0, sent(7)), (10_001, sent(7))]), None, "the whole machine may have stood still");
    assert_eq!(given_up(&[(0, sent(7)), (10_001, sent(7)), (15_001, sent(7))]), Some(15_001));
    let on_its_way = Some(Sent { acknowledged: 7, unacknowledged_packets: 1, unsent_bytes: 0 });
    assert_eq!(given_up(&[(0, on_its_way), (5_000, on_its_way)]), Some(5_000));
}

#[test]
fn a_look_comes_in_time() {
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    for (heartbeat_interval, first) in [(2 * second, 2 * second), (LIMIT, LIMIT), (3_600 * second, LIMIT)] {
        let rule = WriteTimeout::new(LIMIT, heartbeat_interval).unwrap();
        assert_eq!(rule.next_look(None, now), now + first, "{heartbeat_interval:?}");
        let Verdict::Waits(wait) = rule.judge(sent(0), None, now) else { panic!("it has just begun") };
        assert_eq!(rule.next_look(Some(&wait), now), now + first);
        assert_eq!(rule.next_look(Some(&wait), now + 4 * second), now + LIMIT, "not later than the end of the wait");
    }
    assert!(WriteTimeout::new(Duration::ZERO, second).is_none());
}
