//! The address to listen on, in the forms that people write.
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// The port that a message proposes if an address has no port.
const USUAL_PORT: u16 = 3000;

/// An IP address and a port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub SocketAddr);

/// The error for a text that is not an address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidListenAddress {
    /// The reason why the text is not an address, if it is known.
    reason: Option<&'static str>,
    /// The address that was probably meant.
    meant: Option<String>,
}

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    /// Parses `127.0.0.1:3000` or `[::1]:3000`. `:3000` and `*:3000` mean every IPv4 address; `localhost:3000` and
    /// `3000` mean a loopback address, to which only this machine can connect.
    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("localhost", text));
        let ip = match host {
            "" | "*" => Some(Ipv4Addr::UNSPECIFIED),
            _ if host.eq_ignore_ascii_case("localhost") => Some(Ipv4Addr::LOCALHOST),
            _ => None,
        };
        match (ip, port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse()).transpose()) {
            (Some(ip), Ok(Some(port))) => Ok(Self(SocketAddr::from((ip, port)))),
            _ => Err(explain(text)),
        }
    }
}

fn explain(text: &str) -> InvalidListenAddress {
    let because = |reason, meant: Option<String>| InvalidListenAddress { reason: Some(reason), meant };
    if let Some((_, rest)) = text.split_once("://") {
        let address = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let meant = address.parse::<ListenAddress>().ok().map(|_| address.to_owned());
        return because("this is a URL, not an address", meant);
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return because("it has no port", Some(SocketAddr::new(ip, USUAL_PORT).to_string()));
    }
    if text.eq_ignore_ascii_case("localhost") {
        return because("it has no port", Some(format!("localhost:{USUAL_PORT}")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return InvalidListenAddress { reason: None, meant: None };
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err() {
        return because("the port is a number from 0 to 65535", None);
    }
    if host.parse::<IpAddr>().is_ok() {
        return because("an IPv6 address must be in brackets", Some(format!("[{host}]:{port}")));
    }
    because("the host must be an IP address of this machine, or localhost", Some(format!(":{port}")))
}

impl fmt::Display for InvalidListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "invalid socket address: expected an IP address and a port, such as 127.0.0.1:3000 or [::1]:3000, or :3000 for \
             every IPv4 address",
        )?;
        if let Some(reason) = self.reason {
            write!(f, "; {reason}")?;
        }
        match &self.meant {
            Some(meant) => write!(f, ": did you mean {meant}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidListenAddress {}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

/// The visitor that reads an address from a configuration file, where a port alone may also be a number.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = ListenAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an IP address and a port in quotation marks")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ListenAddress, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<ListenAddress, E> {
        self.visit_str(&port.to_string())
    }

    fn visit_u64<E: de::Error>(self, port: u64) -> Result<ListenAddress, E> {
        self.visit_str(&port.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_people_write_them() {
        let cases = [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("[::1]:3000", "[::1]:3000"),
            ("[::]:0", "[::]:0"),
            (":3000", "0.0.0.0:3000"),
            ("*:80", "0.0.0.0:80"),
            ("localhost:3000", "127.0.0.1:3000"),
            ("LocalHost:0", "127.0.0.1:0"),
            ("3000", "127.0.0.1:3000"),
            (" :3000 ", "0.0.0.0:3000"),
        ];
        for (text, address) in cases {
            assert_eq!(text.parse(), Ok(ListenAddress(address.parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_explained() {
        let cases = [
            ("", None),
            ("x", None),
            (":", None),
            (":+80", None),
            (":65536", None),
            ("-1", None),
            ("127.0.0.1", Some("127.0.0.1:3000")),
            ("::1", Some("[::1]:3000")),
            ("[::1]", Some("[::1]:3000")),
            ("fe80::1:3000", Some("[fe80::1:3000]:3000")),
            ("2001:db8::1:2:3:4:5:3000", Some("[2001:db8::1:2:3:4:5]:3000")),
            ("localhost", Some("localhost:3000")),
            ("http://127.0.0.1:3000/", Some("127.0.0.1:3000")),
            ("hub.example.com:3000", Some(":3000")),
            ("127.0.0.1:http", None),
        ];
        for (text, meant) in cases {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert_eq!(error.meant.as_deref(), meant, "{text}: {error}");
        }
    }
}
