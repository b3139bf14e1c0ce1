//! A hashed timer wheel: one timer for each of many keys, moved far more often than it fires.
//!
//! Time is cut into ticks, and each of the next [`SLOTS`] ticks has a slot: a list of the timers that are looked at
//! when it has passed. Scheduling and cancelling touch one list, whatever the number of timers. The wheel has no clock
//! and does nothing by itself: who owns it sleeps until [`Wheel::next`] and then asks with [`Wheel::expire`] what is
//! due.
//!
//! A timer never fires early. Asked in time, it fires at most one tick late.
use std::time::{Duration, Instant};

/// The length of a tick: 2^23 ns, about 8.4 ms, so that a division is a shift.
pub const TICK: Duration = Duration::from_nanos(1 << TICK_SHIFT);
/// The number of ticks within the horizon: about 34 s. What is due later waits in the farthest slot and is placed
/// again.
pub const SLOTS: usize = 1 << SLOT_BITS;

const TICK_SHIFT: u32 = 23;
const SLOT_BITS: u32 = 12;
const SLOT_MASK: u64 = SLOTS as u64 - 1;

/// The keys lie below this. Above it, `Timer::before` names a slot.
const MAX_KEYS: u32 = 1 << 31;
/// The end of a list; as `Timer::before`, that the timer is in none.
const NONE: u32 = u32::MAX;

/// One timer per key, by the tick at which it is due.
#[derive(Debug)]
pub struct Wheel {
    start: Instant,
    /// The tick up to which everything has expired. Its slot is the first: what is scheduled in the past lies there.
    passed: u64,
    /// The first key of each slot's list.
    first: Box<[u32; SLOTS]>,
    occupied: Occupied,
    /// The timers by key.
    timers: Vec<Timer>,
}

/// A link in the list of a slot. 16 bytes for each key.
#[derive(Clone, Copy, Debug)]
struct Timer {
    /// The time when it is due; its slot may come earlier, and never comes later.
    tick: u64,
    /// The key before it in its list, or, from [`MAX_KEYS`] on, the slot whose first it is.
    before: u32,
    after: u32,
}

const IDLE: Timer = Timer { tick: 0, before: NONE, after: NONE };

impl Wheel {
    /// A wheel without timers, whose time begins now. It takes 17 KiB, and 16 bytes more for each key up to the
    /// highest.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let first = Box::new([NONE; SLOTS]);
        Self { start: now, passed: 0, first, occupied: Occupied::default(), timers: Vec::new() }
    }

    /// Sets the timer of `key`, whether it had been set or not. Later than it was set costs one store, since the timer
    /// stays in its slot until that comes.
    ///
    /// # Panics
    /// If the key is 2^31 or more.
    pub fn schedule(&mut self, key: u32, at: Instant) {
        assert!(key < MAX_KEYS, "{key} is no dense key");
        let tick = self.tick_after(at);
        if index(key) >= self.timers.len() {
            self.timers.resize(index(key) + 1, IDLE);
        }
        let timer = &mut self.timers[index(key)];
        let stays = timer.before != NONE && timer.tick <= tick;
        timer.tick = tick;
        if !stays {
            self.unlink(key);
            self.link(key);
        }
    }

    /// Unsets the timer of `key`, if it was set.
    pub fn cancel(&mut self, key: u32) {
        if index(key) < self.timers.len() {
            self.unlink(key);
        }
    }

    /// The time to look again: not after the first timer is due, and as a rule not before either. `None` if no timer is
    /// set.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.next_tick().map(|tick| self.start + Duration::from_nanos(tick << TICK_SHIFT))
    }

    /// Unsets the timers that are due at `now`, and appends their keys to `due`.
    pub fn expire(&mut self, now: Instant, due: &mut Vec<u32>) {
        let now = self.tick_before(now);
        while let Some(tick) = self.next_tick().filter(|tick| *tick <= now) {
            self.passed = tick;
            let mut key = self.take_slot(slot(tick));
            while key != NONE {
                let timer = &mut self.timers[index(key)];
                let after = timer.after;
                timer.before = NONE;
                if timer.tick <= now {
                    due.push(key);
                } else {
                    self.link(key);
                }
                key = after;
            }
        }
        self.passed = self.passed.max(now);
    }

    /// Gives back the memory of the keys behind the highest one whose timer is set. Costs a look at each of them.
    pub fn shrink(&mut self) {
        let used = self.timers.iter().rposition(|timer| timer.before != NONE).map_or(0, |last| last + 1);
        self.timers.truncate(used);
        self.timers.shrink_to_fit();
    }

    /// The tick that has passed last at this time.
    fn tick_before(&self, at: Instant) -> u64 {
        ticks(at.saturating_duration_since(self.start).as_nanos())
    }

    /// The first tick that passes at this time or later.
    fn tick_after(&self, at: Instant) -> u64 {
        ticks(at.saturating_duration_since(self.start).as_nanos() + (TICK.as_nanos() - 1))
    }

    /// The tick of the first slot that has timers.
    fn next_tick(&self) -> Option<u64> {
        let from = slot(self.passed);
        let found = self.occupied.next(from)?;
        Some(self.passed + (found.wrapping_sub(from) as u64 & SLOT_MASK))
    }

    /// Puts a timer that is in no list into the one of its tick, or of the nearest tick that has a slot.
    fn link(&mut self, key: u32) {
        let tick = self.timers[index(key)].tick.clamp(self.passed, self.passed + SLOT_MASK);
        let slot = slot(tick);
        let after = std::mem::replace(&mut self.first[slot], key);
        self.occupied.set(slot);
        let timer = &mut self.timers[index(key)];
        (timer.before, timer.after) = (head(slot), after);
        if after != NONE {
            self.timers[index(after)].before = key;
        }
    }

    fn unlink(&mut self, key: u32) {
        let Timer { before, after, .. } = self.timers[index(key)];
        if before == NONE {
            return;
        }
        self.timers[index(key)].before = NONE;
        if after != NONE {
            self.timers[index(after)].before = before;
        }
        if before < MAX_KEYS {
            self.timers[index(before)].after = after;
            return;
        }
        let slot = index(before - MAX_KEYS);
        self.first[slot] = after;
        if after == NONE {
            self.occupied.clear(slot);
        }
    }

    /// Empties a slot, and returns the first key of what was its list.
    fn take_slot(&mut self, slot: usize) -> u32 {
        self.occupied.clear(slot);
        std::mem::replace(&mut self.first[slot], NONE)
    }
}

