//! Tests of the account: what is counted, when it is given back, and what is refused.
use super::*;
use crate::{representation::Representation, scale, topic::uri_template::UriTemplate};
use std::{collections::BTreeSet, time::Instant};

const UNLIMITED: Budget = Budget { bytes: usize::MAX, comparisons: usize::MAX };

fn ledger(all: Budget, anonymous: Budget) -> Arc<Ledger> {
    Arc::new(Ledger::new(Budgets { all, anonymous }))
}

fn matchers(texts: &[&str]) -> Matchers {
    texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect()
}

/// The key of an audience. It is anonymous if nothing is granted to it.
fn key(asked: &[&str], granted: &[&str]) -> AudienceKey {
    let key = AudienceKey::new(matchers(asked), matchers(granted), Representation::EventStream);
    AudienceKey { is_anonymous: granted.is_empty(), ..key }
}

/// Returns the amounts that these audiences take. They are counted from the beginning, unlike in the ledger.
fn expected(keys: &[AudienceKey]) -> Taken {
    let of = |keys: Vec<&AudienceKey>| {
        let audiences: BTreeSet<_> = keys.iter().map(|key| (&key.matchers, &key.granted, key.is_anonymous)).collect();
        let of_audience = |asked: &Matchers, granted: &Matchers| {
            AUDIENCE_BYTES + AUDIENCE_MATCHER_BYTES * (asked.as_slice().len() + granted.as_slice().len())
        };
        let own: usize = audiences.iter().map(|(asked, granted, _)| of_audience(asked, granted)).sum();
        let asked: BTreeSet<_> = audiences.iter().flat_map(|(asked, ..)| asked.as_slice()).collect();
        let held: BTreeSet<_> =
            audiences.iter().flat_map(|(_, granted, _)| granted.as_slice()).chain(asked.clone()).collect();
        let bytes = own + held.iter().map(|matcher| matcher_bytes(matcher)).sum::<usize>();
        let beginnings: Vec<_> = asked
            .iter()
            .filter_map(|matcher| match matcher {
                Matcher::Any => Some(""),
                Matcher::UriTemplate(template) => Some(template.literal_beginning()),
                _ => None,
            })
            .collect();
        let comparisons = |topic: &str| beginnings.iter().filter(|beginning| topic.starts_with(**beginning)).count();
        Amounts {
            bytes,
            buffers: 0,
            comparisons: beginnings.iter().map(|topic| comparisons(topic)).max().unwrap_or_default(),
        }
    };
    Taken { all: of(keys.iter().collect()), anonymous: of(keys.iter().filter(|key| key.is_anonymous).collect()) }
}

#[test]
fn what_is_held_is_counted_once_and_given_back() {
    let keys = [
        key(&["a"], &[]),
        key(&["a"], &[]),
        key(&["a"], &["a"]),
        key(&["/u/1/{x}", "a"], &["/u/1/{x}"]),
        key(&["/u/1/{x}"], &[]),
        key(&["/u/1/{x}", "/u/2/{x}"], &[]),
        key(&["/u/1/{x}", "/u/2/{x}", "/u/{x}", "*"], &["*"]),
        key(&["b"], &["/u/{+x}"]),
        AudienceKey { is_anonymous: false, ..key(&["a"], &[]) },
    ];
    let ledger = ledger(UNLIMITED, UNLIMITED);
    let mut admitted = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let shared = ledger.admit(key.clone()).unwrap();
        assert_eq!(&shared, key);
        admitted.push(shared);
        assert_eq!(ledger.taken(), expected(&keys[..=number]), "{key:?}");
    }
    // Another format is the same audience here.
    let lines = AudienceKey { representation: Representation::JsonLines, ..keys[5].clone() };
    let lines = ledger.admit(lines).unwrap();
    assert_eq!((lines.representation, ledger.taken()), (Representation::JsonLines, expected(&keys)));
    drop(lines);
    while !admitted.is_empty() {
        admitted.remove(admitted.len() / 2);
        assert_eq!(ledger.taken(), expected(&admitted));
    }
    let books = ledger.books();
    assert!(books.audiences.is_empty() && books.matchers.is_empty() && books.patterns.is_empty());
    assert_eq!((books.audiences.capacity(), books.matchers.capacity()), (0, 0));
}

#[test]
fn equal_topics_and_patterns_are_held_once() {
    let ledger = ledger(UNLIMITED, UNLIMITED);
    // Each template is compiled for itself, as it is if the cache is full.
    let key = |asked: &str| {
        let template = Matcher::UriTemplate(Arc::new(UriTemplate::compile("/{x}").unwrap()));
        let matchers = [template, Matcher::exact(asked).unwrap(), Matcher::exact("all").unwrap()];
        AudienceKey::new(matchers.into_iter().collect(), Matchers::default(), Representation::EventStream)
    };
    let keys = ["a", "b"].map(|asked| ledger.admit(key(asked)).unwrap());
    let [(one, template), (other, same)] = keys.each_ref().map(|key| {
        let find = |text: &str| key.matchers.as_slice().iter().find(|matcher| matcher.as_str() == text).unwrap();
        (find("all").as_str().as_ptr(), find("/{x}").as_str().as_ptr())
    });
    assert_eq!((one, template), (other, same));
    let copy = ledger.admit(key("a")).unwrap();
    assert!(std::ptr::eq(copy.matchers.as_slice(), keys[0].matchers.as_slice()), "one audience has one set");
}

