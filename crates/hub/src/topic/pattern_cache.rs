//! A cache of compiled patterns. Each pattern is compiled once, even if thousands of subscribers use it, or if a
//! publisher sends it in its grant with every update.
use super::{uri_template::UriTemplate, url_pattern::UrlPattern};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The greatest number of URI Templates, and also of URL Patterns, that a cache keeps compiled. If all of them are in
/// use, further patterns still work, but are compiled for each use.
pub const MAX_CACHED_PATTERNS: usize = 1_024;

/// The compiled patterns of one type, found by their source texts.
pub(super) struct PatternCache<T>(Mutex<HashMap<Box<str>, Arc<T>>>);

impl<T> PatternCache<T> {
    /// Returns the cached pattern, or the pattern that `compile` makes.
    ///
    /// # Errors
    /// The errors of `compile`; in this case nothing is cached.
    pub(super) fn get_or_compile<E>(&self, source: &str, compile: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(known) = self.entries().get(source) {
            return Ok(Arc::clone(known));
        }
        // The lock is not held while the pattern is compiled, so that a slow pattern does not make other callers wait.
        let compiled = Arc::new(compile()?);
        let mut entries = self.entries();
        if entries.len() >= MAX_CACHED_PATTERNS {
            entries.retain(|_, pattern| Arc::strong_count(pattern) > 1);
        }
        if entries.len() < MAX_CACHED_PATTERNS {
            return Ok(Arc::clone(entries.entry(source.into()).or_insert(compiled)));
        }
        Ok(compiled)
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (uri_templates, url_patterns) = (self.uri_templates.entries().len(), self.url_patterns.entries().len());
        f.debug_struct("Patterns").field("uri_templates", &uri_templates).field("url_patterns", &url_patterns).finish()
    }
}

impl<T> Default for PatternCache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

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
            assert!(cache.entries().len() <= MAX_CACHED_PATTERNS);
        }
        assert!(Arc::ptr_eq(&in_use, &get(&cache, "in use")));
    }

    #[test]
    fn a_cache_full_of_patterns_in_use_still_answers() {
        let cache = PatternCache::default();
        let in_use: Vec<_> = (0..MAX_CACHED_PATTERNS).map(|n| get(&cache, &n.to_string())).collect();
        assert_eq!(*get(&cache, "one more"), "one more");
        assert_eq!(cache.entries().len(), in_use.len());
    }
}