/// The slots that have timers: a bit for each, and a bit for each word of them that has one set.
#[derive(Debug)]
struct Occupied {
    words: [u64; WORDS],
    summary: u64,
}

const WORDS: usize = SLOTS / WORD_BITS;
const WORD_BITS: usize = u64::BITS as usize;
/// The summary is one word.
const _: () = assert!(WORDS == WORD_BITS);

impl Default for Occupied {
    fn default() -> Self {
        Self { words: [0; WORDS], summary: 0 }
    }
}

impl Occupied {
    fn set(&mut self, slot: usize) {
        self.words[slot / WORD_BITS] |= 1 << (slot % WORD_BITS);
        self.summary |= 1 << (slot / WORD_BITS);
    }

    fn clear(&mut self, slot: usize) {
        let word = &mut self.words[slot / WORD_BITS];
        *word &= !(1 << (slot % WORD_BITS));
        if *word == 0 {
            self.summary &= !(1 << (slot / WORD_BITS));
        }
    }

    /// The first slot with timers from `from` on, going round.
    fn next(&self, from: usize) -> Option<usize> {
        let (word, bit) = (from / WORD_BITS, from % WORD_BITS);
        let ahead = self.words[word] & (u64::MAX << bit);
        if ahead != 0 {
            return Some(word * WORD_BITS + lowest(ahead));
        }
        // The words behind this one, then those before it, then this one: what is left of it lies before `bit`.
        let behind = self.summary & (u64::MAX << 1 << word);
        let word = if behind != 0 { lowest(behind) } else { lowest(self.summary) };
        (self.summary != 0).then(|| word * WORD_BITS + lowest(self.words[word]))
    }
}

fn lowest(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

fn ticks(nanoseconds: u128) -> u64 {
    // Beyond is in 4.9 billion years.
    u64::try_from(nanoseconds >> TICK_SHIFT).unwrap_or(u64::MAX >> TICK_SHIFT)
}

#[allow(clippy::cast_possible_truncation, reason = "the mask leaves a slot's bits")]
fn slot(tick: u64) -> usize {
    (tick & SLOT_MASK) as usize
}

/// The mark before the first timer of a slot.
#[allow(clippy::cast_possible_truncation, reason = "there are fewer slots")]
fn head(slot: usize) -> u32 {
    MAX_KEYS + slot as u32
}

fn index(key: u32) -> usize {
    key as usize
}

#[cfg(test)]
mod tests;
