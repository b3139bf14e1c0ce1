//! SIGKILL at a random moment, again and again, while updates are published and erased: what was answered holds after
//! the restart. What a DELETE has erased is shown to nobody, and is no gap; everything else that was acknowledged is
//! there once and in order.
//!
//! `TEST_FANFARE_CRASH_ROUNDS=500 cargo test --workspace --test faults erase` plays more rounds than the usual twenty.
use crate::{
    crash::rounds,
    hub::Hub,
    peer::{Publisher, Received, Subscriber},
};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const TOPICS: [&str; 3] = ["a", "b", "c"];
const PUBLISHERS: usize = 4;
const ERASERS: usize = 2;
/// The number of DELETE requests of which one erases all of a topic, and the others one of the newest updates.
const WHOLE_TOPIC: u32 = 10;
const NEWEST: usize = 200;
/// The number of rounds in one of which the hub lives until it looks for segments to rewrite, which it does once a
/// second: those from before a restart of which a quarter was erased.
const LONG_ROUND: u32 = 5;
/// The number of IDs after which a subscriber resumes in each round.
const RESUMED: usize = 3;

/// An update that was acknowledged.
#[derive(Clone)]
struct Published {
    topic: &'static str,
    data: String,
    id: String,
    /// The times when it was sent and when it was acknowledged, by [`Work::clock`].
    begun: u64,
    acknowledged: u64,
}

/// A DELETE request.
struct Erasing {
    topic: &'static str,
    /// The one update that it erases; `None` is all of the topic.
    id: Option<String>,
    begun: u64,
    /// The time when it was answered, or the hub was dead.
    ended: u64,
    is_answered: bool,
}

/// The work of publishers and erasers, in all rounds.
#[derive(Default)]
struct Work {
    /// Counts what happens, so that it can be told what came before what.
    clock: AtomicU64,
    published: Mutex<Vec<Published>>,
    erasings: Mutex<Vec<Erasing>>,
}

/// The fate of an update, by the answers that were given. The later of two counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Shown,
    /// A request to erase it came while it was published, or was not answered.
    Either,
    Erased,
}

#[test]
fn what_was_erased_stays_so_through_every_kill_and_nothing_else_is_lost() {
    let (mut hub, work) = (Hub::start(&["--allow-erase"]), Work::default());
    let (rounds, address) = (rounds(), hub.address);
    let mut shown = 0;
    for round in 0..rounds {
        thread::scope(|scope| {
            for publisher in 0..PUBLISHERS {
                let work = &work;
                scope.spawn(move || work.publish(address, &format!("{publisher}.{round}")));
            }
            for _ in 0..ERASERS {
                scope.spawn(|| work.erase(address));
            }
            let is_long = round % LONG_ROUND == LONG_ROUND - 1;
            thread::sleep(Duration::from_millis(fastrand::u64(if is_long { 1_000..1_200 } else { 20..300 })));
            hub.kill();
        });
        hub.restart();
        shown = work.check(address);
    }
    let (published, erasings) = (work.published.into_inner().unwrap(), work.erasings.into_inner().unwrap());
    let answered = erasings.iter().filter(|erasing| erasing.is_answered).count();
    println!(
        "{rounds} kills: {} updates acknowledged, {answered} of {} DELETE requests answered, {shown} updates left",
        published.len(),
        erasings.len()
    );
    let least = rounds as usize;
    assert!(answered > least && published.len() > shown + least, "too little was erased to prove anything");
}

impl Work {
    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Publishes, counting up, until the hub is dead. Every other update has an ID of its publisher's.
    fn publish(&self, hub: SocketAddr, publisher: &str) {
        let Ok(mut connection) = Publisher::connect(hub) else { return };
        for number in 0_u64.. {
            let (topic, begun) = (fastrand::choice(TOPICS).unwrap(), self.now());
            let data = format!("{publisher}.{number}");
            let query = if number % 2 == 0 { format!("?id=urn:x:{data}") } else { String::new() };
            let Ok(id) = connection.publish(&format!("{topic}{query}"), "text/plain", &data) else { return };
            let (id, acknowledged) = (id.trim_end().to_owned(), self.now());
            self.published.lock().unwrap().push(Published { topic, data, id, begun, acknowledged });
        }
    }

