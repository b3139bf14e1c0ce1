//! A cache of compiled patterns. Each pattern is compiled once, even if thousands of subscribers use it, or if a
//! publisher sends it in its grant with every update.
use super::{pattern::Pattern, uri_template::UriTemplate, url_pattern::UrlPattern};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The greatest number of URI Templates, and also of URL Patterns, that a cache keeps compiled. If all of them are in
/// use, further patterns still work, but are compiled for each use.
pub const MAX_CACHED_PATTERNS: usize = 1_024;
/// The greatest memory, in bytes, of the URI Templates, and also of the URL Patterns, that a cache keeps compiled.
pub const MAX_CACHED_BYTES: usize = 8 << 20;

/// The compiled patterns of one type, found by their source texts.
pub(super) struct PatternCache<T>(Mutex<Entries<T>>);

struct Entries<T> {
    patterns: HashMap<Box<str>, Arc<T>>,
    /// The memory of all patterns, in bytes.
    bytes: usize,
}

impl<T: Pattern> PatternCache<T> {
    /// Returns the cached pattern, or the pattern that `compile` makes.
    ///
    /// # Errors
    /// The errors of `compile`; in this case nothing is cached.
    pub(super) fn get_or_compile<E>(&self, source: &str, compile: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(known) = self.entries().patterns.get(source) {
            return Ok(Arc::clone(known));
        }
        // The lock is not held while the pattern is compiled, so that a slow pattern does not make other callers wait.
        let compiled = Arc::new(compile()?);
        let mut entries = self.entries();
        if !entries.has_room(&compiled) {
            entries.keep_what_is_in_use();
        }
        if entries.has_room(&compiled) {
            return Ok(entries.insert(source, compiled));
        }
        Ok(compiled)
    }
}

impl<T> PatternCache<T> {
    /// True if the pattern is cached.
    pub(super) fn has(&self, source: &str) -> bool {
        self.entries().patterns.contains_key(source)
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Pattern> Entries<T> {
    fn has_room(&self, pattern: &T) -> bool {
        self.patterns.len() < MAX_CACHED_PATTERNS && self.bytes + pattern.held_bytes() <= MAX_CACHED_BYTES
    }

    fn keep_what_is_in_use(&mut self) {
        self.patterns.retain(|_, pattern| Arc::strong_count(pattern) > 1);
        self.bytes = self.patterns.values().map(|pattern| pattern.held_bytes()).sum();
    }

    /// Adds a pattern, and returns it. If another thread has added the same pattern meanwhile, this one is returned.
    fn insert(&mut self, source: &str, compiled: Arc<T>) -> Arc<T> {
        if let Some(known) = self.patterns.get(source) {
            return Arc::clone(known);
        }
        self.bytes += compiled.held_bytes();
        self.patterns.insert(source.into(), Arc::clone(&compiled));
        compiled
    }
}

/// The cached patterns of one kind of client, such as publishers. A client that uses many patterns can fill only the
/// caches of its own kind, so it does not make other kinds of clients compile their patterns again and again.
#[derive(Default)]
pub struct Patterns {
    pub(super) uri_templates: PatternCache<UriTemplate>,
    pub(super) url_patterns: PatternCache<UrlPattern>,
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (uri_templates, url_patterns) =
            (self.uri_templates.entries().patterns.len(), self.url_patterns.entries().patterns.len());
        f.debug_struct("Patterns").field("uri_templates", &uri_templates).field("url_patterns", &url_patterns).finish()
    }
}

impl<T> Default for PatternCache<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries { patterns: HashMap::new(), bytes: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    impl Pattern for String {
        fn held_bytes(&self) -> usize {
            self.len()
        }
    }

    fn get(cache: &PatternCache<String>, source: &str) -> Arc<String> {
        let Ok(pattern) = cache.get_or_compile(source, || Ok::<_, Infallible>(source.to_owned()));
        pattern
    }

    #[test]
    fn equal_sources_share_one_pattern() {
        let cache = PatternCache::default();
        let first = get(&cache, "a");
        assert!(Arc::ptr_eq(&first, &get(&cache, "a")));
        assert!(!Arc::ptr_eq(&first, &get(&cache, "b")));
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let cache = PatternCache::default();
        assert_eq!(cache.get_or_compile("a", || Err::<String, _>("no")), Err("no"));
        assert_eq!(*get(&cache, "a"), "a");
    }

    #[test]
    fn the_cache_is_bounded_and_patterns_in_use_stay() {
        let cache = PatternCache::default();
        let in_use = get(&cache, "in use");
        for n in 0..3 * MAX_CACHED_PATTERNS {
            get(&cache, &n.to_string());
            assert!(cache.entries().patterns.len() <= MAX_CACHED_PATTERNS);
        }
        assert!(Arc::ptr_eq(&in_use, &get(&cache, "in use")));
    }

    #[test]
    fn a_cache_full_of_patterns_in_use_still_answers() {
        let cache = PatternCache::default();
        let in_use: Vec<_> = (0..MAX_CACHED_PATTERNS).map(|n| get(&cache, &n.to_string())).collect();
        assert_eq!(*get(&cache, "one more"), "one more");
        assert_eq!(cache.entries().patterns.len(), in_use.len());
    }

    #[test]
    fn the_memory_of_a_cache_is_bounded() {
        let cache = PatternCache::default();
        let large = |number: usize| format!("{number}").repeat(MAX_CACHED_BYTES / 4);
        let in_use = get(&cache, &large(0));
        for number in 1..10 {
            get(&cache, &large(number));
            let entries = cache.entries();
            let bytes: usize = entries.patterns.values().map(|pattern| pattern.held_bytes()).sum();
            assert!(bytes == entries.bytes && bytes <= MAX_CACHED_BYTES, "{bytes}");
        }
        assert!(Arc::ptr_eq(&in_use, &get(&cache, &large(0))));
        let too_large = "x".repeat(MAX_CACHED_BYTES + 1);
        assert_eq!(*get(&cache, &too_large), too_large);
        assert!(!cache.entries().patterns.contains_key(&*too_large));
    }
}
