//! The budgets of all subscriptions together, so that subscribers are bounded in sum and not only each: how much memory
//! their topics and patterns take, and with how many patterns the router compares one topic. Subscribers without a
//! token share smaller budgets, within the budgets of all.
//!
//! The count covers what the hub holds. A topic or pattern is held once, even if many audiences have it, and an
//! audience is held once, even if it has many members. It is counted as long as anything refers to it: each copy of an
//! [`AudienceKey`] keeps its charge, and when the last copy is dropped, the charge is given back.
//!
//! A pattern counts as a comparison for those topics that begin like it, because the router finds patterns by their
//! literal beginnings. The budget limits the comparisons of the topic that has the most of them, whatever the topics
//! are that are published.
use crate::{
    audience_key::AudienceKey,
    grant::Matchers,
    prefix_tree::Value,
    topic::{
        matcher::Matcher,
        pattern_index::{self, PatternIndex},
    },
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// The memory that the hub holds for a topic or a pattern, in bytes, besides the memory of its texts and of its
/// compiled form: entries in the indexes of the router and of this module. Measured when these indexes have just grown.
pub const MATCHER_BYTES: usize = 352;
/// The memory that the hub holds for a pattern, in bytes, in addition to [`MATCHER_BYTES`]: nodes of the indexes by the
/// beginnings of topics. Measured with beginnings that share as few nodes as possible.
pub const PATTERN_BYTES: usize = 256;
/// The memory that the hub holds for an audience, in bytes, besides the memory for its topics and patterns.
pub const AUDIENCE_BYTES: usize = 1_024;
/// The memory that the hub holds for each topic or pattern of an audience, in bytes, even if other audiences have it,
/// too.
pub const AUDIENCE_MATCHER_BYTES: usize = 64;

/// A limit on what a group of subscriptions takes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The greatest memory that the topics and patterns of the subscriptions take, in bytes. Buffers for single
    /// subscribers may take as much again.
    pub bytes: usize,
    /// The greatest number of patterns of the subscriptions with which one topic is compared.
    pub comparisons: usize,
}

/// The budgets of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// The budget of all subscriptions.
    pub all: Budget,
    /// The budget of the subscriptions without a token. They count towards [`all`](Self::all), too, so the difference
    /// is reserved for subscriptions with a token.
    pub anonymous: Budget,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            all: Budget { bytes: 512 << 20, comparisons: 10_000 },
            anonymous: Budget { bytes: 128 << 20, comparisons: 1_000 },
        }
    }
}

/// The reason why an audience was not admitted: a budget would be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget {
    /// The resource that has been used up.
    pub resource: Resource,
    /// True if the budget of the subscriptions without a token has been used up, and false if it is the budget of all.
    pub is_anonymous: bool,
    /// The budget.
    pub limit: usize,
}

/// A resource for which there is a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The memory of topics and patterns, in bytes.
    Bytes,
    /// The memory of buffers for single subscribers, in bytes.
    Buffers,
    /// The comparisons of one topic with patterns.
    Comparisons,
}

/// The amounts that all subscriptions take, and those without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The amounts that all subscriptions take.
    pub all: Amounts,
    /// The amounts that subscriptions without a token take.
    pub anonymous: Amounts,
}

/// The amounts that a group of subscriptions takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// The memory of the topics and patterns, in bytes.
    pub bytes: usize,
    /// The memory of buffers for single subscribers, in bytes: events that were read from the log for them and are not
    /// sent yet, and the buffers of connections that are not handed over.
    pub buffers: usize,
    /// The number of patterns with which a topic is compared, for the topic that is compared with the most patterns.
    pub comparisons: usize,
}

/// The account of everything that subscriptions hold.
#[derive(Debug)]
pub(crate) struct Ledger {
    budgets: Budgets,
    /// No other lock is taken while this one is held, and no [`Charge`] is dropped.
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    audiences: HashMap<Audience, Weak<Charge>>,
    matchers: HashMap<Matcher, Uses>,
    patterns: PatternIndex<Comparisons>,
    /// The memory of everything, and of what anonymous audiences hold.
    bytes: Split<usize>,
    /// The memory of everything that there is [`Room`] for.
    buffers: Split<usize>,
}

/// An amount of all audiences, and the same of anonymous audiences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Split<T> {
    all: T,
    anonymous: T,
}

