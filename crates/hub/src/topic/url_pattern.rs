//! URL Patterns: the pattern matchers of the newer revision of the Mercure protocol.
//!
//! The [URL Pattern Standard](https://urlpattern.spec.whatwg.org/) is implemented without `ignoreCase`. Regular
//! expressions, for which the standard refers to ECMAScript, are matched in linear time by this hub, so it refuses
//! lookaround and backreferences.
use super::{
    Topic,
    candidate::Candidate,
    invalid_matcher::InvalidMatcher,
    linear_regex::{CompileError, LinearRegex},
    pattern::Pattern,
};
use std::{cmp::Ordering, fmt, hash, panic};
use url::{Url, quirks};
use urlpattern::{
    RegexSyntax, UrlPatternInit, UrlPatternOptions,
    component::Component,
    matcher::{InnerMatcher, Matcher as ComponentMatcher},
    regexp::RegExp,
};

/// A compiled URL Pattern, and the URL against which relative patterns and topics are resolved.
pub struct UrlPattern {
    source: Box<str>,
    base: Url,
    // The matchers of the components are kept instead of a pattern of the `urlpattern` crate, because a pattern of that
    // crate allocates memory for every component and group at each match.
    components: [ComponentMatcher<Compiled>; 8],
}

impl UrlPattern {
    /// Compiles `source`.
    ///
    /// # Errors
    /// [`InvalidMatcher::InvalidPattern`], [`InvalidMatcher::TooComplex`].
    pub fn compile(source: &str, base: &Url) -> Result<Self, InvalidMatcher> {
        // The `urlpattern` crate counts the brackets of IPv6 addresses. With some texts, such as `://]`, its count
        // falls below zero, and the crate panics if overflow is checked.
        let pattern = panic::catch_unwind(|| parse(source, base))
            .unwrap_or_else(|_| Err(InvalidMatcher::InvalidPattern("it cannot be parsed".into())))?;
        let components = [
            matcher_of(pattern.protocol)?,
            matcher_of(pattern.username)?,
            matcher_of(pattern.password)?,
            matcher_of(pattern.hostname)?,
            matcher_of(pattern.port)?,
            matcher_of(pattern.pathname)?,
            matcher_of(pattern.search)?,
            matcher_of(pattern.hash)?,
        ];
        Ok(Self { source: source.into(), base: base.clone(), components })
    }

    /// True if `topic`, resolved against the hub's URL, matches the pattern. A topic that is not a URL never matches.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.fits(&Candidate::new(topic))
    }

    pub(crate) fn fits<'a>(&'a self, candidate: &Candidate<'a>) -> bool {
        let Some(url) = candidate.resolve(&self.base) else { return false };
        self.components.iter().zip(texts(&url)).all(|(matcher, text)| matcher.matches(text).is_some())
    }

    /// True if the pattern may match a topic that begins with `beginning`, a path that ends with a slash. The result is
    /// true in case of doubt.
    pub(crate) fn may_match_below(&self, beginning: &str) -> bool {
        let Ok(url) = self.base.join(beginning) else { return true };
        let [before_path @ .., pathname, _, _] = &self.components;
        before_path.iter().zip(texts(&url)).all(|(matcher, text)| matcher.matches(text).is_some())
            && may_begin_with(pathname, url.path())
    }

    /// The text with which the [`indexed_text`] of each URL begins that the pattern matches.
    pub(crate) fn literal_beginning(&self) -> String {
        let [protocol, _, _, hostname, port, pathname, ..] = &self.components;
        let mut beginning = String::new();
        for component in [protocol, hostname, port, pathname] {
            beginning.push_str(&component.prefix);
            let InnerMatcher::Literal { literal } = &component.inner else { break };
            beginning.push_str(literal);
            beginning.push_str(&component.suffix);
            beginning.push(COMPONENT_END);
        }
        beginning
    }

    /// The URL against which relative patterns and topics are resolved.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// An upper bound of the size of the compiled regular expressions, in bytes; 0 if the pattern has only text, groups
    /// and asterisks.
    #[must_use]
    pub fn compiled_bytes(&self) -> usize {
        let bytes = |matcher: &ComponentMatcher<Compiled>| match &matcher.inner {
            InnerMatcher::RegExp { regexp: Ok(Compiled(Ok(regex))) } => regex.compiled_bytes(),
            _ => 0,
        };
        self.components.iter().map(bytes).sum()
    }

    fn key(&self) -> (&str, &str) {
        (&self.source, self.base.as_str())
    }
}

/// The character behind each component in an [`indexed_text`]. No URL contains it.
const COMPONENT_END: char = '\n';

