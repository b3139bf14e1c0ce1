//! The addresses from which a JWK set may be fetched.
//!
//! Without a check, an attacker who can choose the URL of a JWK set, or the address to which the name in it resolves,
//! could make the hub send requests to services that only the hub's network reaches (server-side request forgery). The
//! ranges of addresses in this module come from the registries of special addresses, [RFC
//! 6890](https://www.rfc-editor.org/rfc/rfc6890).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses to which a connection may be made to fetch a JWK set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// Addresses of the public internet.
    #[default]
    Public,
    /// Addresses of the public internet, of this machine and of private networks. Link-local addresses, where clouds
    /// serve credentials, are never among them.
    Private,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    /// An address of this machine or of a private network.
    Private,
    /// A link-local, multicast, reserved or unused address. No connection may be made to it.
    Never,
}

impl Addresses {
    /// Returns true if a connection to `address` may be made.
    #[must_use]
    pub fn admit(self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Private => self == Self::Private,
            Reach::Never => false,
        }
    }
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) => Reach::Private,
        // These addresses are shared by the customers of an internet provider (carrier-grade NAT), and are also used
        // inside clusters.
        (100, 64..=127, _) => Reach::Private,
        (0, ..) | (169, 254, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) => Reach::Never,
        (198, 51, 100) | (203, 0, 113) | (224.., ..) => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    // An IPv6 address that contains an IPv4 address is treated like that IPv4 address. There are two kinds: IPv4-mapped
    // addresses, and the addresses of NAT64, which begin with `64:ff9b::`.
    if let Some(inner) = address.to_ipv4_mapped() {
        return reach_v4(inner);
    }
    let segments = address.segments();
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = segments {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        return reach_v4(Ipv4Addr::new(a, b, c, d));
    }
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Reach::Private,
        // The four ranges are, in the order of the patterns: protocols such as Teredo, and benchmarks; documentation;
        // 6to4, whose addresses lead to the IPv4 address that they contain; documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_range_from_its_first_to_its_last_address() {
        let cases: &[(Reach, &[&str])] = &[
            (
                Reach::Public,
                &[
                    "1.0.0.0",
                    "9.255.255.255",
                    "11.0.0.0",
                    "100.63.255.255",
                    "100.128.0.0",
                    "126.255.255.255",
                    "128.0.0.0",
                    "169.253.255.255",
                    "169.255.0.0",
                    "172.15.255.255",
                    "172.32.0.0",
                    "192.0.1.0",
                    "192.167.255.255",
                    "192.169.0.0",
                    "198.17.255.255",
                    "198.20.0.0",
                    "223.255.255.255",
                    "2000::",
                    "2001:200::",
                    "2606:4700::1111",
                    "2001:4860:4860::8888",
                    "3fff:1000::",
                    "::ffff:8.8.8.8",
                    "64:ff9b::8.8.8.8",
                ],
            ),
            (
                Reach::Private,
                &[
                    "10.0.0.0",
                    "10.255.255.255",
                    "127.0.0.1",
                    "127.255.255.255",
                    "172.16.0.0",
                    "172.31.255.255",
                    "192.168.0.0",
                    "192.168.255.255",
                    "100.64.0.0",
                    "100.127.255.255",
                    "::1",
                    "fc00::",
                    "fdff:ffff::",
                    "::ffff:127.0.0.1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::10.0.0.1",
                ],
            ),
            (
                Reach::Never,
                &[
                    "0.0.0.0",
                    "0.255.255.255",
                    "169.254.0.0",
                    "169.254.169.254",
                    "169.254.255.255",
                    "192.0.0.1",
                    "192.0.2.1",
                    "192.88.99.1",
                    "198.18.0.0",
                    "198.19.255.255",
                    "198.51.100.1",
                    "203.0.113.1",
                    "224.0.0.1",
                    "239.255.255.255",
                    "240.0.0.0",
                    "255.255.255.255",
                    "::",
                    "::2",
                    "::127.0.0.1",
                    "fe80::1",
                    "febf::1",
                    "fec0::1",
                    "ff02::1",
                    "2001::1",
                    "2001:1ff::1",
                    "2001:db8::1",
                    "2002:7f00:1::",
                    "3fff::1",
                    "100::1",
                    "64:ff9b:1::1",
                    "64:ff9b::169.254.169.254",
                    "::ffff:169.254.169.254",
                    "5f00::1",
                    "4000::",
                ],
            ),
        ];
        for (expected, addresses) in cases {
            for text in *addresses {
                let address = text.parse().unwrap();
                assert_eq!(reach(address), *expected, "{text}");
                assert_eq!(Addresses::Public.admit(address), *expected == Reach::Public, "{text}");
                assert_eq!(Addresses::Private.admit(address), *expected != Reach::Never, "{text}");
            }
        }
    }
}
