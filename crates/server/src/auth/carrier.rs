//! The carriers of a token: the `Authorization` header, the query and a cookie. They are looked at in this order. The
//! first carrier that is present decides, and the other carriers are ignored.
//!
//! [RFC 6750, section 2](https://www.rfc-editor.org/rfc/rfc6750#section-2) defines the header. Only Mercure's older
//! revision allows a token in the query. Each of the two revisions has its own cookie.
//!
//! A carrier whose value cannot be a token is an error, and the request does not count as one without a token.
//! Otherwise a subscriber that has a token would silently become anonymous, and never get private updates.
use super::{
    error::{AuthError, Malformed},
    invalid_token::InvalidToken,
    settings::AuthSettings,
};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
    request::Parts,
};
use std::borrow::Cow;
use url::form_urlencoded;

const QUERY_PARAMETER: &str = "authorization";
/// A query parameter in which RFC 6750 allows a token, but Mercure's newer revision does not.
const REFUSED_PARAMETER: &str = "access_token";

/// The part of a request that brought a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Header,
    Query,
    LegacyCookie,
    ModernCookie,
}

/// A token as the request carries it, not yet verified.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Presented<'a> {
    pub(super) token: Cow<'a, str>,
    pub(super) carrier: Carrier,
}

/// Returns the token that the request carries, or `None` if it carries none.
pub(super) fn find<'a>(parts: &'a Parts, settings: &AuthSettings) -> Result<Option<Presented<'a>>, AuthError> {
    if let Some(token) = in_header(&parts.headers)? {
        return Ok(Some(Presented { token: token.into(), carrier: Carrier::Header }));
    }
    if let Some(token) = in_query(parts)? {
        return Ok(Some(Presented { token, carrier: Carrier::Query }));
    }
    let cookies = [(&settings.modern_cookie, Carrier::ModernCookie), (&settings.legacy_cookie, Carrier::LegacyCookie)];
    for (name, carrier) in cookies {
        if let Some(value) = cookie(&parts.headers, name) {
            return Ok(Some(Presented { token: in_cookie(value)?.into(), carrier }));
        }
    }
    // A request with this parameter is refused: if the parameter were ignored, a subscriber that has a token would
    // become anonymous.
    match parameters(parts).any(|(name, _)| name == REFUSED_PARAMETER) {
        true => Err(AuthError::Invalid(InvalidToken::Carrier)),
        false => Ok(None),
    }
}

fn in_header(headers: &HeaderMap) -> Result<Option<&str>, Malformed> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed::RepeatedHeader);
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Malformed::Header)?;
    let token = token.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("Bearer") && is_token68(token) { Ok(Some(token)) } else { Err(Malformed::Header) }
}

fn parameters(parts: &Parts) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
}

fn in_query(parts: &Parts) -> Result<Option<Cow<'_, str>>, Malformed> {
    let mut values = parameters(parts).filter(|(name, _)| name == QUERY_PARAMETER);
    let Some((_, token)) = values.next() else { return Ok(None) };
    match values.next() {
        Some(_) => Err(Malformed::RepeatedQuery),
        None if token.is_empty() => Err(Malformed::EmptyQuery),
        None => Ok(Some(token)),
    }
}

/// Returns the value of the first cookie with this name, in all `Cookie` headers.
///
/// Cookies are bytes: Chromium sends the bytes that a page has put into `document.cookie` unchanged, in UTF-8, Latin-1
/// or neither. So each pair is read separately, and a strange cookie does not affect other cookies. If several cookies
/// have the same name, the first one counts, since browsers put the cookie with the most specific path first ([RFC
/// 6265, section 5.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.4)). An application that has moved its cookie to
/// another path leaves the old one in browsers, so two cookies are not a reason to refuse the request.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    pairs.filter_map(name_and_value).find(|(cookie, _)| *cookie == name.as_bytes()).map(|(_, value)| value)
}

/// Returns the name and the value of a cookie, without the white space around them; `None` for a value without a name.
fn name_and_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    Some((pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii()))
}

