//! The arrival of a subscriber at a shard. The shard gets the subscription and the socket, to which nothing of the
//! response has been written yet.
use super::{JOINS_AT_ONCE, Next, Shard};
use crate::delivery::{incoming::Incoming, stream::Stream};
use crossbeam_channel::TryRecvError;
use fanfare_hub::ending::EndReason;
use mio::{Interest, Token, net::TcpStream};
use std::{io, net, sync::atomic::Ordering};

impl Shard {
    /// Reads the messages to the shard: adds the subscribers that have arrived, and ends all streams or stops the shard
    /// if a message says so.
    pub(super) fn take_in(&mut self) -> Next {
        for _ in 0..JOINS_AT_ONCE {
            match self.incoming.try_recv() {
                Ok(Incoming::Stream(socket, stream)) => {
                    if let Err(error) = self.join(socket, *stream) {
                        self.load.fetch_sub(1, Ordering::Relaxed);
                        if self.refused.is_due() {
                            tracing::warn!("a subscriber could not be taken over: {error}");
                        }
                    }
                }
                Ok(Incoming::EndAll) => self.end_all(),
                Ok(Incoming::EndRevoked) => self.end_revoked(),
                Ok(Incoming::Stop) | Err(TryRecvError::Disconnected) => {
                    self.end_all();
                    self.is_stopping = true;
                    return Next::Wait;
                }
                Ok(Incoming::Abort) => {
                    self.is_aborted = true;
                    return Next::Wait;
                }
                #[cfg(test)]
                Ok(Incoming::Panic) => panic!("told to panic"),
                Err(TryRecvError::Empty) => return Next::Wait,
            }
        }
        Next::Again
    }

    fn join(&mut self, socket: net::TcpStream, stream: Stream) -> io::Result<()> {
        let Stream { head, seal, opening, place, arrival, signer } = stream;
        let (mut joining, permit) = opening.join();
        let mut socket = TcpStream::from_std(socket);
        // The bytes that a subscriber sends are not read. The socket is still registered for reading, because the
        // system then also reports that the peer has hung up.
        let token = Token(self.fan_out.next_key() as usize);
        self.poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        joining.opening.splice(..0, head);
        joining.tag = self.signers.begin(signer.as_ref());
        let (mailbox, audience) = (&self.mailbox, joining.key.clone());
        let follow = |part| mailbox.follow(&audience, part, permit);
        let id = |offset| mailbox.place(offset);
        let key = self.fan_out.join(joining, self.now, follow, || mailbox.head(), &id);
        // The permit now belongs to the shard's thread, which releases it when the subscriber leaves.
        place.forget();
        self.sockets.insert(key, socket, seal);
        if let Some(arrival) = arrival {
            // The arrival may be published from now on, and not earlier, because only now the shard receives the
            // updates for the subscriber. So if a client learns of the arrival and publishes an update, the subscriber
            // gets this update.
            self.presence.begin(key, arrival.begin(self.fan_out.audience(key)));
        }
        let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
        turn.start(key);
        if self.is_ending {
            turn.end(key);
        } else if signer.is_some_and(|signer| signer.is_revoked()) {
            // The message that ends the streams of this signer may have come before this stream.
            turn.end_because(key, EndReason::TokenRevoked, &id);
        }
        self.settle();
        self.schedule(key);
        Ok(())
    }
}
