//! Tests that every engine passes.
use super::*;
use mio::net::TcpStream;
use std::{
    io::{ErrorKind, Read},
    net::{Ipv4Addr, TcpListener, TcpStream as BlockingStream},
    sync::LazyLock,
};

/// The random bytes that are sent. They do not repeat within a send.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = fastrand::Rng::with_seed(1);
    (0..4 << 20).map(|_| random.u8(..)).collect()
});

/// Returns every engine that works on this system.
fn engines() -> impl Iterator<Item = Engine> {
    let (uring, started) = Engine::start(Choice::IoUring);
    println!("{started}");
    [Engine::Epoll, uring].into_iter()
}

/// A member's socket, the subscriber at its other end, and the counts of bytes between them.
struct Pair {
    socket: TcpStream,
    /// The subscriber; `None` after it has left.
    peer: Option<BlockingStream>,
    /// The number of bytes of [`BYTES`], which are sent in order, that the socket took according to the engine.
    taken: usize,
    /// The number of bytes that the peer has read.
    read: usize,
}

impl Pair {
    fn new(listener: &TcpListener) -> Self {
        let peer = BlockingStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        Self { socket: TcpStream::from_std(socket), peer: Some(peer), taken: 0, read: 0 }
    }

    fn some(count: usize) -> Vec<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        (0..count).map(|_| Self::new(&listener)).collect()
    }

    /// Returns the next `length` bytes to send to this subscriber, or fewer at the end of [`BYTES`]. After the end, the
    /// bytes are sent again from the start.
    fn next(&self, length: usize) -> &'static [u8] {
        let begin = self.taken % BYTES.len();
        &BYTES[begin..(begin + length).min(BYTES.len())]
    }

    /// Reads `count` bytes from the peer, if it has not left, and compares them with the bytes that were sent.
    fn read(&mut self, count: usize) {
        let mut bytes = vec![0; count];
        let Some(peer) = &mut self.peer else { return };
        peer.read_exact(&mut bytes).unwrap();
        self.compare(&bytes);
    }

    fn compare(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let begin = self.read % BYTES.len();
            let (piece, rest) = bytes.split_at(bytes.len().min(BYTES.len() - begin));
            assert!(piece == &BYTES[begin..begin + piece.len()], "other bytes than were sent, after {}", self.read);
            self.read += piece.len();
            bytes = rest;
        }
    }

    /// Ends the stream and reads the rest of it. The subscriber must have got exactly the bytes that the socket took.
    fn end(mut self) {
        let mut bytes = Vec::new();
        let Some(mut peer) = self.peer.take() else { return };
        self.socket.shutdown(std::net::Shutdown::Write).unwrap();
        peer.read_to_end(&mut bytes).unwrap();
        self.compare(&bytes);
        assert_eq!(self.read, self.taken);
    }
}

/// Sends the given number of bytes to each of these pairs, in one call, and counts the bytes that were taken. Returns
/// the sends that were not complete.
fn send(engine: &mut Engine, pairs: &mut [Pair], lengths: &[(usize, usize)]) -> Vec<Unsent> {
    let mut unsent = Vec::new();
    let sends: Vec<_> = lengths.iter().map(|&(index, length)| (index, pairs[index].next(length))).collect();
    let each = |&(index, bytes): &(usize, &'static [u8])| Send {
        member: index.try_into().unwrap(),
        socket: &pairs[index].socket,
        bytes,
    };
    engine.send(sends.iter().map(each), &mut unsent, &Turns::default());
    let mut counts: Vec<_> = sends.iter().map(|(_, bytes)| Some(bytes.len())).collect();
    for Unsent { member: key, taken: sent } in &unsent {
        let place = sends.iter().position(|(index, _)| *index == *key as usize).unwrap();
        let whole = counts[place].replace(*sent.as_ref().unwrap_or(&0)).unwrap();
        assert!(sent.as_ref().is_ok_and(|sent| *sent < whole) || sent.is_err(), "{sent:?} of {whole} is whole");
    }
    for ((index, _), count) in sends.iter().zip(counts) {
        pairs[*index].taken += count.unwrap();
    }
    unsent
}

#[test]
fn whole_sends_arrive() {
    for mut engine in engines() {
        for length in [0, 1, 220, 16 << 10] {
            for count in [1, 7, 8, 20] {
                let mut pairs = Pair::some(count);
                let lengths: Vec<_> = (0..count).map(|index| (index, length)).collect();
                assert!(send(&mut engine, &mut pairs, &lengths).is_empty(), "{engine:?}");
                pairs.into_iter().for_each(Pair::end);
            }
        }
    }
}