/// Returns the components of a URL by which patterns are indexed, each with [`COMPONENT_END`] behind it. The user name
/// and the password come before the host in a URL, but few patterns name them, so they are left out.
pub(super) fn indexed_text(url: &Url) -> String {
    let mut text = String::with_capacity(url.as_str().len() + 4);
    for component in [url.scheme(), url.host_str().unwrap_or_default(), quirks::port(url), url.path()] {
        text.push_str(component);
        text.push(COMPONENT_END);
    }
    text
}

fn parse(source: &str, base: &Url) -> Result<urlpattern::UrlPattern<Compiled>, InvalidMatcher> {
    let invalid = |error: urlpattern::Error| InvalidMatcher::InvalidPattern(error.to_string());
    let mut init = UrlPatternInit::parse_constructor_string::<Compiled>(source, Some(base.clone())).map_err(invalid)?;
    // A pattern with a scheme is absolute and needs no base. With a base, the standard would put the base's directory
    // before a path without a slash, and `urn\:isbn\:*` could never match.
    if init.protocol.is_some() {
        init.base_url = None;
    }
    let options = UrlPatternOptions { regex_syntax: RegexSyntax::Rust, ignore_case: false };
    urlpattern::UrlPattern::parse(init, options).map_err(invalid)
}

/// Returns the matcher of a component, or the error if the component's regular expression was not compiled.
fn matcher_of(component: Component<Compiled>) -> Result<ComponentMatcher<Compiled>, InvalidMatcher> {
    if let InnerMatcher::RegExp { regexp: Ok(Compiled(Err(error))) } = &component.matcher.inner {
        return Err(error.clone().into());
    }
    Ok(component.matcher)
}

/// The texts of a URL that the components of a pattern are compared with, in the order of the components.
fn texts(url: &Url) -> [&str; 8] {
    [
        url.scheme(),
        url.username(),
        url.password().unwrap_or_default(),
        url.host_str().unwrap_or_default(),
        quirks::port(url),
        url.path(),
        url.query().unwrap_or_default(),
        url.fragment().unwrap_or_default(),
    ]
}

/// True if a component may match a text that begins with `beginning`. The result is true in case of doubt.
fn may_begin_with(matcher: &ComponentMatcher<Compiled>, beginning: &str) -> bool {
    let Some(rest) = beginning.strip_prefix(&*matcher.prefix) else { return matcher.prefix.starts_with(beginning) };
    match &matcher.inner {
        InnerMatcher::Literal { literal } => format!("{literal}{}", matcher.suffix).starts_with(rest),
        _ if !matcher.suffix.is_empty() => true,
        InnerMatcher::SingleCapture { filter, .. } => filter.is_none_or(|filter| !rest.contains(filter)),
        InnerMatcher::RegExp { regexp: Ok(Compiled(Ok(regex))) } => regex.may_begin_with(rest),
        InnerMatcher::RegExp { .. } => false,
    }
}

/// The adapter by which the `urlpattern` crate uses [`LinearRegex`]. If compiling failed, it contains the error,
/// because the crate's own error cannot contain a reason. [`matcher_of`] returns this error.
#[derive(Debug)]
struct Compiled(Result<LinearRegex, CompileError>);

impl RegExp for Compiled {
    fn syntax() -> RegexSyntax {
        RegexSyntax::Rust
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> Result<Self, ()> {
        Ok(Self(LinearRegex::compile(pattern)))
    }

    /// Returns an empty list of captures if `text` matches, because captures are not needed; `None` if it does not
    /// match.
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        self.0.as_ref().is_ok_and(|regex| regex.is_match(text)).then(Vec::new)
    }

    /// Returns nothing. Only other functions of the `urlpattern` crate call this, and keeping the text would take as
    /// much memory again as the compiled form.
    fn pattern_string(&self) -> &str {
        ""
    }
}

impl Pattern for UrlPattern {
    fn held_bytes(&self) -> usize {
        let text = |matcher: &ComponentMatcher<Compiled>| {
            let literal = match &matcher.inner {
                InnerMatcher::Literal { literal } => literal.capacity(),
                _ => 0,
            };
            matcher.prefix.capacity() + matcher.suffix.capacity() + literal
        };
        let texts: usize = self.components.iter().map(text).sum();
        size_of::<Self>() + self.source.len() + self.base.as_str().len() + texts + self.compiled_bytes()
    }
}

impl fmt::Debug for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UrlPattern").field(&self.source).finish()
    }
}

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for UrlPattern {}

impl hash::Hash for UrlPattern {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for UrlPattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UrlPattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests;
