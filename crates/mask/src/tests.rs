//! Tests that all kinds of secrets are masked wherever they are, and that other text stays.
use super::*;
use proptest::prelude::*;

/// Any text from a stranger is masked in time proportional to its length. With quadratic work, these texts would take a
/// thousand times as long as texts of a 32nd of their length.
#[test]
fn a_long_text_is_masked_in_time_that_grows_with_its_length() {
    const SHORT: usize = 1 << 12;
    const LONG: usize = 32 * SHORT;
    let time = |text: &str| {
        let begun = std::time::Instant::now();
        let shown = masked(text).into_owned();
        let _ = (masked_url(text), masked_url(&shown));
        begun.elapsed()
    };
    for part in [
        "%25",
        "%2525",
        "a=%2520",
        "%3Dtoken",
        "token%3D",
        "%26%3D@",
        "a%3Atoken%3D&",
        "\"token\":\"",
        "token\":\"\\",
        "token\\\":\\\"a\\",
        "http:",
        "http://:",
        "http:@",
        "://",
        ":",
        "@",
        "a:b@",
        "/@",
        "//a",
        "=//",
        "token=$A",
        "=",
        "&token=x",
        "key='",
        "key=\"a'b ",
        "key='a&",
        "key=$(",
        "='",
        "\"",
        "a'b",
        "eyJ",
        "eyJ.",
        "ewo.",
        "x-key:",
        "a:b ",
        "x-key:'b ",
        "%3d:%40",
        ",",
        ":,",
        "é",
        "é:",
    ] {
        let (short, long) = (part.repeat(SHORT / part.len()), part.repeat(LONG / part.len()));
        let shortest = (0..5).map(|_| time(&short)).min().unwrap_or_default();
        // Other processes on the machine can only make a measurement longer.
        let is_linear = (0..5).any(|_| time(&long) < 256 * shortest);
        assert!(is_linear, "{part}");
    }
}

#[test]
fn what_is_escaped_too_often_is_masked_whole() {
    let mut escaped = String::from("token=hunter2");
    for _ in 0..12 {
        assert!(!masked(&format!("http://h/?a={escaped}")).contains("hunter2"));
        escaped = escaped.replace('%', "%25").replace('=', "%3D");
    }
}

#[test]
fn users_and_passwords_of_urls_are_masked() {
    let cases = [
        ("https://me@h/x", "https://********@h/x"),
        ("https://me:pw@h:8/x?a=b", "https://********@h:8/x?a=b"),
        ("https://me:p@w@h/", "https://********@h/"),
        ("https://:pw@h/", "https://********@h/"),
        ("HTTPS://Me:Pw@h", "HTTPS://********@h"),
        ("https:/me:pw@h/", "https:/********@h/"),
        ("https:\\\\me:pw@h/", "https:\\\\********@h/"),
        ("http:me:pw@h/", "http:********@h/"),
        // These contain characters that should have been escaped.
        ("https://me:p/w@h/x", "https://********@h/x"),
        ("https://me:p?w@h/x", "https://********@h/x"),
        ("https://me:p#w@h/x", "https://********@h/x"),
        ("https://me:%70w@h/", "https://********@h/"),
        ("me:pw@h:3000", "********@h:3000"),
        ("--hub=me:pw@h", "--hub=********@h"),
        ("redis://me:pw@h/0", "redis://********@h/0"),
        ("news=https://me:pw@h/k", "news=https://********@h/k"),
        ("//me:pw@h/", "//********@h/"),
        ("/go?next=//me:pw@h/", "/go?next=//********@h/"),
        ("https://me:p'w@h/", "https://********@h/"),
        ("url='me:pw@h'", "url='********@h'"),
        ("me:pw@h,http://h/x", "********@h,http://h/x"),
        ("https%3A//me:1%252Fx@h/", "https%3A//********@h/"),
        ("https://a/,https://me:pw@b/", "https://a/,https://********@b/"),
    ];
    for (text, shown) in cases {
        assert_eq!(masked(text), shown);
        assert_eq!(masked(shown), shown, "again");
    }
}