/// An audience, without the format in which its members get updates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Audience {
    matchers: Matchers,
    granted: Matchers,
    is_anonymous: bool,
}

/// The numbers of audiences that have a matcher.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    /// The audiences that subscribed to it.
    asked: Split<u32>,
    /// The audiences to which it is granted.
    granted: Split<u32>,
}

/// The number of patterns with one literal beginning.
#[derive(Debug, Default)]
struct Comparisons {
    own: Split<usize>,
    /// The greatest number of patterns with which a topic is compared that has this beginning, not counting the
    /// patterns with shorter beginnings.
    most: Split<usize>,
}

/// The part of the budgets that an audience takes. It is given back when this value is dropped.
#[derive(Debug)]
struct Charge {
    audience: Audience,
    ledger: Arc<Ledger>,
}

/// The charge of an audience; none for an audience that was never admitted. It does not distinguish audiences: two
/// charges are always equal.
#[derive(Clone, Default)]
pub struct Charged {
    charge: Option<Arc<Charge>>,
}

/// Memory that is charged to the budgets for a single subscriber. It is given back when the last clone is dropped.
#[derive(Clone)]
pub struct Room(Arc<Reserved>);

struct Reserved {
    ledger: Arc<Ledger>,
    bytes: usize,
    is_anonymous: bool,
}

/// Bytes for which there is room.
struct Roomed {
    bytes: Bytes,
    _room: Room,
}

impl Ledger {
    pub(crate) fn new(budgets: Budgets) -> Self {
        Self { budgets, books: Mutex::default() }
    }

    /// Charges an audience to the budgets, unless this is done already. Returns the key of the audience with the copies
    /// of topics and patterns that all audiences share.
    pub(crate) fn admit(self: &Arc<Self>, key: AudienceKey) -> Result<AudienceKey, OverBudget> {
        let AudienceKey { matchers, granted, is_anonymous, representation, framing, .. } = key;
        let audience = Audience { matchers, granted, is_anonymous };
        let charge = self.charge(&audience)?;
        let Audience { matchers, granted, is_anonymous } = charge.audience.clone();
        let charged = Charged { charge: Some(charge) };
        Ok(AudienceKey { matchers, granted, is_anonymous, representation, framing, charged })
    }

    fn charge(self: &Arc<Self>, audience: &Audience) -> Result<Arc<Charge>, OverBudget> {
        let mut books = self.books();
        if let Some(charge) = books.audiences.get(audience).and_then(Weak::upgrade) {
            return Ok(charge);
        }
        let audience = books.enter(audience);
        if let Some(over) = books.exceeded(&self.budgets, audience.is_anonymous, Resource::Bytes) {
            books.take_out(&audience);
            return Err(over);
        }
        let charge = Arc::new(Charge { audience: audience.clone(), ledger: self.clone() });
        // An earlier charge of the audience may be about to be given back. It is still counted, and its entry is
        // replaced.
        books.audiences.insert(audience, Arc::downgrade(&charge));
        Ok(charge)
    }

    /// Charges the memory of a buffer for a single subscriber to the budgets.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize, is_anonymous: bool) -> Result<Room, OverBudget> {
        let mut books = self.books();
        books.buffers.add(is_anonymous, bytes);
        if let Some(over) = books.exceeded(&self.budgets, is_anonymous, Resource::Buffers) {
            books.buffers.subtract(is_anonymous, bytes);
            return Err(over);
        }
        drop(books);
        Ok(Room(Arc::new(Reserved { ledger: self.clone(), bytes, is_anonymous })))
    }

    fn room(self: &Arc<Self>, bytes: usize, is_anonymous: bool) -> Room {
        self.books().buffers.add(is_anonymous, bytes);
        Room(Arc::new(Reserved { ledger: self.clone(), bytes, is_anonymous }))
    }

    /// The amounts that are charged now.
    pub(crate) fn taken(&self) -> Taken {
        self.books().taken()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Returns the same bytes, which are charged until their last copy is dropped.
    pub(crate) fn hold(&self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Roomed { bytes, _room: self.clone() })
    }

    /// Returns a copy of a part of the bytes that this room is for. The copy is charged, too, even if this exceeds a
    /// budget: usually the other bytes are given back soon.
    pub(crate) fn copy(&self, bytes: &[u8]) -> Bytes {
        self.0.ledger.room(bytes.len(), self.0.is_anonymous).hold(Bytes::copy_from_slice(bytes))
    }
}

