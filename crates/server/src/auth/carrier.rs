//! Where the token is: the `Authorization` header, else the query, else a cookie. The first of them that is there decides,
//! and what the others hold is not looked at.
//!
//! [RFC 6750, section 2](https://www.rfc-editor.org/rfc/rfc6750#section-2) for the header; the query is the older revision's
//! alone, and each revision has its own cookie.
use super::{
    AuthSettings,
    error::{AuthError, InvalidToken, Malformed},
};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
    request::Parts,
};
use std::borrow::Cow;
use url::form_urlencoded;

/// The cookie that carries older-revision tokens, unless configured otherwise.
pub const LEGACY_COOKIE: &str = "mercureAuthorization";
/// The cookie that carries newer-revision tokens, unless configured otherwise. Browsers take it over HTTPS only.
pub const MODERN_COOKIE: &str = "__Secure-mercure_access_token";

const QUERY_PARAMETER: &str = "authorization";
/// Where RFC 6750 allows a token, and Mercure's newer revision does not.
const REFUSED_PARAMETER: &str = "access_token";

/// What brought a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Header,
    Query,
    LegacyCookie,
    ModernCookie,
}

/// A token as it came, not yet verified.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Presented<'a> {
    pub(super) token: Cow<'a, str>,
    pub(super) carrier: Carrier,
}

/// The token that the request carries, or `None` if there is none.
pub(super) fn find<'a>(parts: &'a Parts, settings: &AuthSettings) -> Result<Option<Presented<'a>>, AuthError> {
    if let Some(token) = in_header(&parts.headers)? {
        return Ok(Some(Presented { token: token.into(), carrier: Carrier::Header }));
    }
    if let Some(token) = in_query(parts)? {
        return Ok(Some(Presented { token, carrier: Carrier::Query }));
    }
    let cookies = [(&settings.modern_cookie, Carrier::ModernCookie), (&settings.legacy_cookie, Carrier::LegacyCookie)];
    for (name, carrier) in cookies {
        if let Some(token) = in_cookie(&parts.headers, name)? {
            return Ok(Some(Presented { token: token.into(), carrier }));
        }
    }
    // Passed over, it would make an anonymous subscriber of somebody who has a token.
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

/// The first cookie of that name: browsers send the one with the most specific path first.
fn in_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Malformed> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    match pairs.find(|(cookie, _)| *cookie == name) {
        None => Ok(None),
        Some((_, "" | "\"\"")) => Err(Malformed::EmptyCookie),
        // RFC 6265 allows quotation marks around a value, and some libraries write them.
        Some((_, token)) => {
            Ok(Some(token.strip_prefix('"').and_then(|token| token.strip_suffix('"')).unwrap_or(token)))
        }
    }
}

/// `token68` of RFC 9110: what may follow the scheme.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn settings() -> AuthSettings {
        AuthSettings::closed("https://hub.example/.well-known/mercure".parse().unwrap())
    }

    fn parts(uri: &str, headers: Headers<'_>) -> Parts {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    /// B29, B L: header > `authorization` query > cookie; the scheme in any case; what is behind is ignored.
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
        ];
        for (uri, headers, expected) in cases {
            let parts = parts(uri, headers);
            let found = find(&parts, &settings()).unwrap();
            assert_eq!(found, expected.map(|(token, carrier)| Presented { token: token.into(), carrier }), "{uri}");
        }
    }

    /// B29: `access_token` is never accepted as a query parameter, and whoever sends it is not anonymous.
    #[test]
    fn a_token_in_the_wrong_parameter_is_not_overlooked() {
        let refused = Err(AuthError::Invalid(InvalidToken::Carrier));
        assert_eq!(find(&parts("/?match=a&access_token=y", &[]), &settings()), refused);
    }

    /// B33: 400 `invalid_request` when the presentation is malformed, also if another carrier holds a good token.
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

    #[test]
    fn cookie_names_are_configurable() {
        let settings = AuthSettings { legacy_cookie: "l".into(), modern_cookie: "m".into(), ..settings() };
        let parts = parts("/", &[("Cookie", "mercureAuthorization=a; m=b; l=c")]);
        let found = find(&parts, &settings).unwrap();
        assert_eq!(found, Some(Presented { token: "b".into(), carrier: Carrier::ModernCookie }));
    }
}