/// Returns the token in a cookie's value. RFC 6265 allows quotation marks around the value, and some libraries write
/// them.
fn in_cookie(value: &[u8]) -> Result<&str, AuthError> {
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    match str::from_utf8(unquoted.unwrap_or(value)) {
        Ok("") => Err(Malformed::EmptyCookie.into()),
        Ok(token) => Ok(token),
        Err(_) => Err(AuthError::Invalid(InvalidToken::Unreadable)),
    }
}

/// Returns true if the text is a `token68` of RFC 9110, the form of a token after the word `Bearer`.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{LEGACY_COOKIE, MODERN_COOKIE};
    use http::Request;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn settings() -> AuthSettings {
        AuthSettings::closed("https://hub.example/.well-known/mercure".parse().unwrap())
    }

    fn parts(uri: &str, headers: Headers<'_>) -> Parts {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    /// B29, B L: the order is header, `authorization` query, cookie; the scheme may be in any case; carriers after the
    /// first one are ignored.
    #[test]
    fn the_first_carrier_decides() {
        let header = ("Authorization", "bEaReR  h.e.ader");
        let both = ("Cookie", "a=b; mercureAuthorization=old; __Secure-mercure_access_token=new; c=d");
        type Found<'a> = Option<(&'a str, Carrier)>;
        let cases: &[(&str, Headers<'_>, Found<'_>)] = &[
            ("/", &[], None),
            ("/?authorization=q.u.ery", &[header, both], Some(("h.e.ader", Carrier::Header))),
            ("/?topic=a&authorization=q.u.ery", &[both], Some(("q.u.ery", Carrier::Query))),
            ("/?authorization=q%2Eu.ery", &[], Some(("q.u.ery", Carrier::Query))),
            ("/", &[both], Some(("new", Carrier::ModernCookie))),
            ("/", &[("Cookie", "mercureAuthorization=old")], Some(("old", Carrier::LegacyCookie))),
            (
                "/",
                &[("Cookie", "x=1"), ("Cookie", "mercureAuthorization=\"old\"")],
                Some(("old", Carrier::LegacyCookie)),
            ),
            ("/", &[("Cookie", "mercureAuthorization=a; mercureAuthorization=b")], Some(("a", Carrier::LegacyCookie))),
            ("/?Authorization=x&authorizations=z", &[], None),
            ("/?access_token=y", &[both], Some(("new", Carrier::ModernCookie))),
            ("/?access_token=y", &[header], Some(("h.e.ader", Carrier::Header))),
            ("/", &[("Cookie", "MercureAuthorization=x; xmercureAuthorization=y; mercureAuthorization; =")], None),
            ("/", &[("Cookie", "x=1;mercureAuthorization = old ;y")], Some(("old", Carrier::LegacyCookie))),
        ];
        for (uri, headers, expected) in cases {
            let parts = parts(uri, headers);
            let found = find(&parts, &settings()).unwrap();
            assert_eq!(found, expected.map(|(token, carrier)| Presented { token: token.into(), carrier }), "{uri}");
        }
    }

    /// B29: `access_token` is never accepted as a query parameter, and a request with it is not anonymous.
    #[test]
    fn a_token_in_the_wrong_parameter_is_not_overlooked() {
        let refused = Err(AuthError::Invalid(InvalidToken::Carrier));
        assert_eq!(find(&parts("/?match=a&access_token=y", &[]), &settings()), refused);
    }

    /// B33: the answer is 400 `invalid_request` if a carrier is malformed, even if another carrier holds a good token.
    #[test]
    fn a_malformed_carrier_is_an_error() {
        let cookie = ("Cookie", "mercureAuthorization=good");
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            "Basic YTpi",
            "good",
            "Bearer a b",
            "Bearer a,b",
            "Bearer ==",
            "Bearer a=b",
        ] {
            let parts = parts("/?authorization=good", &[("Authorization", value), cookie]);
            assert_eq!(find(&parts, &settings()), Err(Malformed::Header.into()), "{value:?}");
        }
        let cases: &[(&str, Headers<'_>, Malformed)] = &[
            ("/", &[("Authorization", "Bearer a"), ("Authorization", "Bearer a")], Malformed::RepeatedHeader),
            ("/?authorization=a&authorization=b", &[cookie], Malformed::RepeatedQuery),
            ("/?authorization=", &[cookie], Malformed::EmptyQuery),
            ("/?authorization", &[cookie], Malformed::EmptyQuery),
            ("/", &[("Cookie", "mercureAuthorization=")], Malformed::EmptyCookie),
            ("/", &[("Cookie", "mercureAuthorization=\"\"")], Malformed::EmptyCookie),
            ("/", &[("Cookie", "__Secure-mercure_access_token="), cookie], Malformed::EmptyCookie),
        ];
        for (uri, headers, expected) in cases {
            assert_eq!(find(&parts(uri, headers), &settings()), Err((*expected).into()), "{uri} {headers:?}");
        }
    }

    /// A header that is not text is an error too: a client that sends this header believes that it has a token.
    #[test]
    fn a_header_that_is_no_text_is_no_absence_of_one() {
        for value in [&b"Bearer a.b.\xff"[..], b"\xff", b"Bearer caf\xc3\xa9"] {
            let mut parts = parts("/?authorization=good", &[("Cookie", "mercureAuthorization=good")]);
            parts.headers.insert(AUTHORIZATION, http::HeaderValue::from_bytes(value).unwrap());
            assert_eq!(find(&parts, &settings()), Err(Malformed::Header.into()));
        }
        let parts = parts("/?authorization=%ff", &[]);
        assert!(find(&parts, &settings()).unwrap().is_some(), "the value counts as a bad token");
    }

    fn with_cookies(lines: &[&[u8]]) -> Parts {
        let mut parts = parts("/", &[]);
        for line in lines {
            parts.headers.append(COOKIE, http::HeaderValue::from_bytes(line).unwrap());
        }
        parts
    }

    /// D: Chromium sends the bytes of `document.cookie` above 0x7e unchanged.
    #[test]
    fn no_other_cookie_matters_however_odd() {
        let many = "c=1; ".repeat(5_000);
        let odd: [&[u8]; 12] = [
            b"lang=\xe9",
            "lang=é".as_bytes(),
            b"\xff\xfe=\x80",
            b"nothing",
            b"=no name",
            b"=",
            b"",
            b"\"",
            b"q=\"a; b=\xe9\"",
            b"a==; ;; =;\t",
            b"a,b",
            many.as_bytes(),
        ];
        for line in odd {
            let before = [line, b"; mercureAuthorization=token"].concat();
            let behind = [b"mercureAuthorization=token;", line].concat();
            for lines in [
                &[&*before][..],
                &[&*behind],
                &[line, b"mercureAuthorization=token"],
                &[b"mercureAuthorization=token", line],
            ] {
                let parts = with_cookies(lines);
                let found = find(&parts, &settings()).unwrap();
                let expected = Presented { token: "token".into(), carrier: Carrier::LegacyCookie };
                assert_eq!(found, Some(expected), "{:?}", line.escape_ascii().to_string());
            }
            assert_eq!(find(&with_cookies(&[line]), &settings()), Ok(None), "{:?}", line.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_token_cookie_that_is_no_text_is_a_bad_token() {
        let unreadable = Err(AuthError::Invalid(InvalidToken::Unreadable));
        for name in [LEGACY_COOKIE, MODERN_COOKIE] {
            for value in [&b"\xe9"[..], b"a.b.\xff", b"\"\x80\"", b"\xc3\x28.a.b"] {
                let line = [name.as_bytes(), b"=", value].concat();
                assert_eq!(find(&with_cookies(&[&line]), &settings()), unreadable);
                let behind = [b"x=1; ", &*line, b"; mercureAuthorization=good"].concat();
                assert_eq!(find(&with_cookies(&[&behind]), &settings()), unreadable, "the first one decides");
            }
        }
    }

    #[test]
    fn cookie_names_are_configurable() {
        let settings = AuthSettings { legacy_cookie: "l".into(), modern_cookie: "m".into(), ..settings() };
        let parts = parts("/", &[("Cookie", "mercureAuthorization=a; m=b; l=c")]);
        let found = find(&parts, &settings).unwrap();
        assert_eq!(found, Some(Presented { token: "b".into(), carrier: Carrier::ModernCookie }));
    }
}
