//! Parses cookies in the forms that curl accepts: `-b 'a=b; c=d'`, or a file that curl or a browser has written.
use fanfare_client::CookieJar;
use http::HeaderValue;
use std::{
    convert::Infallible,
    fs::File,
    io::{self, Read as _},
    str::FromStr,
};
use url::Url;

/// The longest file of cookies that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// The beginning of a line with an `HttpOnly` cookie, which JavaScript in a browser may not read. Other lines that
/// begin with `#` are comments.
const HTTP_ONLY: &str = "#HttpOnly_";

/// The cookies of a request, as an argument gives them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cookies {
    /// The value of the `Cookie` header.
    Text(String),
    /// The file that the cookies are read from, in the format of Netscape's browsers.
    File(String),
    /// No cookies at first; cookies that the server sets are kept.
    Nothing,
}

/// Formats the cookies without their names and values, because cookies are usually secrets.
impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cookies")
    }
}

impl FromStr for Cookies {
    type Err = Infallible;

    /// Parses an argument as curl does: a text without `=` is the name of a file, and an empty text sends no cookies at
    /// first, but keeps those that the server sets.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "" => Self::Nothing,
            _ if text.contains('=') => Self::Text(text.to_owned()),
            _ => Self::File(text.to_owned()),
        })
    }
}

impl Cookies {
    /// Returns true if cookies that the server sets are kept and sent with later requests.
    pub(super) fn wants_jar(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    /// Returns the value of the `Cookie` header; `None` if the cookies come from a file, or if there are none.
    pub(super) fn header(&self) -> Option<Result<HeaderValue, http::header::InvalidHeaderValue>> {
        let Self::Text(text) = self else { return None };
        Some(HeaderValue::from_str(text).map(|mut value| {
            value.set_sensitive(true);
            value
        }))
    }

    /// Puts the cookies that are for `url` into `jar`.
    ///
    /// # Errors
    /// [`io::Error`] if the file cannot be read, or is longer than 4 MiB.
    pub(super) fn fill(&self, jar: &CookieJar, url: &str) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let (mut bytes, file) = (Vec::new(), File::open(path)?);
        if file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)? as u64 > MAX_FILE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let Ok(url) = Url::parse(url) else { return Ok(()) };
        let text = String::from_utf8_lossy(&bytes);
        for cookie in text.lines().filter_map(|line| cookie(line, url.host_str()?)) {
            jar.set(&url, cookie);
        }
        Ok(())
    }
}

/// Returns the value of a `Set-Cookie` header for the cookie in this line; `None` if the cookie is for another host, or
/// if the line has no cookie.
fn cookie(line: &str, host: &str) -> Option<String> {
    let line = line.strip_prefix(HTTP_ONLY).unwrap_or(line);
    if line.starts_with('#') {
        return None;
    }
    let [domain, _, path, secure, expires, name, value] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let of_subdomains = domain.strip_prefix('.');
    let is_host = |domain: &str| domain.eq_ignore_ascii_case(host);
    let is_domain = |domain: &str| {
        let before = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
        before.is_some_and(|(before, end)| end.eq_ignore_ascii_case(domain) && before.ends_with('.'))
    };
    if !is_host(of_subdomains.unwrap_or(domain)) && !of_subdomains.is_some_and(is_domain) {
        return None;
    }
    let secure = if secure.eq_ignore_ascii_case("true") { "; Secure" } else { "" };
    let expires = match expires.parse::<i64>().ok()? {
        0 => String::new(),
        at => format!("; Max-Age={}", at.saturating_sub(jiff::Timestamp::now().as_second())),
    };
    Some(format!("{name}={value}; Path={path}{secure}{expires}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_cookie_of_a_host() {
        let cases = [
            ("h.example\tFALSE\t/\tFALSE\t0\ta\tb", Some("a=b; Path=/")),
            (".example\tTRUE\t/x\tTRUE\t0\ta\tb=c", Some("a=b=c; Path=/x; Secure")),
            (".h.example\tTRUE\t/\tFALSE\t0\ta\t", Some("a=; Path=/")),
            ("#HttpOnly_h.example\tFALSE\t/\tFALSE\t0\ta\tb", Some("a=b; Path=/")),
            ("example\tFALSE\t/\tFALSE\t0\ta\tb", None),
            (".ample\tTRUE\t/\tFALSE\t0\ta\tb", None),
            ("other.example\tFALSE\t/\tFALSE\t0\ta\tb", None),
            ("# h.example\tFALSE\t/\tFALSE\t0\ta\tb", None),
            ("h.example\tFALSE\t/\tFALSE\tsoon\ta\tb", None),
            ("h.example", None),
            ("", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(cookie(line, "h.example").as_deref(), wanted, "{line}");
        }
        let old = cookie("h.example\tFALSE\t/\tFALSE\t1\ta\tb", "h.example").unwrap();
        assert!(old.starts_with("a=b; Path=/; Max-Age=-"), "{old}");
    }
}
