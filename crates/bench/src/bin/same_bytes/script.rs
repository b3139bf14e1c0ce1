//! A script: the random events, from a seed, that happen to a hub and its subscribers. The script knows what each
//! subscriber must get, so nothing in it depends on timing.
use crate::{hub::Hub, subscriber::Connection};
use std::{error::Error, thread, time::Duration};

const TOPICS: [&str; 3] = ["a", "b", "c"];
/// The number of steps in a script.
const STEPS: usize = 30;
const MAX_SUBSCRIBERS: usize = 6;
/// The time to wait after the first byte of a stream, so that a subscriber without a last event ID has certainly
/// joined.
const JOINED: Duration = Duration::from_millis(15);

/// A script, and its state after the steps that it has run so far.
pub(crate) struct Script<'a> {
    hub: &'a Hub,
    random: Random,
    /// The seed of the script's random numbers, which is also a part of its topics' names.
    seed: u64,
    /// All publications: their topics and IDs, in order.
    published: Vec<(usize, String)>,
    subscribers: Vec<Subscriber>,
    /// The bytes of connections that have ended, with the numbers of the connections.
    ended: Vec<(usize, Vec<u8>)>,
    connections: usize,
}

struct Subscriber {
    /// The topics that the subscriber receives, one bit for each.
    topics: usize,
    envelope: bool,
    connection: Option<(usize, Connection)>,
    /// The number of publications, from the first one of the script on, that the subscriber does not need any more:
    /// those before its connection was opened, and those that it has received.
    seen: usize,
}

/// A generator of random numbers that are the same in every build.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        // These are the constants of Knuth's MMIX generator.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % below
    }
}

impl<'a> Script<'a> {
    pub(crate) fn new(hub: &'a Hub, seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d);
        let (published, subscribers, ended) = (Vec::new(), Vec::new(), Vec::new());
        Self { hub, random, seed, published, subscribers, ended, connections: 0 }
    }

    /// Runs the steps of the script. Some streams are still open afterwards; `end` reads them.
    pub(crate) fn play(&mut self) -> Result<(), Box<dyn Error>> {
        self.publish(1)?;
        for _ in 0..STEPS {
            match self.random.next(10) {
                0..4 => {
                    let most = if self.random.next(8) == 0 { 200 } else { 6 };
                    self.publish(most)?;
                }
                4..6 => self.join()?,
                6 => self.catch_up()?,
                7..9 => self.kill()?,
                _ => self.resume()?,
            }
        }
        for topic in 0..TOPICS.len() {
            self.publish_to(topic, 1, 10)?;
        }
        for number in 0..self.subscribers.len() {
            self.read(number)?;
        }
        Ok(())
    }

