//! The routes from topics to audiences. The cost of finding the audiences of an update does not grow with the number of
//! audiences that it does not reach: exact topics are found in a hash index, and patterns in an index by the literal
//! text with which their topics begin. Each distinct pattern that this index finds for a topic is tried once, even if
//! many audiences share the pattern.
use crate::{
    audience_key::AudienceKey,
    bundle::PartKey,
    entry::Entry,
    prefix_tree::Value,
    topic::{Topic, candidate::Candidate, matcher::Matcher, pattern_index::PatternIndex},
};
use slab::Slab;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ptr,
    sync::Arc,
};

/// All audiences, and the destinations of the events of each audience. Only the thread that routes uses this table.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    routes: Slab<Route>,
    by_key: HashMap<Arc<AudienceKey>, RouteKey>,
    exact: HashMap<Topic, BTreeSet<RouteKey>>,
    patterns: PatternIndex<Alike>,
}

/// The patterns with the same literal beginning, and the routes of each.
#[derive(Debug, Default)]
struct Alike(HashMap<Matcher, Followers>);

/// The routes of one pattern.
#[derive(Debug, Default)]
struct Followers {
    /// The routes of the audiences that have a grant. Only they may receive private updates.
    granted: BTreeSet<RouteKey>,
    /// The routes of the audiences that have none, such as those of strangers.
    others: BTreeSet<RouteKey>,
}

impl Followers {
    fn of(&mut self, key: &AudienceKey) -> &mut BTreeSet<RouteKey> {
        if key.granted.is_empty() { &mut self.others } else { &mut self.granted }
    }

    fn are_none(&self) -> bool {
        self.granted.is_empty() && self.others.is_empty()
    }
}

impl Value for Alike {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The number of a route. A route keeps its number as long as any recipient gets the events of its audience.
pub(crate) type RouteKey = usize;

/// One audience, and all recipients that have members of it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) key: Arc<AudienceKey>,
    pub(crate) destinations: Vec<Destination>,
}

/// The destination of an audience's events. It consists of the number of a recipient of the router, and of the
/// recipient's part of the audience.
pub(crate) type Destination = (usize, PartKey);

impl Routes {
    /// Adds `destination` to the destinations that get the events of the audience with this key.
    pub(crate) fn add(&mut self, key: &Arc<AudienceKey>, destination: Destination) {
        if let Some(route) = self.by_key.get(key) {
            self.routes[*route].destinations.push(destination);
            return;
        }
        let route = self.routes.insert(Route { key: key.clone(), destinations: vec![destination] });
        self.by_key.insert(key.clone(), route);
        for matcher in key.matchers.as_slice() {
            match matcher {
                Matcher::Exact(topic) => drop(self.exact.entry(topic.clone()).or_default().insert(route)),
                pattern => self.patterns.change(pattern, |Alike(patterns)| {
                    patterns.entry(pattern.clone()).or_default().of(key).insert(route);
                }),
            }
        }
    }

    /// Removes `destination` from the destinations that get the events of the audience. An audience without
    /// destinations is removed.
    pub(crate) fn remove(&mut self, key: &AudienceKey, destination: Destination) {
        let Some(&route) = self.by_key.get(key) else { return };
        let destinations = &mut self.routes[route].destinations;
        if let Some(place) = destinations.iter().position(|other| *other == destination) {
            destinations.swap_remove(place);
        }
        if destinations.is_empty() {
            self.forget(route);
        }
    }

    /// Removes all destinations of a recipient. This looks at every route: a recipient rarely goes before its members.
    pub(crate) fn remove_recipient(&mut self, recipient: usize) {
        for (_, route) in &mut self.routes {
            route.destinations.retain(|(number, _)| *number != recipient);
        }
        let unused = self.routes.iter().filter(|(_, route)| route.destinations.is_empty());
        for route in unused.map(|(route, _)| route).collect::<Vec<_>>() {
            self.forget(route);
        }
    }

    fn forget(&mut self, route: RouteKey) {
        let Route { key, .. } = self.routes.remove(route);
        self.by_key.remove(&key);
        for matcher in key.matchers.as_slice() {
            match matcher {
                Matcher::Exact(topic) => take_out(&mut self.exact, topic, route),
                pattern => self.patterns.change(pattern, |Alike(patterns)| {
                    let Some(followers) = patterns.get_mut(pattern) else { return };
                    followers.of(&key).remove(&route);
                    if followers.are_none() {
                        patterns.remove(pattern);
                    }
                }),
            }
        }
        // When the last route is gone, the memory is released: there may have been many routes.
        if self.routes.is_empty() {
            *self = Self::default();
        }
    }

