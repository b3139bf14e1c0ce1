//! The routes from topics to audiences. The cost of finding the audiences of an update does not grow with the number of
//! audiences that it does not reach: exact topics are found in a hash index, and each distinct pattern is tried at most
//! once with each topic, even if many audiences share the pattern.
use crate::{
    audience_key::AudienceKey,
    bundle::PartKey,
    entry::Entry,
    topic::{Topic, candidate::Candidate, matcher::Matcher},
};
use slab::Slab;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// All audiences, and the destinations of the events of each audience. Only the thread that routes uses this table.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    routes: Slab<Route>,
    by_key: HashMap<Arc<AudienceKey>, RouteKey>,
    exact: HashMap<Topic, BTreeSet<RouteKey>>,
    patterns: HashMap<Matcher, BTreeSet<RouteKey>>,
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
            let routes = match matcher {
                Matcher::Exact(topic) => self.exact.entry(topic.clone()).or_default(),
                pattern => self.patterns.entry(pattern.clone()).or_default(),
            };
            routes.insert(route);
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
                pattern => take_out(&mut self.patterns, pattern, route),
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
        let topics = entry.update.topics();
        let exact = topics.iter().filter_map(|topic| self.exact.get(topic));
        let candidates: Vec<_> = topics.iter().filter(|_| !self.patterns.is_empty()).map(Candidate::new).collect();
        let by_pattern =
            self.patterns.iter().filter(move |(pattern, _)| candidates.iter().any(|topic| pattern.fits(topic)));
        let all = exact.chain(by_pattern.map(|(_, routes)| routes)).flatten().copied();
        all.filter(|route| self.routes[*route].key.may_receive(&entry.update))
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
    use crate::{grant::Matchers, representation::Representation, scale};
    use std::time::Instant;

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
        let left = (routes.routes.len(), routes.by_key.len(), routes.exact.len(), routes.patterns.len());
        assert_eq!(left, (0, 0, 0, 0));
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