    /// Reads the streams that are still open to their ends, and returns the bytes of all connections, in order.
    pub(crate) fn end(mut self) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        for subscriber in &mut self.subscribers {
            if let Some((number, mut connection)) = subscriber.connection.take() {
                self.ended.push((number, connection.read_to_end()?));
            }
        }
        self.ended.sort_unstable_by_key(|(number, _)| *number);
        Ok(self.ended.into_iter().map(|(_, bytes)| bytes).collect())
    }

    fn publish(&mut self, most: usize) -> Result<(), Box<dyn Error>> {
        let (topic, count) = (self.random.next(TOPICS.len()), 1 + self.random.next(most));
        let length = match self.random.next(12) {
            0 => 40_000,
            1 => 3_000,
            _ => 200,
        };
        self.publish_to(topic, if length > 10_000 { count.min(12) } else { count }, length)
    }

    fn publish_to(&mut self, topic: usize, count: usize, length: usize) -> Result<(), Box<dyn Error>> {
        let data: Vec<_> = (0..count).map(|_| "x".repeat(self.random.next(length))).collect();
        let ids = self.hub.publish(&self.topic(topic), &data)?;
        self.published.extend(ids.into_iter().map(|id| (topic, id)));
        Ok(())
    }

    fn topic(&self, topic: usize) -> String {
        format!("{}-{}", self.seed, TOPICS[topic])
    }

    fn join(&mut self) -> Result<(), Box<dyn Error>> {
        if self.subscribers.len() == MAX_SUBSCRIBERS {
            return Ok(());
        }
        let (topics, envelope) = (1 + self.random.next(7), self.random.next(3) == 0);
        self.subscribers.push(Subscriber { topics, envelope, connection: None, seen: 0 });
        let number = self.subscribers.len() - 1;
        match self.random.next(5) {
            0 => self.connect(number, Some("earliest"), 0, ""),
            1 => self.connect(number, Some("nobody's"), 0, ""),
            2 => self.connect(number, None, self.published.len(), "&last=2"),
            3 => {
                let at = self.random.next(self.published.len());
                let id = self.published[at].1.clone();
                self.connect(number, Some(&id), at + 1, "")
            }
            _ => {
                self.connect(number, None, self.published.len(), "")?;
                thread::sleep(JOINED);
                Ok(())
            }
        }
    }

    fn connect(&mut self, number: usize, id: Option<&str>, seen: usize, query: &str) -> Result<(), Box<dyn Error>> {
        let topics = self.subscribers[number].topics;
        let wanted = (0..TOPICS.len()).filter(|topic| (topics >> topic) & 1 == 1);
        let wanted: Vec<_> = wanted.map(|topic| format!("topic={}", self.topic(topic))).collect();
        let envelope = if self.subscribers[number].envelope { "&envelope" } else { "" };
        let path = format!("/topics?{}{envelope}{query}", wanted.join("&"));
        let buffer = [2 << 10, 16 << 10, 256 << 10][self.random.next(3)];
        let connection = Connection::open(self.hub.address, &path, id, buffer)?;
        let subscriber = &mut self.subscribers[number];
        subscriber.connection = Some((self.connections, connection));
        subscriber.seen = seen;
        self.connections += 1;
        Ok(())
    }

    /// Returns the index of the newest publication to the subscriber's topics; `None` if the subscriber has it already.
    fn due(&self, number: usize) -> Option<usize> {
        let Subscriber { topics, seen, .. } = &self.subscribers[number];
        let last = self.published.iter().rposition(|(topic, _)| (topics >> topic) & 1 == 1)?;
        (last >= *seen).then_some(last)
    }

    fn some_subscriber(&mut self, connected: bool) -> Option<usize> {
        let fit = |subscriber: &Subscriber| subscriber.connection.is_some() == connected;
        let some: Vec<_> = (0..self.subscribers.len()).filter(|number| fit(&self.subscribers[*number])).collect();
        (!some.is_empty()).then(|| some[self.random.next(some.len())])
    }

    /// Makes a random connected subscriber read up to the newest publication to its topics.
    fn catch_up(&mut self) -> Result<(), Box<dyn Error>> {
        match self.some_subscriber(true) {
            Some(number) => self.read(number),
            None => Ok(()),
        }
    }

    fn read(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        let Some(last) = self.due(number) else { return Ok(()) };
        let id = self.published[last].1.clone();
        let subscriber = &mut self.subscribers[number];
        if let Some((_, connection)) = &mut subscriber.connection {
            connection.read_up_to(&id)?;
            subscriber.seen = last + 1;
        }
        Ok(())
    }

    /// Makes a random connected subscriber read up to a random publication that it has not received, and closes its
    /// connection there.
    fn kill(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(number) = self.some_subscriber(true) else { return Ok(()) };
        let Subscriber { topics, seen, .. } = self.subscribers[number];
        let due = |at: &usize| (topics >> self.published[*at].0) & 1 == 1;
        let due: Vec<_> = (seen..self.published.len()).filter(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let last = due[self.random.next(due.len())];
        let id = self.published[last].1.clone();
        let subscriber = &mut self.subscribers[number];
        if let Some((place, mut connection)) = subscriber.connection.take() {
            self.ended.push((place, connection.read_up_to(&id)?));
            subscriber.seen = last + 1;
        }
        Ok(())
    }

    /// Makes a random subscriber whose connection was closed reconnect, with the ID of the last publication that it has
    /// received.
    fn resume(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(number) = self.some_subscriber(false) else { return Ok(()) };
        let seen = self.subscribers[number].seen;
        let id = self.published[seen - 1].1.clone();
        self.connect(number, Some(&id), seen, "")
    }
}
