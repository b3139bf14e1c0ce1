//! Tests that expansions match their template: the examples of the RFC, and random templates with random values.
use super::{
    super::{MAX_COMPILED_BYTES, Topic},
    InvalidUriTemplate, UriTemplate,
    expression::{Modifier, Style},
    syntax::{self, Part},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn matches(template: &str, topic: &str) -> bool {
    UriTemplate::compile(template).expect(template).matches(&Topic::new(topic).expect(topic))
}

/// RFC 6570, sections 1.2, 3.2.2 to 3.2.9 and their variables (section 3.2), empty expansions left out: no topic is
/// empty.
#[test]
fn the_examples_of_the_rfc_match() {
    #[rustfmt::skip]
    let examples: &[(&str, &[&str])] = &[
        // 3.2.1, 3.2.2: simple
        ("{count}", &["one,two,three"]), ("{count*}", &["one,two,three"]), ("{/count}", &["/one,two,three"]),
        ("{/count*}", &["/one/two/three"]), ("{;count}", &[";count=one,two,three"]),
        ("{;count*}", &[";count=one;count=two;count=three"]), ("{?count}", &["?count=one,two,three"]),
        ("{?count*}", &["?count=one&count=two&count=three"]), ("{&count*}", &["&count=one&count=two&count=three"]),
        ("{var}", &["value"]), ("{hello}", &["Hello%20World%21"]), ("{half}", &["50%25"]), ("O{empty}X", &["OX"]),
        ("O{undef}X", &["OX"]), ("{x,y}", &["1024,768"]), ("{x,hello,y}", &["1024,Hello%20World%21,768"]),
        ("?{x,empty}", &["?1024,"]), ("?{x,undef}", &["?1024"]), ("?{undef,y}", &["?768"]), ("{var:3}", &["val"]),
        ("{var:30}", &["value"]), ("{list}", &["red,green,blue"]), ("{list*}", &["red,green,blue"]),
        ("{keys}", &["semi,%3B,dot,.,comma,%2C"]), ("{keys*}", &["semi=%3B,dot=.,comma=%2C"]),
        // 3.2.3: reserved
        ("{+var}", &["value"]), ("{+hello}", &["Hello%20World!"]), ("{+half}", &["50%25"]),
        ("{base}index", &["http%3A%2F%2Fexample.com%2Fhome%2Findex"]), ("{+base}index", &["http://example.com/home/index"]),
        ("O{+empty}X", &["OX"]), ("{+path}/here", &["/foo/bar/here"]), ("here?ref={+path}", &["here?ref=/foo/bar"]),
        ("up{+path}{var}/here", &["up/foo/barvalue/here"]), ("{+x,hello,y}", &["1024,Hello%20World!,768"]),
        ("{+path,x}/here", &["/foo/bar,1024/here"]), ("{+path:6}/here", &["/foo/b/here"]),
        ("{+list}", &["red,green,blue"]), ("{+list*}", &["red,green,blue"]), ("{+keys}", &["semi,;,dot,.,comma,,"]),
        ("{+keys*}", &["semi=;,dot=.,comma=,"]),
        // 3.2.4: fragment
        ("{#var}", &["#value"]), ("{#hello}", &["#Hello%20World!"]), ("{#half}", &["#50%25"]), ("foo{#empty}", &["foo#"]),
        ("foo{#undef}", &["foo"]), ("{#x,hello,y}", &["#1024,Hello%20World!,768"]), ("{#path,x}/here", &["#/foo/bar,1024/here"]),
        ("{#path:6}/here", &["#/foo/b/here"]), ("{#list}", &["#red,green,blue"]), ("{#keys*}", &["#semi=;,dot=.,comma=,"]),
        // 3.2.5: label
        ("{.who}", &[".fred"]), ("{.who,who}", &[".fred.fred"]), ("{.half,who}", &[".50%25.fred"]),
        ("www{.dom*}", &["www.example.com"]), ("X{.var}", &["X.value"]), ("X{.empty}", &["X."]), ("X{.undef}", &["X"]),
        ("X{.var:3}", &["X.val"]), ("X{.list}", &["X.red,green,blue"]), ("X{.list*}", &["X.red.green.blue"]),
        ("X{.keys}", &["X.semi,%3B,dot,.,comma,%2C"]), ("X{.keys*}", &["X.semi=%3B.dot=..comma=%2C"]), ("X{.empty_keys*}", &["X"]),
        // 3.2.6: path
        ("{/who}", &["/fred"]), ("{/half,who}", &["/50%25/fred"]), ("{/who,dub}", &["/fred/me%2Ftoo"]),
        ("{/var,empty}", &["/value/"]), ("{/var,undef}", &["/value"]), ("{/var,x}/here", &["/value/1024/here"]),
        ("{/var:1,var}", &["/v/value"]), ("{/list}", &["/red,green,blue"]), ("{/list*}", &["/red/green/blue"]),
        ("{/list*,path:4}", &["/red/green/blue/%2Ffoo"]), ("{/keys}", &["/semi,%3B,dot,.,comma,%2C"]),
        ("{/keys*}", &["/semi=%3B/dot=./comma=%2C"]),
        // 3.2.7: path parameters
        ("{;who}", &[";who=fred"]), ("{;half}", &[";half=50%25"]), ("{;empty}", &[";empty"]),
        ("{;v,empty,who}", &[";v=6;empty;who=fred"]), ("{;v,bar,who}", &[";v=6;who=fred"]), ("{;x,y}", &[";x=1024;y=768"]),
        ("{;x,y,undef}", &[";x=1024;y=768"]), ("{;hello:5}", &[";hello=Hello"]), ("{;list}", &[";list=red,green,blue"]),
        ("{;list*}", &[";list=red;list=green;list=blue"]), ("{;keys}", &[";keys=semi,%3B,dot,.,comma,%2C"]),
        ("{;keys*}", &[";semi=%3B;dot=.;comma=%2C"]),
        // 3.2.8: query
        ("{?who}", &["?who=fred"]), ("{?half}", &["?half=50%25"]), ("{?x,y}", &["?x=1024&y=768"]),
        ("{?x,y,undef}", &["?x=1024&y=768"]), ("{?x,y,empty}", &["?x=1024&y=768&empty="]), ("{?var:3}", &["?var=val"]),
        ("{?list}", &["?list=red,green,blue"]), ("{?list*}", &["?list=red&list=green&list=blue"]),
        ("{?keys}", &["?keys=semi,%3B,dot,.,comma,%2C"]), ("{?keys*}", &["?semi=%3B&dot=.&comma=%2C"]),
        // 3.2.9: query continuation
        ("{&who}", &["&who=fred"]), ("?fixed=yes{&x}", &["?fixed=yes&x=1024"]), ("{&x,y,empty}", &["&x=1024&y=768&empty="]),
        ("{&var:3}", &["&var=val"]), ("{&list*}", &["&list=red&list=green&list=blue"]), ("{&keys*}", &["&semi=%3B&dot=.&comma=%2C"]),
        // 2.4.2 and 3.2.1: a prefix counts characters, even if each takes several triplets
        ("{x:1}", &["%C3%BC", "%E2%82%AC", "%F0%9F%98%80", "%21"]),
        // 3.1: literals outside ASCII are encoded; topics need not be
        ("/café/{x}", &["/caf%C3%A9/1", "/café/1"]),
        ("~{x}'!$&()*+,;=:@[]", &["~'!$&()*+,;=:@[]"]), ("%41{x}", &["%411"]),
    ];
    for (template, expansions) in examples {
        for expansion in *expansions {
            assert!(matches(template, expansion), "{template} expands to {expansion}");
        }
    }
}

#[test]
fn what_no_values_expand_to_does_not_match() {
    #[rustfmt::skip]
    let cases: &[(&str, &[&str])] = &[
        ("https://example.com/books/{id}", &["https://example.com/books/1/2", "https://example.com/books", "https://example.com/books/1?q",
            "http://example.com/books/1", "https://example.com/books/1 2", "https://example.com/books/é", "xhttps://example.com/books/1"]),
        ("a.b{x}", &["aXb1", "A.b1"]), ("{x}", &["a=b", "a;b", "%", "%4", "%4g"]), ("{x*}", &["a=b=c", "a;b"]),
        ("{x,y}b", &["a"]), ("a{+x}", &["b", "a b", "aé", "a%", "a\"", "a<", "a|"]), ("a{#x}", &["ab", "#"]),
        ("a{.x}", &["ab", "a/b"]), ("a{/x}", &["ab", "a/b/c", "a/b?c"]), ("{/x*}/z", &["/a/b/c", "a/z"]),
        ("a{;x}", &["a;y=1", "a;x=1;x=2", "a;xy", "a;X=1", "ax=1"]), ("a{?x}", &["a?x", "a?y=1", "a?x=1&x=2", "a?x=1&y=2", "a&x=1", "a?"]),
        ("a{?x,y}", &["a?y=1&x=2", "a?x=1&", "a?x=1y=2", "a?&y=1", "a?x=1&y=2&z=3", "a&x=1&y=2"]), ("a{&x}", &["a?x=1"]),
        ("{?x*}", &["?x", "?x=1&y"]), ("{x:3}", &["abcd", "%C3%BC%C3%BC%C3%BC%C3%BC"]), ("{?x:2}", &["?x=abc"]),
        ("%41{x}", &["A1", "%411/"]), ("a{x}", &["a\u{2028}"]),
    ];
    for (template, others) in cases {
        for other in *others {
            assert!(!matches(template, other), "{template} does not expand to {other}");
        }
    }
}

#[test]
fn complexity_is_limited() {
    let too_complex = Err(InvalidUriTemplate::TooComplex { limit: MAX_COMPILED_BYTES });
    let variables = |count: usize| format!("{{?{}}}", vec!["x"; count].join(","));
    assert!(UriTemplate::compile(&variables(16)).is_ok());
    assert!(UriTemplate::compile("https://example.com/{?a,b,c,d,e,f,g,h,i,j,k,l}").is_ok());
    assert!(UriTemplate::compile("{x:40}").is_ok());
    assert!(UriTemplate::compile(&"/{x}".repeat(100)).is_ok());
    for hostile in [variables(40), variables(2_000), "{x:9999}".into(), "{x}".repeat(1_365), "é{x}".repeat(800)] {
        assert_eq!(UriTemplate::compile(&hostile).map(|_| ()), too_complex, "{hostile}");
    }
}

/// The value of a variable, as RFC 6570, section 2.3 defines it.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

/// Percent-encodes the characters that `style` does not allow (RFC 6570, section 3.2.1).
fn encode(text: &str, style: Style) -> String {
    let keep = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || style.reserved && b":/?#[]@!$&'()*+,;=".contains(byte)
    };
    text.bytes().map(|byte| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Expands one variable (RFC 6570, section 3.2.1 and appendix A); `None` if its value is undefined.
fn expand_variable(name: &str, modifier: Modifier, value: &Value, style: Style) -> Option<String> {
    let named = |name: &str, value: String| match (style.named, value.is_empty()) {
        (false, _) => value,
        (true, true) => format!("{name}{}", style.if_empty),
        (true, false) => format!("{name}={value}"),
    };
    let encoded = |text: &String| encode(text, style);
    match (value, modifier) {
        (Value::Text(text), Modifier::Prefix(length)) => {
            Some(named(name, encode(&text.chars().take(length.into()).collect::<String>(), style)))
        }
        (Value::Text(text), _) => Some(named(name, encoded(text))),
        // Section 2.4.1: prefixes are not applicable to lists and maps.
        (_, Modifier::Prefix(_)) => None,
        (Value::List(list), _) if list.is_empty() => None,
        (Value::Map(map), _) if map.is_empty() => None,
        (Value::List(list), Modifier::Explode) => {
            let members: Vec<_> = list.iter().map(|member| named(name, encoded(member))).collect();
            Some(members.join(style.separator))
        }
        (Value::Map(map), Modifier::Explode) => {
            let pair = |(key, value): &(String, String)| match style.named {
                true => named(&encoded(key), encoded(value)),
                false => format!("{}={}", encoded(key), encoded(value)),
            };
            Some(map.iter().map(pair).collect::<Vec<_>>().join(style.separator))
        }
        (Value::List(list), _) => Some(named(name, list.iter().map(encoded).collect::<Vec<_>>().join(","))),
        (Value::Map(map), _) => {
            let flat: Vec<_> = map.iter().flat_map(|(key, value)| [encoded(key), encoded(value)]).collect();
            Some(named(name, flat.join(",")))
        }
    }
}

/// Returns the expansion of `template` (RFC 6570, section 3).
fn expand(template: &str, values: &BTreeMap<String, Value>) -> String {
    let mut expansion = String::new();
    for part in syntax::parse(template).expect("the strategy writes templates") {
        match part {
            Part::Literal(text) => expansion.push_str(text),
            Part::Expression(expression) => {
                let style = expression.operator.style();
                let defined: Vec<_> = expression
                    .variables
                    .iter()
                    .filter_map(|variable| {
                        expand_variable(variable.name, variable.modifier, values.get(variable.name)?, style)
                    })
                    .collect();
                if !defined.is_empty() {
                    expansion += style.first;
                    expansion += &defined.join(style.separator);
                }
            }
        }
    }
    expansion
}

fn template() -> impl Strategy<Value = String> {
    let expression = "\\{[+#./;?&]?[xyz](\\*|:[1-4])?(,[xyz](\\*|:[1-4])?){0,2}\\}";
    let literal = "[a-z/.%?é]{0,4}".prop_filter("percent signs begin triplets", |text| !text.contains('%'));
    proptest::collection::vec(prop_oneof![literal.boxed(), expression.boxed()], 1..5)
        .prop_map(|parts| format!("t{}", parts.concat()))
}

fn values() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let text = || "[ -~é€😀]{0,5}";
    let value = prop_oneof![
        text().prop_map(Value::Text),
        proptest::collection::vec(text(), 0..3).prop_map(Value::List),
        proptest::collection::vec((text(), text()), 0..3).prop_map(Value::Map),
    ];
    proptest::collection::btree_map("[xyz]", value, 0..3)
}

proptest! {
    #[test]
    fn a_template_matches_its_own_expansions(template in template(), values in values()) {
        let expansion = expand(&template, &values);
        match UriTemplate::compile(&template) {
            Ok(compiled) => {
                let matches = compiled.matches(&Topic::new(&expansion).unwrap());
                prop_assert!(matches, "{} expands to {}", template, expansion);
            }
            // A template may be too complex if many states must be followed at once. Examples are a count after text in
            // which it might itself have begun (`{+x*,y:3}`), a letter with two spellings after values that may contain
            // it (`{x,x*}éb{x*}`), or several lists that may contain their separator (`{x,x*}a{.x,x*}`).
            Err(error) => {
                let may_be_complex = template.contains(':') || !template.is_ascii() || template.matches('*').count() > 1;
                prop_assert!(error != InvalidUriTemplate::Syntax && may_be_complex, "{}", template);
            }
        }
    }
}
