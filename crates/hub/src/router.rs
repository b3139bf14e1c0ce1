//! The router: the one thread that takes batches as the log's writer appends them, acknowledges them, and hands every event
//! to the audiences that it reaches. What it looks up belongs to it alone, so no lock is on an event's way: whoever wants
//! events follows an audience by a message.
use crate::{
    audience::{Audience, AudienceKey},
    entry::Entry,
    log::writer::Batches,
    mailbox::{Events, JoinPermit, Letter, Postbox},
    position::Offset,
    routes::{Outlet, RouteKey, Routes},
    wire::WireEvents,
};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, select, unbounded};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How many events of all audiences together go into one letter, before those of the entry that exceeds it. Each takes 40
/// bytes: a batch that reaches many audiences is handed out piece by piece.
const LETTER_EVENTS: usize = 64 << 10;

/// How the router is spoken to.
#[derive(Debug)]
pub(crate) struct Router {
    /// Bounded by permits: each subscriber that joins has one until the router has heard of it, and who leaves has joined.
    requests: Sender<Request>,
    shards: AtomicUsize,
}

#[derive(Debug)]
enum Request {
    Shard(usize, Postbox),
    Follow(Arc<AudienceKey>, Outlet, JoinPermit),
    Unfollow(Arc<AudienceKey>, Outlet),
}

/// The state of the router's thread.
#[derive(Debug)]
pub(crate) struct Routing {
    requests: Receiver<Request>,
    routes: Routes,
    shards: HashMap<usize, Postbox>,
}

impl Router {
    /// A router, and what is to [`run`](Routing::run) on a thread of its own.
    pub(crate) fn new() -> (Self, Routing) {
        let (sender, requests) = unbounded();
        let routing = Routing { requests, routes: Routes::default(), shards: HashMap::new() };
        (Self { requests: sender, shards: AtomicUsize::new(0) }, routing)
    }

    /// Makes a shard known, and gives the number it has.
    pub(crate) fn add_shard(&self, postbox: Postbox) -> usize {
        let shard = self.shards.fetch_add(1, Ordering::Relaxed);
        self.send(Request::Shard(shard, postbox));
        shard
    }

    /// From now on `outlet` gets the events of the audience with this key: everything that is appended after this returns,
    /// and perhaps some of what was appended before.
    pub(crate) fn follow(&self, key: Arc<AudienceKey>, outlet: Outlet, permit: JoinPermit) {
        self.send(Request::Follow(key, outlet, permit));
    }

    /// Ends that. Some events may still come.
    pub(crate) fn unfollow(&self, key: Arc<AudienceKey>, outlet: Outlet) {
        self.send(Request::Unfollow(key, outlet));
    }

    fn send(&self, request: Request) {
        // A router that has ended, because the log's writer has, has nothing to hand out any more.
        _ = self.requests.send(request);
    }
}

impl Routing {
    /// Routes until the writer ends.
    pub(crate) fn run(mut self, batches: &Batches) {
        let requests = self.requests.clone();
        loop {
            select! {
                recv(batches.appended()) -> appended => match appended {
                    Ok(appended) => {
                        let entries = appended.acknowledge();
                        // Who asked before this batch was appended has asked before it came here, and is to get it.
                        requests.try_iter().for_each(|request| self.serve(request));
                        self.route(&entries);
                    }
                    Err(_) => return,
                },
                recv(requests) -> request => match request {
                    Ok(request) => self.serve(request),
                    Err(_) => return,
                },
            }
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Shard(shard, postbox) => drop(self.shards.insert(shard, postbox)),
            Request::Follow(key, outlet, _permit) => self.routes.add(&key, outlet),
            Request::Unfollow(key, outlet) => self.routes.remove(&key, &outlet),
        }
    }

    /// Hands a batch of entries, which follow each other and what was routed before, to every audience that they reach.
    fn route(&mut self, mut entries: &[Arc<Entry>]) {
        while !entries.is_empty() {
            let (mails, taken) = address(&self.routes, entries);
            self.post(mails);
            entries = &entries[taken..];
        }
    }

    fn post(&mut self, mails: Vec<Mail>) {
        let mut letters: HashMap<usize, Letter> = HashMap::new();
        let mut polled: Vec<(&Arc<Audience>, Events)> = Vec::new();
        for (route, events) in mails {
            let events: Events = events.into();
            for outlet in &self.routes.get(route).outlets {
                match outlet {
                    Outlet::Shard(shard, part) => letters.entry(*shard).or_default().push((*part, events.clone())),
                    Outlet::Polled(audience) => polled.push((audience, events.clone())),
                }
            }
        }
        for (shard, letter) in letters {
            let known = self.shards.get(&shard).is_some_and(|postbox| postbox.post(letter));
            if !known {
                self.shards.remove(&shard);
            }
        }
        for (audience, events) in polled {
            audience.deliver(&events);
        }
    }
}

/// What there is for one audience.
type Mail = (RouteKey, Vec<(Offset, Bytes)>);

/// The wire events of each audience that these entries reach, in order, and how many entries were looked at: no more after
/// [`LETTER_EVENTS`] were found.
fn address(routes: &Routes, entries: &[Arc<Entry>]) -> (Vec<Mail>, usize) {
    let mut mails: Vec<Mail> = Vec::new();
    let mut mail_of: HashMap<RouteKey, usize> = HashMap::new();
    let (mut taken, mut found) = (0, 0);
    for entry in entries {
        if found >= LETTER_EVENTS {
            break;
        }
        taken += 1;
        let offset = entry.position.offset;
        let mut wire = WireEvents::of(entry);
        for route in routes.matching(entry) {
            let mail = *mail_of.entry(route).or_insert_with(|| {
                mails.push((route, Vec::new()));
                mails.len() - 1
            });
            let events = &mut mails[mail].1;
            let reached_by_another_topic = events.last().is_some_and(|(last, _)| *last == offset);
            if !reached_by_another_topic {
                events.push((offset, wire.get(routes.get(route).key.representation)));
                found += 1;
            }
        }
    }
    (mails, taken)
}