    /// Erases what was acknowledged, until the hub is dead.
    fn erase(&self, hub: SocketAddr) {
        let Ok(mut connection) = Publisher::connect(hub) else { return };
        let mut is_answered = true;
        while is_answered {
            thread::sleep(Duration::from_millis(fastrand::u64(0..4)));
            let (topic, id) =
                self.any_of_the_newest().map_or((TOPICS[0], None), |update| (update.topic, Some(update.id)));
            let id = id.filter(|_| fastrand::u32(0..WHOLE_TOPIC) > 0);
            let query = id.as_ref().map(|id| format!("?id={}", id.replace('#', "%23"))).unwrap_or_default();
            let begun = self.now();
            is_answered = connection.erase(&format!("{topic}{query}")).is_ok();
            let ended = self.now();
            self.erasings.lock().unwrap().push(Erasing { topic, id, begun, ended, is_answered });
        }
    }

    fn any_of_the_newest(&self) -> Option<Published> {
        let published = self.published.lock().unwrap();
        fastrand::choice(&published[published.len().saturating_sub(NEWEST)..]).cloned()
    }

    /// Checks what the hub shows of all rounds so far, and returns the number of its updates.
    fn check(&self, hub: SocketAddr) -> usize {
        let (published, erasings) = (self.published.lock().unwrap(), self.erasings.lock().unwrap());
        let events = replay(hub, "earliest");
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut last_of: HashMap<&str, u64> = HashMap::new();
        for (place, event) in events.iter().enumerate() {
            assert_eq!(event.event_type, "message", "no gap: {event:?}");
            assert_eq!(places.insert(&event.data, place), None, "twice: {event:?}");
            let (publisher, number) = event.data.rsplit_once('.').unwrap();
            let number = number.parse().unwrap();
            let before = last_of.insert(publisher, number);
            assert!(before.is_none_or(|before| before < number), "out of order: {event:?}");
        }
        let fates = Fates::of(&erasings);
        for update in &*published {
            let place = places.get(update.data.as_str());
            match fates.of_update(update) {
                Fate::Shown => assert_eq!(place.map(|place| &events[*place].id), Some(&update.id), "{}", update.data),
                Fate::Erased => assert_eq!(place, None, "{} was erased", update.data),
                Fate::Either => {}
            }
        }
        for _ in 0..RESUMED.min(published.len()) {
            let update = fastrand::choice(&*published).unwrap();
            let behind = replay(hub, &update.id);
            let expected = match places.get(update.data.as_str()) {
                Some(place) => &events[place + 1..],
                None => &events[events.len().saturating_sub(behind.len())..],
            };
            assert_eq!(behind, expected, "behind {} ({})", update.id, update.data);
        }
        events.len()
    }
}

/// The requests to erase, by what they erase.
struct Fates<'a> {
    of_topics: HashMap<&'a str, Vec<&'a Erasing>>,
    of_ids: HashMap<&'a str, Vec<&'a Erasing>>,
}

impl<'a> Fates<'a> {
    fn of(erasings: &'a [Erasing]) -> Self {
        let mut fates = Self { of_topics: HashMap::new(), of_ids: HashMap::new() };
        for erasing in erasings {
            let of_same = match &erasing.id {
                Some(id) => fates.of_ids.entry(id).or_default(),
                None => fates.of_topics.entry(erasing.topic).or_default(),
            };
            of_same.push(erasing);
        }
        fates
    }

    fn of_update(&self, update: &Published) -> Fate {
        let of_same = [self.of_topics.get(update.topic), self.of_ids.get(update.id.as_str())];
        let fates = of_same.into_iter().flatten().flatten().map(|erasing| match erasing {
            erasing if erasing.ended < update.begun => Fate::Shown,
            erasing if erasing.is_answered && update.acknowledged < erasing.begun => Fate::Erased,
            _ => Fate::Either,
        });
        fates.max().unwrap_or(Fate::Shown)
    }
}

/// Everything that is shown behind this ID.
fn replay(hub: SocketAddr, last_event_id: &str) -> Vec<Received> {
    let [first, others @ ..] = TOPICS;
    let target = others.iter().fold(format!("{first}?until=now"), |target, topic| format!("{target}&topic={topic}"));
    let mut subscriber = Subscriber::connect(hub, &target, Some(last_event_id)).unwrap();
    let mut events = Vec::new();
    loop {
        match subscriber.receive(&mut events) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return events,
            Err(error) => panic!("{error}"),
        }
    }
}
