//! The arrival of a member: its socket, with nothing of the response written yet, and what it subscribed to.
use super::{
    JOINS_AT_ONCE, Shard, Turn,
    keys::MemberKey,
    member::{Member, State},
};
use crate::delivery::handed::{Handed, Incoming};
use bytes::Bytes;
use crossbeam_channel::TryRecvError;
use fanfare_hub::opening::Joining;
use mio::{Interest, Token, net::TcpStream};
use std::{io, sync::atomic::Ordering};

impl Shard {
    /// Takes in those who have come.
    pub(super) fn take_in(&mut self) -> Turn {
        for _ in 0..JOINS_AT_ONCE {
            match self.incoming.try_recv() {
                Ok(Incoming::Subscriber(handed)) => {
                    if let Err(error) = self.join(*handed) {
                        self.load.fetch_sub(1, Ordering::Relaxed);
                        tracing::warn!("a subscriber was lost: {error}");
                    }
                }
                Ok(Incoming::EndAll) => self.end_all(),
                Ok(Incoming::Stop) | Err(TryRecvError::Disconnected) => {
                    self.end_all();
                    self.is_stopping = true;
                    return Turn::Wait;
                }
                Err(TryRecvError::Empty) => return Turn::Wait,
            }
        }
        Turn::Again
    }

    fn join(&mut self, handed: Handed) -> io::Result<()> {
        let Handed { socket, head, joining, mut pace, place, arrival } = handed;
        let Joining { key: audience, cursor, gap, permit } = joining;
        let mut socket = TcpStream::from_std(socket);
        let key = self.members.vacant_key();
        // That it is readable matters only in that a hang-up is told with it: what a subscriber sends is not read.
        self.poll.registry().register(&mut socket, Token(key), Interest::READABLE | Interest::WRITABLE)?;
        let part = match self.parts.find(&audience) {
            Some(part) => part,
            None => {
                let Self { parts, mailbox, window, now, .. } = self;
                let follow = |part| mailbox.follow(&audience, part, permit);
                parts.add(audience.clone(), *window, *now, follow)
            }
        };
        // After the part follows its audience: what is appended behind this head comes by itself.
        let cursor = cursor.unwrap_or_else(|| self.mailbox.head());
        // From here on this thread frees the place.
        place.forget();
        self.parts.get_mut(part).members += 1;
        let (ends, end_reason) = (pace.ends(), pace.take_reason());
        let (state, spoke) = (State::Full, self.now);
        let member = Member { socket, part, state, cursor, unsent: None, spoke, ends, end_reason };
        let key = MemberKey::try_from(self.members.insert(member)).expect("fewer than there are open files");
        if let Some(arrival) = arrival {
            // Now that the part follows its audience.
            self.presence.begin(key, arrival.begin(&self.parts.get(part).key));
        }
        self.schedule(key);
        let opening = match gap {
            Some(gap) => [&head[..], &gap].concat().into(),
            None => Bytes::from(head),
        };
        self.member_mut(key).unsent = Some(Box::new([opening, Bytes::new()]));
        self.advance(key);
        if self.is_ending {
            self.end(key);
        }
        Ok(())
    }
}