#[test]
fn parameters_are_masked_by_their_names() {
    let cases = [
        ("http://h/?token=x", "http://h/?token=********"),
        ("http://h/?a=b&token=x&c=d", "http://h/?a=b&token=********&c=d"),
        ("http://h/?TOKEN=x&Access_Token=y", "http://h/?TOKEN=********&Access_Token=********"),
        ("http://h/?%74oken=x", "http://h/?%74oken=********"),
        ("http://h/?authorization=Bearer%20x", "http://h/?authorization=********"),
        ("http://h/#access_token=x&b=c", "http://h/#access_token=********&b=c"),
        ("http://h/?a=b;token=x", "http://h/?a=b;token=********"),
        ("http://h/sse;token=x", "http://h/sse;token=********"),
        ("http://h/?X-Amz-Signature=x&X-Amz-Date=y", "http://h/?X-Amz-Signature=********&X-Amz-Date=y"),
        ("http://h/?api_key=x", "http://h/?api_key=********"),
        ("http://h/?token[]=x", "http://h/?token[]=********"),
        ("http://h/?token=a=b==", "http://h/?token=********"),
        ("http://h/?token=x=news,weather", "http://h/?token=********"),
        ("/events?token=x", "/events?token=********"),
        ("token=x", "token=********"),
        ("http:///?token=x", "http:///?token=********"),
        ("http://[::1]:99999999/?token=x", "http://[::1]:99999999/?token=********"),
        // The secrets are escaped, as in a URL inside another URL.
        ("http://h/?next=https%3A%2F%2Fme%3Apw%40h%2F", "http://h/?next=https%3A%2F%2F********%40h%2F"),
        ("http://h/?next=%2Fa%3Ftoken%3Dx&b=c", "http://h/?next=%2Fa%3Ftoken%3D********&b=c"),
        ("http://h/cb%3Ftoken%3Dx", "http://h/cb%3Ftoken%3D********"),
        ("http://h/?a=%252Fb%253Ftoken%253Dx%2526y", "http://h/?a=%252Fb%253Ftoken%253D********%2526y"),
        ("http://h/?%2574oken=x&a=b", "http://h/?%2574oken=********&a=b"),
        ("http://h/?next=%252525252Fa%252525253Ftoken%252525253Dx", "http://h/?next=********"),
        ("http://h/?next=/a?token=ab%2526cd&b=c", "http://h/?next=/a?token=********&b=c"),
        ("http://h/?a=b%20c&next=https://h/%3Fpin=1&d=%20", "http://h/?a=b%20c&next=https://h/%3Fpin=********&d=%20"),
        // A character that would end a value in a form may be part of a secret.
        ("http://h/?token=ab;cd", "http://h/?token=********"),
        ("http://h/?token=ab?cd", "http://h/?token=********"),
        ("http://h/?token=ab#cd", "http://h/?token=********"),
        ("http://h/?token=ab%26cd", "http://h/?token=********"),
        ("http://h/?%74oken=ab%26cd", "http://h/?%74oken=********"),
        ("http://h/?token=ab'cd\"ef", "http://h/?token=********"),
        ("http://h/?token=ab/cd,ef:gh", "http://h/?token=********"),
        ("http://h/a;token=x/b;c?d=e&f=g", "http://h/a;token=********&f=g"),
        ("key='x&y'", "key='********'"),
        ("key='x&y'&a=b", "key='********'&a=b"),
        // These secrets begin like a placeholder.
        ("http://h/?token=$ecret", "http://h/?token=********"),
        ("http://h/?token=<s3cret", "http://h/?token=********"),
        ("http://h/?token={secret", "http://h/?token=********"),
        ("http://h/?token=…secret", "http://h/?token=********"),
        ("http://h/?pw=x&sid=x&otp=x&pin=x", "http://h/?pw=********&sid=********&otp=********&pin=********"),
        ("http://h/?ticket=x&hmac=x&assertion=x", "http://h/?ticket=********&hmac=********&assertion=********"),
        ("http://h/?userPass=x&user_pass=y", "http://h/?userPass=********&user_pass=********"),
        (
            "?passphrase=x&key2=x&hubkey=x&user[pin]=x",
            "?passphrase=********&key2=********&hubkey=********&user[pin]=********",
        ),
        ("http://h/?token=", "http://h/?token="),
    ];
    for (text, shown) in cases {
        assert_eq!(masked(text), shown);
        assert_eq!(masked_url(text), shown);
        assert_eq!(masked(shown), shown, "again");
    }
}

