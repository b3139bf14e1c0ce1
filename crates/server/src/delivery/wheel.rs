//! A hashed timer wheel: one timer for each of many keys. It is made for timers that are set to a later time much more
//! often than they fire.
//!
//! Time is divided into ticks, and each of the next [`SLOTS`] ticks has a slot: a list of the timers that are checked
//! when the tick has passed. Scheduling and cancelling a timer take the same time for any number of timers. The wheel
//! has no clock and does nothing by itself: its owner sleeps until the time that [`Wheel::next`] returns, and then gets
//! the keys whose timers are due from [`Wheel::expire`].
//!
//! A timer never fires early. If the owner calls [`Wheel::expire`] in time, a timer fires at most one tick late.
use std::time::{Duration, Instant};

/// The length of a tick: 2^23 ns, about 8.4 ms. Because it is a power of two, a shift replaces each division.
pub const TICK: Duration = Duration::from_nanos(1 << TICK_SHIFT);
/// The number of ticks that have a slot; they last for about 34 s. A timer that is due later waits in the farthest
/// slot, and is moved when the tick of this slot has passed.
pub const SLOTS: usize = 1 << SLOT_BITS;

const TICK_SHIFT: u32 = 23;
const SLOT_BITS: u32 = 12;
const SLOT_MASK: u64 = SLOTS as u64 - 1;

/// The number of possible keys: every key is smaller than this. A value of `Timer::before` that is at least this number
/// is not a key, but names a slot.
const MAX_KEYS: u32 = 1 << 31;
/// The mark for the end of a list. A `Timer::before` with this value means that the timer is in no list.
const NONE: u32 = u32::MAX;

/// A timer wheel with one timer for each key.
#[derive(Debug)]
pub struct Wheel {
    start: Instant,
    /// The tick up to which all timers have expired. The slot of this tick is checked first, so a timer that is due in
    /// the past is put into it.
    passed: u64,
    /// The first key of each slot's list.
    first: Box<[u32; SLOTS]>,
    occupied: Occupied,
    /// The timers, indexed by key.
    timers: Vec<Timer>,
}

/// A timer, which is also a link in the list of a slot. It takes 16 bytes for each key.
#[derive(Clone, Copy, Debug)]
struct Timer {
    /// The tick at which the timer is due. The timer may be in the slot of an earlier tick, but never in the slot of a
    /// later tick.
    tick: u64,
    /// The previous key in the list. For the first timer of a slot's list, this is [`MAX_KEYS`] plus the number of the
    /// slot.
    before: u32,
    after: u32,
}

const IDLE: Timer = Timer { tick: 0, before: NONE, after: NONE };

impl Wheel {
    /// Creates a wheel without timers. Its time begins at `now`. The wheel takes 17 KiB, and 16 bytes more for each key
    /// up to the highest key that was used.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let first = Box::new([NONE; SLOTS]);
        Self { start: now, passed: 0, first, occupied: Occupied::default(), timers: Vec::new() }
    }

    /// Sets the timer of `key` to `at`, even if it was set before. Moving a timer to a later time only changes its
    /// tick: the timer stays in its slot until that slot's tick has passed.
    ///
    /// # Panics
    /// If the key is 2^31 or more.
    pub fn schedule(&mut self, key: u32, at: Instant) {
        assert!(key < MAX_KEYS, "the key {key} is not below {MAX_KEYS}");
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

    /// Returns the time at which the owner should call [`Self::expire`]; `None` if no timer is set. It is usually the
    /// time at which the first timer is due. It may be earlier, but is never later.
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

    /// Frees the memory of all keys above the highest key whose timer is set. The time that this takes grows with the
    /// number of these keys.
    pub fn shrink(&mut self) {
        let used = self.timers.iter().rposition(|timer| timer.before != NONE).map_or(0, |last| last + 1);
        self.timers.truncate(used);
        self.timers.shrink_to_fit();
    }

    /// Returns the last tick that has passed at the time `at`.
    fn tick_before(&self, at: Instant) -> u64 {
        ticks(at.saturating_duration_since(self.start).as_nanos())
    }

    /// Returns the first tick that passes at the time `at` or later.
    fn tick_after(&self, at: Instant) -> u64 {
        ticks(at.saturating_duration_since(self.start).as_nanos() + (TICK.as_nanos() - 1))
    }

    /// Returns the tick of the first slot that has timers; `None` if no slot has any.
    fn next_tick(&self) -> Option<u64> {
        let from = slot(self.passed);
        let found = self.occupied.next(from)?;
        Some(self.passed + (found.wrapping_sub(from) as u64 & SLOT_MASK))
    }

    /// Puts a timer that is in no list into the list of its tick, or of the nearest tick that has a slot.
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

    /// Empties a slot, and returns the first key of its former list.
    fn take_slot(&mut self, slot: usize) -> u32 {
        self.occupied.clear(slot);
        std::mem::replace(&mut self.first[slot], NONE)
    }
}

/// The slots that have timers. `words` has one bit for each slot, and `summary` has one bit for each word that is not
/// zero.
#[derive(Debug)]
struct Occupied {
    words: [u64; WORDS],
    summary: u64,
}

const WORDS: usize = SLOTS / WORD_BITS;
const WORD_BITS: usize = u64::BITS as usize;
/// The summary must fit into one word.
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

    /// Returns the first slot that has timers, searched from slot `from` on. After the last slot, the search continues
    /// at slot 0.
    fn next(&self, from: usize) -> Option<usize> {
        let (word, bit) = (from / WORD_BITS, from % WORD_BITS);
        let ahead = self.words[word] & (u64::MAX << bit);
        if ahead != 0 {
            return Some(word * WORD_BITS + lowest(ahead));
        }
        // No slot from `from` on in this word has timers. The search goes on in the words after this one, then in the
        // words before it, and ends in this word, whose slots before `from` may have timers.
        let behind = self.summary & (u64::MAX << 1 << word);
        let word = if behind != 0 { lowest(behind) } else { lowest(self.summary) };
        (self.summary != 0).then(|| word * WORD_BITS + lowest(self.words[word]))
    }
}

fn lowest(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

fn ticks(nanoseconds: u128) -> u64 {
    // The greatest tick is 4.9 billion years away; later times are treated as this tick.
    u64::try_from(nanoseconds >> TICK_SHIFT).unwrap_or(u64::MAX >> TICK_SHIFT)
}

#[allow(clippy::cast_possible_truncation, reason = "the mask leaves only the bits of a slot's number")]
fn slot(tick: u64) -> usize {
    (tick & SLOT_MASK) as usize
}

/// Returns the value of `Timer::before` for the first timer of a slot.
#[allow(clippy::cast_possible_truncation, reason = "the number of a slot is small")]
fn head(slot: usize) -> u32 {
    MAX_KEYS + slot as u32
}

fn index(key: u32) -> usize {
    key as usize
}

#[cfg(test)]
mod tests;