    /// Returns the route with this number.
    pub(crate) fn get(&self, key: RouteKey) -> &Route {
        &self.routes[key]
    }

    /// Returns the routes of the audiences that subscribed to one of the entry's topics and may receive the entry. A
    /// route is returned several times if the entry matches it in several ways.
    pub(crate) fn matching<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = RouteKey> + 'a {
        let (topics, is_private) = (entry.update.topics(), entry.update.is_private());
        let exact = topics.iter().filter_map(|topic| self.exact.get(topic));
        let by_pattern = (!self.patterns.is_empty()).then(|| self.by_pattern(topics, is_private));
        let all = exact.chain(by_pattern.into_iter().flatten()).flatten().copied();
        all.filter(|route| self.routes[*route].key.may_receive(&entry.update))
    }
}

impl Routes {
    /// Returns the routes of each pattern that matches at least one of these topics of an update. For a private update,
    /// these are only the routes of audiences that have a grant: the patterns of strangers make it no dearer.
    fn by_pattern<'a>(&'a self, topics: &'a [Topic], is_private: bool) -> Vec<&'a BTreeSet<RouteKey>> {
        let mut found = Vec::new();
        // The routes of the patterns that match an earlier topic. Such a pattern is not tried again.
        let mut known = HashSet::new();
        for topic in topics {
            let candidate = Candidate::new(topic);
            self.patterns.visit(&candidate, |Alike(patterns)| {
                for (pattern, followers) in patterns {
                    let may_reach = !(is_private && followers.granted.is_empty());
                    if may_reach && !known.contains(&ptr::from_ref(followers)) && pattern.fits(&candidate) {
                        found.push(&followers.granted);
                        if !is_private {
                            found.push(&followers.others);
                        }
                        if topics.len() > 1 {
                            known.insert(ptr::from_ref(followers));
                        }
                    }
                }
            });
        }
        found
    }
}

