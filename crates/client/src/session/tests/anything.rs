//! Properties that hold whatever happens to a session, in any order.
use super::{
    super::{Comments, Order, Rules},
    play::{Play, SECOND, STREAM, rules},
};
use crate::{Cause, Reconnect, Signal};
use proptest::prelude::*;
use std::time::Duration;

/// Something that can happen to a session.
#[derive(Clone, Debug)]
enum Happening {
    Answer(u16),
    Redirect,
    Fail,
    Chunk(&'static str),
    End,
    Break,
    Silent,
    Deadline,
    Pass(u8),
    Reconnect,
    Close,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => Just(Happening::Answer(200)),
        1 => prop::sample::select(vec![204_u16, 404, 429, 503]).prop_map(Happening::Answer),
        1 => Just(Happening::Redirect),
        2 => Just(Happening::Fail),
        8 => prop::sample::select(vec![
            "id:1\ndata:a\n\n", "data:b\n\ndata:c\n\n", "id:2\nda", "ta:x\n\n", ":\n", "retry:1\n", "id:3\n\n", "\r",
        ]).prop_map(Happening::Chunk),
        3 => Just(Happening::End),
        1 => Just(Happening::Break),
        3 => Just(Happening::Silent),
        8 => Just(Happening::Deadline),
        3 => any::<u8>().prop_map(Happening::Pass),
        1 => Just(Happening::Reconnect),
        1 => prop::option::weighted(0.1, Just(())).prop_map(|close| close.map_or(Happening::Silent, |()| Happening::Close)),
    ]
}

/// The order that the driver is carrying out.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Doing {
    Nothing,
    Sending,
    Reading,
}

/// Lets everything happen, as far as the session's state allows it. Returns every signal, and when it came.
fn run(rules: Rules, happenings: &[Happening]) -> Vec<(Duration, String)> {
    let (mut play, mut doing, mut told) = (Play::new(rules), Doing::Nothing, Vec::new());
    // The last event ID that the program has seen.
    let mut known = String::new();
    for happening in happenings {
        let due = play.session.deadline();
        match (happening, doing) {
            (Happening::Answer(200), Doing::Sending) => play.answer(200, STREAM),
            (Happening::Answer(status), Doing::Sending) => play.answer(*status, &[]),
            (Happening::Redirect, Doing::Sending) => play.answer(307, &[("location", "/next")]),
            (Happening::Fail, Doing::Sending) => play.session.failed(Cause::EndOfStream, play.now),
            (Happening::Chunk(chunk), Doing::Reading) => drop(play.session.receive((*chunk).into())),
            (Happening::End | Happening::Break, Doing::Reading) => {
                let broken = || Cause::Broken(crate::BoxError::from("broken").into());
                let cause = if matches!(happening, Happening::End) { Cause::EndOfStream } else { broken() };
                play.session.finish_body(&cause);
                play.session.body_ended(cause, play.now);
            }
            (Happening::Silent, Doing::Reading) => play.session.silent(play.now),
            (Happening::Deadline, _) if due.is_some() => drop(play.pass()),
            (Happening::Pass(seconds), _) => {
                let until = play.now + u32::from(*seconds) * SECOND;
                play.now = due.map_or(until, |due| due.min(until));
            }
            (Happening::Reconnect, _) => play.session.reconnect_now(play.now),
            (Happening::Close, _) => play.session.close(),
            _ if doing == Doing::Nothing && due.is_none() && !play.session.is_closed() && !play.session.is_ending() => {
                play.session.start(play.now);
            }
            _ => {}
        }
        while let Some(signal) = play.session.next_signal(Comments::Give) {
            match &signal {
                Signal::Event(event) => known = event.last_event_id.to_string(),
                Signal::Block(block) => known = block.id.as_ref().map_or(known, ToString::to_string),
                _ => {}
            }
            told.push((play.now, super::play::short(&signal)));
        }
        let order = play.session.take_order();
        assert!(play.session.deadline().is_none_or(|due| due >= play.now), "a deadline is not in the past");
        doing = match order {
            None => doing,
            Some(Order::Rest) => Doing::Nothing,
            Some(Order::Read) => Doing::Reading,
            Some(Order::Send(target)) => {
                let sent = target.headers.get("last-event-id").map_or("", |id| id.to_str().expect("text"));
                assert_eq!(sent, known, "the server is told how far the program has come");
                Doing::Sending
            }
            Some(order @ (Order::Load | Order::Prepare(_))) => panic!("{order:?} without a store and a hook"),
        };
        if play.session.is_ending() {
            assert_eq!(doing, Doing::Nothing, "no connection is left");
            let error = play.session.finish().map_or("end".to_owned(), |error| error.to_string());
            told.push((play.now, error));
        }
        if play.session.is_closed() {
            assert!(play.session.deadline().is_none() && play.session.next_signal(Comments::Give).is_none());
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_keeps_its_promises(
        happenings in prop::collection::vec(happening(), 0..80),
        (seed, idle, resilient, repeat) in (any::<u64>(), any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let rules = || Rules {
            reconnect: if resilient { Reconnect::resilient() } else { Reconnect::spec() }.seed(seed),
            idle_timeout: idle.then_some(10 * SECOND),
            repeat,
            gives_blocks: true,
            ..rules()
        };
        let told = run(rules(), &happenings);
        // A connection ends before the next one opens.
        let mut is_open = false;
        for (_, signal) in &told {
            let was_open = is_open;
            is_open = signal == "open" || is_open && !signal.starts_with("reconnecting");
            prop_assert!(!(signal == "open" && was_open), "{told:?}");
            prop_assert!(was_open || !signal.starts_with("event"), "{told:?}");
        }
        prop_assert_eq!(run(rules(), &happenings), told, "equal happenings lead to equal signals");
    }
}
