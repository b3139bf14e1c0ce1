//! `fanfare subscribe` with the same servers.
use crate::cases::{CASES, Case, Data, Expected, Then};
use fanfare_interop::{
    subscribe::{from_json, from_raw, subscribe},
    subscriber::Received,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Until a server says otherwise.
const RECONNECTION_TIME_MS: u64 = 3_000;
/// What delays are rounded to where they are told, and a little.
const TOLD_PRECISION: Duration = Duration::from_millis(51);

#[test]
fn fanfare_subscribe_prints_what_each_server_sends_and_comes_back() {
    // Side by side, since some take seconds to come back.
    thread::scope(|scope| {
        for case in CASES {
            scope.spawn(|| prints_and_comes_back(case));
        }
    });
}

fn prints_and_comes_back(case: &Case) {
    let (connections, then) = match case.then {
        Then::More => (1, &[][..]),
        Then::EndAndSame => (2, case.events),
        Then::EndAndNext(events) => (2, events),
    };
    let wanted: Vec<&Expected> = case.events.iter().chain(then).collect();
    // Where there is no event, the first would end it.
    let count = wanted.len().max(1).to_string();
    let (server, begun) = ((case.start)(), Instant::now());
    let printed = subscribe(&server.url, &["--format", "json", "-n", &count], connections);
    let took = begun.elapsed();

    let received = from_json(&printed.events);
    assert_eq!(received.len(), wanted.len(), "{}: {received:?}", case.name);
    wanted.iter().zip(&received).for_each(|(wanted, received)| wanted.check(received));
    assert_eq!((printed.ended, printed.connections), (!wanted.is_empty(), connections), "{}", case.name);

    let Some(delay) = printed.delays.first().filter(|_| connections > 1) else {
        return assert_eq!(printed.delays, [], "{}", case.name);
    };
    let reconnection_time = Duration::from_millis(case.reconnection_ms.unwrap_or(RECONNECTION_TIME_MS));
    // It is spread, and wider after a connection that brought nothing.
    let longest = reconnection_time * if wanted.is_empty() { 4 } else { 2 };
    let told = reconnection_time.saturating_sub(TOLD_PRECISION)..longest + TOLD_PRECISION;
    assert!(told.contains(delay) && took + TOLD_PRECISION > *delay, "{}: {delay:?}, took {took:?}", case.name);
}

/// Reads what a format has printed.
type Read = fn(&str) -> Vec<Received>;

const FORMATS: &[(&str, Read)] = &[("json", from_json), ("raw", from_raw)];

#[test]
fn fanfare_subscribe_prints_the_events_of_each_server_in_each_format() {
    for case in CASES {
        let Some(first) = case.events.first() else { continue };
        println!("{}", case.name);
        let server = (case.start)();
        let run = |format| {
            let printed = subscribe(&server.url, &["--format", format, "-n", "1"], 1);
            assert!(printed.ended, "{}, {format}: {printed:?}", case.name);
            printed.events
        };
        for (format, read) in FORMATS {
            match &read(&run(format))[..] {
                [event] => first.check(event),
                events => panic!("{}, {format}: {events:?} in place of one", case.name),
            }
        }
        let (data, pretty) = (run("data"), run("pretty"));
        match first.data {
            Data::Is(whole) => assert_eq!(data, format!("{whole}\n")),
            Data::Contains(part) => assert!(data.contains(part) && data.lines().count() == 1, "{data}"),
        }
        assert!(pretty.contains(&format!(" {}", first.event_type)), "{pretty}");
    }
}