#[test]
fn a_full_socket_says_what_it_took() {
    for mut engine in engines() {
        for length in [300, 16 << 10, 4 << 20] {
            // There is more than one socket, so that the sends make a batch.
            let mut pairs = Pair::some(20);
            let lengths: Vec<_> = (0..20).map(|index| (index, length)).collect();
            let mut short = 0;
            loop {
                let unsent = send(&mut engine, &mut pairs, &lengths);
                short += unsent.iter().filter(|unsent| unsent.taken.as_ref().is_ok_and(|sent| *sent > 0)).count();
                if unsent.iter().filter(|unsent| matches!(unsent.taken, Ok(0))).count() == pairs.len() {
                    break;
                }
            }
            assert!(short > 0 || length < 1 << 20, "{engine:?} took no send in part");
            pairs.into_iter().for_each(Pair::end);
        }
    }
}

#[test]
fn a_peer_that_has_gone_is_an_error() {
    for mut engine in engines() {
        for count in [1, 20] {
            let mut pairs = Pair::some(count);
            pairs.iter_mut().for_each(|pair| pair.peer = None);
            let lengths: Vec<_> = (0..count).map(|index| (index, 220)).collect();
            // The first send may succeed: only the answer to it shows that the peer has gone.
            send(&mut engine, &mut pairs, &lengths);
            let unsent = send(&mut engine, &mut pairs, &lengths);
            assert_eq!(unsent.len(), count);
            for Unsent { taken: sent, .. } in unsent {
                let kind = sent.unwrap_err().kind();
                assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{engine:?}: {kind}");
            }
        }
    }
}

#[test]
fn a_call_may_have_more_sends_than_a_batch() {
    for mut engine in engines() {
        let mut pairs = Pair::some(150);
        let mut unsent = Vec::new();
        // There are ten sends to each member, and their bytes fit into the sockets. Every 151st send goes to a member
        // that has gone.
        let gone = Pair::some(1).remove(0);
        drop(gone.peer);
        let rounds = (0..10).flat_map(|round| (0..=150).map(move |index| (round, index)));
        let sends = rounds.map(|(round, index)| {
            let socket = pairs.get(index).map_or(&gone.socket, |pair| &pair.socket);
            Send { member: index.try_into().unwrap(), socket, bytes: &BYTES[round * 100..(round + 1) * 100] }
        });
        let turns = Turns::default();
        engine.send(sends, &mut unsent, &turns);
        assert!(turns.count() >= 10, "{engine:?}: a long batch shows {} steps", turns.count());
        assert!(unsent.iter().all(|unsent| unsent.member == 150 && unsent.taken.is_err()), "{engine:?}: {unsent:?}");
        assert!(unsent.len() >= 9, "{engine:?}: {} errors", unsent.len());
        pairs.iter_mut().for_each(|pair| pair.taken = 1_000);
        pairs.into_iter().for_each(Pair::end);
    }
}

/// Sends of all sizes go to sockets, some of which are seldom read and some of which lose their peer. Each peer that
/// stays gets exactly the bytes that the engine counted as taken.
#[test]
fn every_byte_is_accounted_for() {
    for mut engine in engines() {
        let (mut short, mut failed, mut stayed) = (0, 0, 0);
        for seed in 0..4 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut pairs = Pair::some(24);
            for _ in 0..300 {
                let mut lengths = Vec::new();
                for index in 0..pairs.len() {
                    if random.u8(..) < 200 {
                        let most = [300, 300, 20_000, 1 << 20][random.usize(..4)];
                        lengths.push((index, random.usize(..most)));
                    }
                }
                random.shuffle(&mut lengths);
                let mut gone = Vec::new();
                for Unsent { member: key, taken: sent } in send(&mut engine, &mut pairs, &lengths) {
                    match sent {
                        Ok(_) => short += 1,
                        Err(_) => gone.push(key as usize),
                    }
                }
                failed += gone.len();
                gone.sort_unstable();
                for index in gone.into_iter().rev() {
                    pairs.swap_remove(index);
                }
                for pair in &mut pairs {
                    match random.u16(..1_000) {
                        0 => pair.peer = None,
                        1..250 => pair.read(random.usize(..=pair.taken - pair.read).min(100_000)),
                        _ => {}
                    }
                }
            }
            stayed += pairs.len();
            pairs.into_iter().for_each(Pair::end);
        }
        assert!(
            short > 100 && failed > 3 && stayed > 30,
            "{engine:?}: {short} short, {failed} failed, {stayed} stayed"
        );
    }
}

#[test]
fn the_choice_decides_and_is_told() {
    let (engine, started) = Engine::start(Choice::Epoll);
    assert!(matches!((engine, &started), (Engine::Epoll, Started::EpollChosen)));
    assert_eq!(started.to_string(), "sends with one system call each (epoll), as chosen");
    for choice in [Choice::Auto, Choice::IoUring] {
        match Engine::start(choice) {
            (Engine::IoUring(_), started) => assert!(matches!(started, Started::IoUring)),
            (Engine::Epoll, Started::EpollInstead { chosen, .. }) => assert_eq!(chosen, choice),
            (Engine::Epoll, started) => panic!("{started}"),
        }
    }
}