/// Removes one route from the set that `index` has for `key`. If this leaves the set empty, the set is removed, too.
fn take_out<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<RouteKey>>, key: &K, route: RouteKey) {
    if let Some(routes) = index.get_mut(key) {
        routes.remove(&route);
        if routes.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grant::Matchers, representation::Representation, scale, topic::Patterns};
    use proptest::prelude::*;
    use std::time::Instant;
    use url::Url;

    fn base() -> Url {
        Url::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    /// Returns the key of an audience that subscribed to this matcher. Each number makes a different audience.
    fn key_of(number: usize, matcher: Matcher) -> Arc<AudienceKey> {
        let granted = [Matcher::exact(&number.to_string()).unwrap()].into_iter().collect();
        Arc::new(AudienceKey::new([matcher].into_iter().collect(), granted, Representation::EventStream))
    }

    /// Returns routes to an audience for each of these matchers. The number of an audience is its index.
    fn routes_of(matchers: impl IntoIterator<Item = Matcher>) -> Routes {
        let mut routes = Routes::default();
        for (number, matcher) in matchers.into_iter().enumerate() {
            routes.add(&key_of(number, matcher), (0, PartKey::default()));
        }
        routes
    }

    /// Returns the number of patterns that are tried with this topic.
    fn tries(routes: &Routes, topic: &str) -> usize {
        let topic = Topic::new(topic).unwrap();
        let mut tries = 0;
        routes.patterns.visit(&Candidate::new(&topic), |Alike(patterns)| tries += patterns.len());
        tries
    }

    /// Checks that the index finds exactly the patterns that match, also when some of them were removed, and is empty
    /// when all are removed.
    fn finds_what_matches(matchers: &[Matcher], topics: &[Topic]) {
        let mut routes = routes_of(matchers.iter().cloned());
        let mut there: Vec<_> = (0..matchers.len()).collect();
        // At each round, every third route goes.
        for round in 0.. {
            let matches = |topics: &[Topic]| {
                let fits = |route: &&usize| topics.iter().any(|topic| matchers[**route].matches(topic));
                there.iter().filter(fits).copied().collect::<Vec<_>>()
            };
            let found = |topics: &[Topic]| {
                let mut found: Vec<_> = routes.by_pattern(topics, false).into_iter().flatten().copied().collect();
                found.sort_unstable();
                found
            };
            for topic in topics {
                let (found, matches) = (found(std::slice::from_ref(topic)), matches(std::slice::from_ref(topic)));
                assert_eq!(found, matches, "{topic:?} {matchers:?}, round {round}");
            }
            assert_eq!(found(topics), matches(topics), "{topics:?} {matchers:?}, round {round}");
            if there.len() < 3 {
                break;
            }
            let goes = |number: usize| (number + round).is_multiple_of(3);
            for (_, route) in there.iter().enumerate().filter(|(number, _)| goes(*number)) {
                routes.remove(&key_of(*route, matchers[*route].clone()), (0, PartKey::default()));
            }
            there = there.iter().enumerate().filter(|(number, _)| !goes(*number)).map(|(_, route)| *route).collect();
        }
        routes.remove_recipient(0);
        assert!(routes.patterns.is_empty());
    }

    #[test]
    fn urls_are_found_as_they_are_normalised() {
        let patterns = [
            "https://example.com:443/a/:x",
            "HTTPS://EXAMPLE.com/a/*",
            "https://*.example.com/a/:x",
            "https://example.com:8080/a/:x",
            "https://example.com:*/a/:x",
            "http{s}?://example.com/a/:x",
            "*://example.com/a/:x",
            "https://user:*@example.com/a/:x",
            "/a/:x",
            "a/:x",
            "../a/:x",
            "/ä/:x",
            "/%C3%A4/:x",
            "/a/b",
            "/a/b?c=:d",
            "/a/b#:c",
            "/{a/}?b",
            "/(a|b)/c",
            "https://bücher.example/a/*",
            "urn\\:isbn\\:*",
            "file:///a/:x",
        ];
        let topics = [
            "https://example.com/a/b",
            "HTTPS://Example.COM:443/a/b",
            "https://example.com:8080/a/b",
            "https://example.com:08080/./x/../a/b",
            "https://user:pw@example.com/a/b",
            "https://www.example.com/a/b",
            "http://example.com:80/a/b",
            "/a/b",
            "a/b",
            "/a/c",
            "//hub.example:443/a/b",
            "\\a\\b",
            " /a/b",
            "/a/b?c=1",
            "/a/b#1",
            "/b",
            "/%61/b",
            "/ä/b",
            "/%c3%a4/b",
            "/%C3%A4/b",
            "/b/c",
            "https://xn--bcher-kva.example/a/b",
            "https://B\u{fc}CHER.example/a/b",
            "urn:isbn:1",
            "URN:isbn:1",
            "file:/a/b",
            "file://localhost/a/b",
            "https://",
            "{a}",
        ];
        let mut matchers: Vec<_> =
            patterns.iter().map(|pattern| Matcher::url_pattern(pattern, &base()).unwrap()).collect();
        let other = Url::parse("http://other.example/a/").unwrap();
        matchers.extend(["/a/:x", "b"].map(|pattern| Matcher::url_pattern(pattern, &other).unwrap()));
        let topics = topics.map(|topic| Topic::new(topic).unwrap());
        finds_what_matches(&matchers, &topics);
        let unmatched = |matcher: &&Matcher| !topics.iter().any(|topic| matcher.matches(topic));
        assert_eq!(matchers.iter().filter(unmatched).map(Matcher::as_str).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    proptest::proptest! {
        /// The texts consist of the syntax characters of both pattern languages and of beginnings of URLs.
        #[test]
        fn an_index_finds_what_trying_each_finds(
            texts in proptest::collection::vec(
                "(https://hub\\.example|HTTPS://HUB\\.example:443|//a|/a/b|urn:)?\
                 ([ab:/?#.*+(){}\\[\\]\\\\|^,;&=!%0@é-]|://|:[a-c]|%41|%C3%A9|\\{a\\}|\\{\\+a\\}|xn--){0,12}",
                1..12,
            ),
        ) {
            let matchers = texts.iter().flat_map(|text| [Matcher::legacy_selector(text), Matcher::url_pattern(text, &base())]);
            let patterns: BTreeSet<_> = matchers.flatten().filter(Matcher::is_pattern).collect();
            let longer = texts.iter().flat_map(|text| [text.clone(), format!("{text}b"), format!("{text}/a")]);
            let topics: Vec<_> = longer.filter_map(|text| Topic::new(&text).ok()).collect();
            finds_what_matches(&patterns.into_iter().collect::<Vec<_>>(), &topics);
        }

        /// Patterns with common beginnings, and topics that they match: the texts in place of their variables differ.
        #[test]
        fn an_index_finds_patterns_with_common_beginnings(
            shapes in proptest::collection::vec(shape(), 1..10),
            origins in proptest::collection::vec(0..ORIGINS.len(), 1..4),
        ) {
            let (mut patterns, mut topics) = (BTreeSet::new(), BTreeSet::new());
            let other = Url::parse("https://other.example/a/").unwrap();
            for Shape { begin, template, group, texts, end } in &shapes {
                for origin in origins.iter().map(|origin| ORIGINS[*origin]) {
                    patterns.extend(Matcher::legacy_selector(&format!("{origin}{begin}{template}{end}")));
                    for base in [&base(), &other] {
                        patterns.extend(Matcher::url_pattern(&format!("{origin}{begin}{group}{end}"), base));
                    }
                    let topic = |text: &String| Topic::new(&format!("{origin}{begin}{text}{end}"));
                    topics.extend(texts.iter().filter_map(|text| topic(text).ok()).map(|topic| topic.as_str().to_owned()));
                }
            }
            let patterns: Vec<_> = patterns.into_iter().filter(Matcher::is_pattern).collect();
            let topics: Vec<_> = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
            finds_what_matches(&patterns, &topics);
        }
    }

    /// Different texts for a few origins, so that some of them are the same origin.
    const ORIGINS: [&str; 9] = [
        "/",
        "",
        "https://hub.example/",
        "HTTPS://HUB.example:443/",
        "https://hub.example:8080/",
        "https://*.example/",
        "http{s}?://other.example/",
        "https://other.example/a/",
        "urn:",
    ];

    /// A pattern in both languages with a variable between two fixed texts, and texts for the variable.
    #[derive(Clone, Debug)]
    struct Shape {
        begin: String,
        template: &'static str,
        group: &'static str,
        texts: Vec<String>,
        end: String,
    }

    fn shape() -> impl Strategy<Value = Shape> {
        // Some beginnings are as long as what is indexed, or longer.
        let long = (250_usize..260).prop_map(|length| "x".repeat(length));
        let part = || proptest::string::string_regex("a|b|ab|aa|é|%41|%C3%A9|[.]|/|/a|/b|/ab|//").unwrap();
        let begin = proptest::collection::vec(prop_oneof![12 => part(), 1 => long], 0..4);
        let holes = [
            ("{x}", ":x"),
            ("{+x}", "*"),
            ("{/x}", "{/:x}?"),
            ("{?x}", ":x?"),
            ("{#x}", ":x*"),
            ("{.x}", "(a|b)"),
            ("{x}{y}", "{a}?"),
            ("{x:1}", ":x+"),
        ];
        let text = proptest::string::string_regex("|a|b|ab|aé|/a|/a/b|[?]x=a|#a|[.]a|%41").unwrap();
        let texts = proptest::collection::vec(text, 1..4);
        (begin, proptest::sample::select(holes.to_vec()), texts, proptest::collection::vec(part(), 0..2)).prop_map(
            |(begin, (template, group), texts, end)| Shape {
                begin: begin.concat(),
                template,
                group,
                texts,
                end: end.concat(),
            },
        )
    }

    /// The number of patterns that a topic is compared with does not grow with the number of patterns that begin
    /// differently.
    #[test]
    fn a_topic_is_compared_only_with_patterns_that_begin_like_it() {
        // So many patterns would fill the cache that other tests use.
        let cache = Patterns::default();
        let template = |number: usize| Matcher::legacy_selector_in(&cache, &format!("/users/{number}/{{x}}")).unwrap();
        let url_pattern =
            |number: usize| Matcher::url_pattern_in(&cache, &format!("/users/{number}/:x"), &base()).unwrap();
        for make in [&template as &dyn Fn(usize) -> Matcher, &url_pattern] {
            let others = [Matcher::any(), make(10), Matcher::legacy_selector("{+all}").unwrap()];
            for count in [10, 10_000] {
                let numbers = (0..count).map(|number| 10 + number);
                let routes = routes_of(numbers.map(make).chain(others.iter().cloned()));
                let counts = ["/users/12/a", "/users/9/a", "/other", "/users/12"].map(|topic| tries(&routes, topic));
                assert_eq!(counts, [3, 2, 2, 2], "{count} patterns like {}", others[1]);
            }
        }
    }

    /// Strangers have no grant, so no private update is for them, such as the presence updates that the hub publishes
    /// when they come and leave.
    #[test]
    fn a_private_update_is_not_compared_with_patterns_of_those_who_have_no_grant() {
        let mut routes = Routes::default();
        let sets = |texts: &[&str]| texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect();
        for (asked, granted) in [("{a}", &[][..]), ("{a}", &["b"]), ("{b}", &[]), ("{c}", &["{c}"]), ("{+d}x", &[])] {
            let key = AudienceKey::new(sets(&[asked]), sets(granted), Representation::EventStream);
            routes.add(&Arc::new(key), (0, PartKey::default()));
        }
        let found = |is_private| {
            let topics = ["x", "b"].map(|topic| Topic::new(topic).unwrap());
            let mut found: Vec<_> = routes.by_pattern(&topics, is_private).into_iter().flatten().copied().collect();
            found.sort_unstable();
            found
        };
        assert_eq!((found(false), found(true)), (vec![0, 1, 2, 3, 4], vec![1, 3]));
        let all = (0..5).map(|route| routes.get(route).key.clone()).collect::<Vec<_>>();
        all.iter().for_each(|key| routes.remove(key, (0, PartKey::default())));
        assert!(routes.patterns.is_empty());
    }

    #[test]
    fn nothing_stays_behind_when_nothing_is_followed() {
        let mut routes = Routes::default();
        let texts = [&["a"][..], &["a", "b"], &["/{x}", "*"], &["/{x}"]];
        let keys = texts.map(|texts| {
            let matchers = texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect();
            Arc::new(AudienceKey::new(matchers, Matchers::default(), Representation::EventStream))
        });
        let destinations = [0, 1].map(|recipient| (recipient, PartKey::default()));
        for (key, destination) in keys.iter().flat_map(|key| destinations.map(move |destination| (key, destination))) {
            routes.add(key, destination);
        }
        assert_eq!(routes.routes.len(), texts.len(), "one audience is one route, wherever its members are");
        for (key, destination) in keys.iter().flat_map(|key| destinations.map(move |destination| (key, destination))) {
            routes.remove(key, destination);
        }
        let left = (routes.routes.len(), routes.by_key.len(), routes.exact.len(), routes.patterns.is_empty());
        assert_eq!(left, (0, 0, 0, true));
    }

    #[test]
    fn a_recipient_takes_its_destinations_with_it() {
        let mut routes = Routes::default();
        let key = |topic: &str| {
            let matchers = [Matcher::exact(topic).unwrap()].into_iter().collect();
            let (granted, representation) = (Matchers::default(), Representation::EventStream);
            Arc::new(AudienceKey::new(matchers, granted, representation))
        };
        for (topic, recipient) in [("a", 0), ("a", 1), ("b", 1), ("c", 0)] {
            routes.add(&key(topic), (recipient, PartKey::default()));
        }
        routes.remove_recipient(1);
        let mut left: Vec<_> = routes.routes.iter().map(|(_, route)| (&route.key, route.destinations.len())).collect();
        left.sort_by_key(|(key, _)| format!("{key:?}"));
        assert_eq!(left, [(&key("a"), 1), (&key("c"), 1)]);
        routes.remove_recipient(0);
        assert_eq!((routes.routes.len(), routes.by_key.len(), routes.exact.len()), (0, 0, 0));
    }

    #[test]
    fn audiences_that_share_a_topic_are_removed_one_as_quickly_as_the_other() {
        for selector in ["a", "/{x}"] {
            scale::is_nearly_linear(|count| {
                let mut routes = Routes::default();
                let (destination, representation) = ((0, PartKey::default()), Representation::EventStream);
                let matchers: Matchers = [Matcher::legacy_selector(selector).unwrap()].into_iter().collect();
                let granted = |number: usize| [Matcher::exact(&number.to_string()).unwrap()].into_iter().collect();
                let key = |number| AudienceKey::new(matchers.clone(), granted(number), representation);
                let keys: Vec<_> = (0..count).map(|number| Arc::new(key(number))).collect();
                keys.iter().for_each(|key| routes.add(key, destination));
                let begun = Instant::now();
                keys.iter().for_each(|key| routes.remove(key, destination));
                begun.elapsed()
            });
        }
    }
}