/// Returns `bytes`, which are charged until their last copy is dropped if there is a room for them.
pub(crate) fn held(bytes: Vec<u8>, room: Option<&Room>) -> Bytes {
    let bytes = Bytes::from(bytes);
    match room {
        Some(room) => room.hold(bytes),
        None => bytes,
    }
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Room").field(&self.0.bytes).finish()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.ledger.books().buffers.subtract(self.is_anonymous, self.bytes);
    }
}

impl Charged {
    /// True if the audience was admitted.
    pub(crate) fn is_some(&self) -> bool {
        self.charge.is_some()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut books = self.ledger.books();
        books.take_out(&self.audience);
        if books.audiences.get(&self.audience).is_some_and(|charge| charge.strong_count() == 0) {
            books.audiences.remove(&self.audience);
        }
        // When the last charge is gone, the memory is released: there may have been many.
        if books.audiences.is_empty() && books.matchers.is_empty() {
            debug_assert_eq!(books.bytes, Split::default(), "what nobody holds is not charged");
            *books = Books { buffers: books.buffers, ..Books::default() };
        }
    }
}

impl Books {
    /// Counts an audience. Returns the audience with the copies of its matchers that all audiences share.
    fn enter(&mut self, audience: &Audience) -> Audience {
        let is_anonymous = audience.is_anonymous;
        self.bytes.add(is_anonymous, own_bytes(audience));
        let mut share = |matchers: &Matchers, asks: bool| {
            matchers.as_slice().iter().map(|matcher| self.enter_matcher(matcher, asks, is_anonymous)).collect()
        };
        let (matchers, granted) = (share(&audience.matchers, true), share(&audience.granted, false));
        Audience { matchers, granted, is_anonymous }
    }

    fn enter_matcher(&mut self, matcher: &Matcher, asks: bool, is_anonymous: bool) -> Matcher {
        let shared = self.matchers.get_key_value(matcher).map_or(matcher, |(shared, _)| shared).clone();
        let uses = self.matchers.entry(shared.clone()).or_default();
        let before = *uses;
        uses.of(asks).add(is_anonymous, 1);
        let now = *uses;
        self.changed(&shared, before, now);
        shared
    }

    /// Counts an audience no more.
    fn take_out(&mut self, audience: &Audience) {
        let is_anonymous = audience.is_anonymous;
        self.bytes.subtract(is_anonymous, own_bytes(audience));
        for (matchers, asks) in [(&audience.matchers, true), (&audience.granted, false)] {
            for matcher in matchers.as_slice() {
                let Some(uses) = self.matchers.get_mut(matcher) else { continue };
                let before = *uses;
                uses.of(asks).subtract(is_anonymous, 1);
                let now = *uses;
                if now.all() == 0 {
                    self.matchers.remove(matcher);
                }
                self.changed(matcher, before, now);
            }
        }
    }

    /// Counts what has changed because the uses of a matcher have changed.
    fn changed(&mut self, matcher: &Matcher, before: Uses, now: Uses) {
        let bytes = matcher_bytes(matcher);
        self.bytes.all.become_used(before.all() > 0, now.all() > 0, bytes);
        self.bytes.anonymous.become_used(before.anonymous() > 0, now.anonymous() > 0, bytes);
        let (before, now) = (before.asked, now.asked);
        let is_used = |uses: Split<u32>| (uses.all > 0, uses.anonymous > 0);
        if !matches!(matcher, Matcher::Exact(_)) && is_used(before) != is_used(now) {
            self.patterns.change(matcher, |Comparisons { own, .. }| {
                own.all.become_used(before.all > 0, now.all > 0, 1);
                own.anonymous.become_used(before.anonymous > 0, now.anonymous > 0, 1);
            });
        }
    }

    fn taken(&self) -> Taken {
        let comparisons = |of: fn(&Comparisons) -> usize| self.patterns.roots().map(of).sum();
        let (all, anonymous) = (comparisons(|alike| alike.most.all), comparisons(|alike| alike.most.anonymous));
        let (bytes, buffers) = (self.bytes, self.buffers);
        Taken {
            all: Amounts { bytes: bytes.all, buffers: buffers.all, comparisons: all },
            anonymous: Amounts { bytes: bytes.anonymous, buffers: buffers.anonymous, comparisons: anonymous },
        }
    }