#[test]
fn secrets_are_found_within_longer_texts() {
    let cases = [
        (
            "error: invalid value 'https://me:pw@h' for '--hub <URL>': expected",
            "error: invalid value 'https://********@h' for '--hub <URL>': expected",
        ),
        ("\u{1b}[33mhttp://h/?token=x\u{1b}[0m: no", "\u{1b}[33mhttp://h/?token=********\u{1b}[0m: no"),
        ("{\"url\":\"http://h/?token=x\",\"n\":1}", "{\"url\":\"http://h/?token=********\",\"n\":1}"),
        ("Authorization: Bearer abc", "Authorization: Bearer ********"),
        ("'cookie: a=b; c=d' is wrong", "'cookie: ********' is wrong"),
        ("got eyJhbGciOiJub25lIn0.e30.x here", "got ******** here"),
        ("at http://h/eyJhbGciOiJub25lIn0.e30.x/y", "at http://h/********/y"),
        ("at http://h/eyJhbGciOiJub25lIn0%2Ee30%2Ex/y", "at http://h/********/y"),
        ("-H Authorization:Bearer abc", "-H Authorization:Bearer ********"),
        ("'x-api-key: abc'", "'x-api-key: ********'"),
        ("'http://h/?token=a'b' is wrong", "'http://h/?token=********' is wrong"),
        ("token=\"a b&c\" is wrong, key='d e'.", "token=\"********\" is wrong, key='********'."),
        ("error=\"no http://h/?token=x: refused\" n=1", "error=\"no http://h/?token=********: refused\" n=1"),
        ("Authorization:Bearer abc", "Authorization:Bearer ********"),
        ("{authorization: abc def\nnext", "{authorization: ********\nnext"),
        ("-H \"X-Api-Key: a'b\" is wrong", "-H \"X-Api-Key: ********\" is wrong"),
        ("curl -H'Authorization: Basic abc' h", "curl -H'Authorization: Basic ********' h"),
        ("curl -HAuthorization:abc", "curl -HAuthorization:********"),
        ("one line\nhttp://me@h/\ntwo", "one line\nhttp://********@h/\ntwo"),
        (r#"{"access_token":"abc","n":1}"#, r#"{"access_token":"********","n":1}"#),
        (
            r#"{ "token" : "a b\"c\\", "authorization":"Bearer x" }"#,
            r#"{ "token" : "********", "authorization":"********" }"#,
        ),
        (r#"{"body":"{\"token\":\"abc\",\"n\":1}"}"#, r#"{"body":"{\"token\":\"********\",\"n\":1}"}"#),
        ("{'api_key': 'abc'} and {\"password\":\"cut", "{'api_key': '********'} and {\"password\":\"********"),
    ];
    for (text, shown) in cases {
        assert_eq!(masked(text), shown);
        assert_eq!(masked(shown), shown, "again");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "http://127.0.0.1:3000",
        "http://[::1]:3000/topics/a@b",
        "https://example.com/@me?a=b&topic=x%20y",
        "https://example.com:8443/users/me@example.com",
        "mailto:me@example.com",
        "urn:example:a@b",
        "listen = \"127.0.0.1:3000\"",
        "curl -H \"Authorization: Bearer $FANFARE_TOKEN\" -d 'hello' http://h/topics/greetings",
        "export FANFARE_KEY=\"$(openssl rand -hex 32)\"",
        "headers = [\"Authorization: …\"]",
        "--key-file=/run/secrets/key",
        "a token for the hub: ask for one",
        "é%ff%zz=ü",
        "http://h/?topic=tokens&lastEventId=a&monkey=1&keyword=2&key-file=f&idempotency-key=3&allow-short-keys=yes",
        "tag:me@example.com,2020:x",
        "http://h/?topic=https%3A%2F%2Fexample.com%2Fsecret%2Fkey",
        "topic=urn%3Aexample%3Aa%40b",
        "https://@h/",
        "https://USER:PASSWORD@h",
        "curl -H \"Authorization: Bearer $(cat token)\" http://h/",
        "Give its credentials with -H 'Authorization: …'; --token is for the hub",
        r#"{"total_tokens":17,"token":null,"key":"","keyword":"a","n":"token","m":1}"#,
        "it's what 'they' don't say: \"no\"",
        "http://example.com.eu/eyJ.x",
        "http://framework.example.com/ewok.a.b",
        "curl http://h/?token=$FANFARE_TOKEN http://h/?token=${TOKEN} http://h/?token=<TOKEN> http://h/?token=…",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn tokens_are_masked_anywhere() {
    let cases = [
        ("eyJhbGciOiJub25lIn0.e30.x", "********"),
        ("http://h/t/eyJhbGciOiJub25lIn0.e30./x", "http://h/t/********/x"),
        ("http://h/?a=eyJh.eyJi.c&b=c", "http://h/?a=********&b=c"),
        ("http://h/?a=eyJh%2EeyJi%2Ec&d=e", "http://h/?a=********&d=e"),
        ("http://h/%65yJh%2e%65yJi%2ec/x", "http://h/********/x"),
        // The header of the token is indented JSON.
        ("ewogICJhbGciOiAiSFMyNTYiCn0.e30.x", "********"),
        ("eyAiYWxnIjogIkhTMjU2IiB9.e30.x", "********"),
    ];
    for (text, shown) in cases {
        assert_eq!(masked(text), shown);
        assert_eq!(masked_url(text), shown);
        assert_eq!(masked(shown), shown, "again");
    }
}

#[test]
fn a_long_word_is_masked_where_its_secret_is() {
    let long = "x".repeat(100_000);
    let url = format!("http://h/?a={long}&token=secret&b={long}");
    assert_eq!(masked_url(&url), format!("http://h/?a={long}&token={MASK}&b={long}"));
}

#[test]
fn any_text_can_be_masked() {
    for text in [
        "=",
        "@",
        "://@",
        "token==",
        "é://ü@ö?töken=ä",
        "%",
        "%%%3D",
        ":@:",
        "http:",
        "//\\\\@",
        "eyJ..",
        "\u{1b}",
        "=\"",
        "x='é",
        "é:=%c3",
        "token=%c3",
        "%c3%a9%3Dtoken%3D%c3",
        "@:%2f&@",
        // Each pass finds one more secret.
        "%253a%2fhttp=%253a:%2f%252f%2526=%252f:%2fhttp=%252f@%2f%26",
    ] {
        let shown = masked(text).into_owned();
        assert_eq!(masked(&shown), shown, "{text}");
        let shown = masked_url(text).into_owned();
        assert_eq!(masked_url(&shown), shown, "{text}");
    }
}

proptest! {
    #[test]
    fn a_secret_is_never_shown(
        place in 0..12_usize,
        escapes in 0..4_usize,
        end in prop::sample::select(vec!["", ";z", "?z", "&z=1", "#z", ",", ": timeout"]),
        name in prop::sample::select(vec!["token", "ACCESS_TOKEN", "api-key", "sig", "X-Amz-Signature", "%74oken", "pw"]),
    ) {
        const SECRET: &str = "hunter2";
        let jwt = "eyJhbGciOiJub25lIn0.hunter2.x";
        let held = match place {
            0 => format!("https://h/?{name}={SECRET}"),
            1 => format!("https://h/?a=b&{name}=x{SECRET}"),
            2 => format!("https://h/#{name}={SECRET}"),
            3 => format!("https://h/a;{name}={SECRET}/b"),
            4 => format!("https://me:{SECRET}@h/"),
            5 => format!("https://{SECRET}@h/"),
            6 => format!("me:{SECRET}@h/"),
            7 => format!("https://me:p/{SECRET}@h/"),
            8 => format!("https://h/{jwt}/a"),
            9 => format!("https://h/?a={jwt}"),
            10 => format!("https://h/?{name}=a;{SECRET}"),
            _ => format!("{name}=${SECRET}"),
        };
        let escaped = (0..escapes).fold(held, |text, _| {
            text.bytes().fold(String::new(), |mut out, byte| {
                match byte {
                    b'%' | b':' | b'/' | b'?' | b'=' | b'&' | b'@' | b'#' | b';' => out.push_str(&format!("%{byte:02X}")),
                    _ => out.push(char::from(byte)),
                }
                out
            })
        });
        for text in [format!("{escaped}{end}"), format!("https://h/?next={escaped}{end}"), format!("cannot reach '{escaped}{end}'")] {
            let shown = masked(&text).into_owned();
            prop_assert!(!shown.contains(SECRET), "{} gave {}", text, shown);
            prop_assert_eq!(masked(&shown), shown.as_str());
        }
    }

    #[test]
    fn whatever_it_is_made_of_a_text_can_be_masked(text in "([a-z%:/?=&@#;*é]|%3D|%40|%25|token|eyJ|http:|\\PC){0,40}") {
        prop_assert!(masked(&masked(&text)).len() <= MASK.len() * (text.len() + 1));
        prop_assert!(masked_url(&text).len() <= MASK.len() * (text.len() + 1));
    }
}