/// A budget can be used up to its last byte or comparison, and what is refused is not counted.
#[test]
fn a_budget_is_a_limit() {
    let template = |number: usize| format!("/{number}/{{x}}");
    let everywhere = ["{a}", "{b}", "{c}"];
    let sum = |keys: &[AudienceKey]| expected(keys).all.bytes;
    let first = [key(&["/a"], &[]), key(&[&template(1)], &[])];
    let third = key(&[&template(2)], &[]);
    let with_token = key(&[&template(3)], &["x"]);
    let three = [&first[..], std::slice::from_ref(&third)].concat();
    for (spare, admitted) in [(0, true), (1, false)] {
        // The budget of subscribers without a token.
        let ledger = ledger(UNLIMITED, Budget { bytes: sum(&three) - spare, ..UNLIMITED });
        let held = first.clone().map(|key| ledger.admit(key).unwrap());
        let before = ledger.taken();
        let over = OverBudget { resource: Resource::Bytes, is_anonymous: true, limit: sum(&three) - spare };
        let result = ledger.admit(third.clone());
        assert_eq!(result.as_ref().err(), Some(&over).filter(|_| !admitted));
        drop(result);
        assert_eq!(ledger.taken(), before);
        drop(ledger.admit(with_token.clone()).unwrap());
        let again = first.clone().map(|key| ledger.admit(key).unwrap());
        assert_eq!((again == held, ledger.taken()), (true, before), "an audience that is there costs nothing");
        // The budget of all.
        let limit = sum(&[&first[..], std::slice::from_ref(&with_token)].concat()) - spare;
        let ledger = self::ledger(Budget { bytes: limit, ..UNLIMITED }, UNLIMITED);
        let held = first.clone().map(|key| ledger.admit(key).unwrap());
        let over = OverBudget { resource: Resource::Bytes, is_anonymous: false, limit };
        assert_eq!(ledger.admit(with_token.clone()).err(), Some(over).filter(|_| !admitted));
        drop(held);
        assert_eq!(ledger.taken(), Taken::default());
    }
    let ledger = ledger(Budget { comparisons: 3, ..UNLIMITED }, Budget { comparisons: 2, ..UNLIMITED });
    let held: Vec<_> = (0..50).map(|number| ledger.admit(key(&[&template(number)], &[])).unwrap()).collect();
    assert_eq!(ledger.taken().anonymous.comparisons, 1, "a topic begins like one of them");
    let one = ledger.admit(key(&everywhere[..1], &[])).unwrap();
    let over = |is_anonymous, limit| Some(OverBudget { resource: Resource::Comparisons, is_anonymous, limit });
    assert_eq!(ledger.admit(key(&everywhere[1..2], &[])).err(), over(true, 2));
    assert_eq!(ledger.admit(key(&["/7/{y}"], &[])).err(), over(true, 2));
    let other = ledger.admit(key(&["/7/{y}"], &["x"])).unwrap();
    assert_eq!(ledger.admit(key(&everywhere[1..2], &["x"])).err(), over(false, 3));
    drop((one, other, held));
    assert_eq!(ledger.taken(), Taken::default());
}

#[test]
fn charges_are_given_back_on_other_threads() {
    let ledger = ledger(UNLIMITED, UNLIMITED);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let ledger = &ledger;
            scope.spawn(move || {
                for round in 0..500 {
                    let own = format!("/{thread}/{{x}}");
                    let shared = ["/all/{x}", "a", "*"][round % 3];
                    let key = ledger.admit(key(&[&own, shared], &[])).unwrap();
                    drop((ledger.admit(key.clone()).unwrap(), key));
                    drop(ledger.admit(self::key(&[shared], &[])).unwrap());
                }
            });
        }
    });
    assert_eq!(ledger.taken(), Taken::default());
    assert!(ledger.books().audiences.is_empty());
}

#[test]
fn an_audience_costs_the_same_time_however_many_there_are() {
    for selector in ["a", "/{x}", "/u/{x}"] {
        scale::is_nearly_linear(|count| {
            let ledger = ledger(UNLIMITED, UNLIMITED);
            let key = |number: usize| {
                key(&[selector, &format!("/u/{number}/"), &format!("/u/{}/{{x}}", number % 64)], &["x"])
            };
            let keys: Vec<_> = (0..count).map(key).collect();
            let begun = Instant::now();
            drop(keys.into_iter().map(|key| ledger.admit(key).unwrap()).collect::<Vec<_>>());
            begun.elapsed()
        });
    }
}

#[test]
fn buffers_are_limited_and_given_back() {
    let (all, anonymous) = (Budget { bytes: 10, comparisons: 0 }, Budget { bytes: 6, comparisons: 0 });
    let ledger = ledger(all, anonymous);
    let buffers = || (ledger.taken().all.buffers, ledger.taken().anonymous.buffers);
    let over = |is_anonymous, limit| Some(OverBudget { resource: Resource::Buffers, is_anonymous, limit });
    let stranger = ledger.reserve(6, true).unwrap();
    assert_eq!(ledger.reserve(1, true).err(), over(true, 6));
    let bearer = ledger.reserve(4, false).unwrap();
    assert_eq!(ledger.reserve(1, false).err(), over(false, 10));
    assert_eq!(buffers(), (10, 6));
    let copy = stranger.copy(b"abc");
    assert_eq!((&*copy, buffers()), (&b"abc"[..], (13, 9)));
    let bytes = stranger.hold(Bytes::from_static(b"abcdef"));
    let part = bytes.slice(2..4);
    drop((bytes, bearer, stranger));
    assert_eq!((&*part, buffers()), (&b"cd"[..], (9, 9)), "a part keeps the whole");
    drop((part, copy));
    assert_eq!(buffers(), (0, 0));
}