    /// Returns the budget that is exceeded, if there is one that counts for this kind of subscriber and for `resource`,
    /// or for the comparisons if `resource` is the memory of topics and patterns.
    fn exceeded(&self, budgets: &Budgets, is_anonymous: bool, resource: Resource) -> Option<OverBudget> {
        let Taken { all, anonymous } = self.taken();
        let of = |is_anonymous: bool, taken: Amounts, budget: Budget| {
            let over = |resource, taken, limit| (taken > limit).then_some(OverBudget { resource, is_anonymous, limit });
            match resource {
                Resource::Buffers => over(resource, taken.buffers, budget.bytes),
                Resource::Bytes | Resource::Comparisons => over(Resource::Bytes, taken.bytes, budget.bytes)
                    .or_else(|| over(Resource::Comparisons, taken.comparisons, budget.comparisons)),
            }
        };
        let own = is_anonymous.then(|| of(true, anonymous, budgets.anonymous)).flatten();
        own.or_else(|| of(false, all, budgets.all))
    }
}

/// The memory of an audience apart from that of its matchers, in bytes.
fn own_bytes(audience: &Audience) -> usize {
    let matchers = audience.matchers.as_slice().len() + audience.granted.as_slice().len();
    AUDIENCE_BYTES + matchers * AUDIENCE_MATCHER_BYTES
}

/// The memory of a topic or pattern that at least one audience has, in bytes.
fn matcher_bytes(matcher: &Matcher) -> usize {
    let in_indexes = match matcher {
        Matcher::Exact(_) => MATCHER_BYTES,
        Matcher::Any | Matcher::UriTemplate(_) | Matcher::UrlPattern(_) => MATCHER_BYTES + PATTERN_BYTES,
    };
    // The router and this module have an index each.
    let texts = 2 * pattern_index::text_bytes(matcher) + matcher.cached_bytes();
    // The allocator rounds sizes up, by at most a quarter.
    in_indexes + (matcher.held_bytes() + texts).div_ceil(4) * 5
}

impl Uses {
    fn of(&mut self, asks: bool) -> &mut Split<u32> {
        if asks { &mut self.asked } else { &mut self.granted }
    }

    fn all(&self) -> u32 {
        self.asked.all + self.granted.all
    }

    fn anonymous(&self) -> u32 {
        self.asked.anonymous + self.granted.anonymous
    }
}

impl<T: std::ops::AddAssign + std::ops::SubAssign + Copy> Split<T> {
    fn add(&mut self, is_anonymous: bool, amount: T) {
        self.all += amount;
        if is_anonymous {
            self.anonymous += amount;
        }
    }

    fn subtract(&mut self, is_anonymous: bool, amount: T) {
        self.all -= amount;
        if is_anonymous {
            self.anonymous -= amount;
        }
    }
}

/// A sum over everything that is used.
trait Sum {
    /// Adds `amount` if something is used now and was not before, and subtracts it in the opposite case.
    fn become_used(&mut self, before: bool, now: bool, amount: usize);
}

impl Sum for usize {
    fn become_used(&mut self, before: bool, now: bool, amount: usize) {
        match (before, now) {
            (false, true) => *self += amount,
            (true, false) => *self -= amount,
            (false, false) | (true, true) => {}
        }
    }
}

impl Value for Comparisons {
    fn is_empty(&self) -> bool {
        self.own == Split::default()
    }

    fn changed<'a>(&mut self, below: impl Iterator<Item = &'a Self>) {
        let mut most = Split::default();
        for Self { most: other, .. } in below {
            most = Split { all: other.all.max(most.all), anonymous: other.anonymous.max(most.anonymous) };
        }
        self.most = Split { all: self.own.all + most.all, anonymous: self.own.anonymous + most.anonymous };
    }
}

impl PartialEq for Charged {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Charged {}

impl std::hash::Hash for Charged {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl fmt::Debug for Charged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charged").field(&self.charge.is_some()).finish()
    }
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.is_anonymous { "the subscriptions without a token" } else { "all subscriptions" };
        match self.resource {
            Resource::Buffers => {
                write!(f, "the buffers of {whose} may take {} bytes of memory", self.limit)
            }
            Resource::Bytes => write!(f, "the topics and patterns of {whose} may take {} bytes of memory", self.limit),
            Resource::Comparisons => {
                write!(f, "a topic may be compared with {} patterns of {whose}", self.limit)
            }
        }
    }
}

impl std::error::Error for OverBudget {}

#[cfg(test)]
mod tests;
