//! A secret is not shown, wherever in a URL it is and however it is written.
use fanfare_mask::{masked, masked_url};
use proptest::{prelude::*, sample::select};

/// The names of the table, and of nothing else.
const NAMES: [&str; 24] = [
    "token",
    "access_token",
    "authorization",
    "key",
    "api_key",
    "x-api-key",
    "sig",
    "signature",
    "pw",
    "pwd",
    "pass",
    "password",
    "passphrase",
    "sid",
    "otp",
    "pin",
    "ticket",
    "hmac",
    "assertion",
    "code",
    "auth",
    "session",
    "jwt",
    "secret",
];

/// The secret, which holds what people do not escape. No other part of a URL holds these letters.
fn secret() -> impl Strategy<Value = String> {
    prop::collection::vec(
        select(vec!["Q", "Z", "0", "7", ";", "?", "/", ",", ":", "=", "'", "%20", "%26", "é", "~", "+"]),
        0..8,
    )
    .prop_map(|parts| format!("QZQZ{}QZQZ", parts.concat()))
}

/// A name in any case, with hyphens or underscores, some letters escaped.
fn name() -> impl Strategy<Value = String> {
    (select(NAMES.as_slice()), any::<[bool; 24]>(), any::<[bool; 24]>(), any::<bool>()).prop_map(
        |(name, upper, escaped, hyphens)| {
            let letters =
                name.chars().zip(upper.into_iter().zip(escaped)).map(|(letter, (upper, escaped))| match letter {
                    '_' | '-' => if hyphens { "-" } else { "_" }.to_owned(),
                    _ if escaped && !upper => format!("%{:02x}", u32::from(letter)),
                    _ if upper => letter.to_ascii_uppercase().to_string(),
                    _ => letter.to_string(),
                });
            letters.collect()
        },
    )
}

fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A URL that holds the secret in one of its places.
fn url() -> impl Strategy<Value = (String, String)> {
    let places = (secret(), name(), 0..9_u8, any::<bool>());
    let one = places.prop_map(|(secret, name, place, more)| {
        let end = if more { "&x=y" } else { "" };
        let letters: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
        let url = match place {
            0 => format!("https://me:{secret}@h.example/a?b=c{end}")
                .replace(['/', '?', '\''], "-")
                .replacen("--", "//", 1),
            1 => format!("http://{letters}@h.example:81/"),
            2 => format!("http://h.example/a?topic=b&{name}={secret}{end}"),
            3 => format!("http://h.example/a;{name}={secret}"),
            4 => format!("http://h.example/a?b=c;{name}={secret}{end}"),
            5 => format!("http://h.example/#{name}={secret}{end}"),
            6 => format!("https://h.example/t/eyJ{letters}.eyJ{letters}.{letters}/x"),
            7 => format!("/a?{name}={secret}{end}"),
            _ => format!("h.example:80/a?x&{name}={secret}{end}"),
        };
        (secret, url)
    });
    one.prop_flat_map(|(secret, url)| {
        (0..4_u8).prop_map(move |times| {
            let nested =
                (0..times).fold(url.clone(), |url, _| format!("https://o.example/go?a=b&next={}&c=d", escape(&url)));
            (secret.clone(), nested)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_part_of_a_secret_is_shown((secret, url) in url()) {
        let texts = [
            masked_url(&url).into_owned(),
            masked(&url).into_owned(),
            masked(&format!("cannot reach '{url}': refused")).into_owned(),
            masked(&format!("url={url} \"{url}\"\u{1b}[0m")).into_owned(),
        ];
        // Within a text, a mark may be the end of a quotation.
        let texts = if secret.contains('\'') { &texts[..1] } else { &texts };
        for shown in texts {
            prop_assert!(!shown.contains("QZ"), "{url}: {shown}");
            prop_assert!(shown.contains(fanfare_mask::MASK), "{url}: {shown}");
        }
    }

    #[test]
    fn any_text_can_be_masked(text in "[a-z:/@=&?#%0-9é'\" ]{0,60}") {
        let shown = masked(&text).into_owned();
        prop_assert_eq!(masked(&shown), shown.as_str(), "{}", text);
        let shown = masked_url(&text).into_owned();
        prop_assert_eq!(masked_url(&shown), shown.as_str(), "{}", text);
    }
}
