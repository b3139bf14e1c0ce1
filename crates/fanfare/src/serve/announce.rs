//! The lines that `serve` prints when it is ready: the address of the hub, and commands to try next.
use crate::config::{ServeSettings, Storage};
use fanfare_mask::masked_url;
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path,
};

/// The lines that are printed on standard output once the hub listens on `address`.
pub(super) struct Announcement<'a> {
    /// The settings of the hub.
    pub settings: &'a ServeSettings,
    /// The address on which the hub listens, with its real port.
    pub address: SocketAddr,
}

impl Announcement<'_> {
    /// Returns the URL by which a program on this machine reaches the hub.
    fn url(&self) -> String {
        let ip = match self.address.ip() {
            // The unspecified address (0.0.0.0 or ::) means every address of the machine. Nobody can connect to it, so
            // the loopback address takes its place.
            ip if !ip.is_unspecified() => ip,
            ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
            _ => Ipv6Addr::LOCALHOST.into(),
        };
        format!("{}://{}", self.settings.scheme(), SocketAddr::new(ip, self.address.port()))
    }
}

impl Announcement<'_> {
    /// Writes the first line: the address on which the hub listens, and then the URL to open.
    fn place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, url) = (self.address, self.url());
        let every = match address.ip() {
            ip if !ip.is_unspecified() => return writeln!(f, "Fanfare listens on {url}"),
            ip if ip.is_ipv4() => "every IPv4 address",
            _ => "every address",
        };
        writeln!(f, "Fanfare listens on {address}, {every} of this machine; from here, open {url}")
    }
}

impl fmt::Display for Announcement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settings, url) = (self.settings, self.url());
        self.place(f)?;
        if let Some(public) = settings.public_url() {
            writeln!(f, "for clients       {}", masked_url(public.as_str()))?;
        }
        writeln!(f)?;
        match settings.storage() {
            Storage::Memory => writeln!(f, "  data       in memory: it is lost when this process ends")?,
            Storage::Disk(data) => writeln!(f, "  data       {}", path::absolute(&data).unwrap_or(data).display())?,
        }
        let token = if settings.is_open() {
            writeln!(f, "  access     open: everybody who can reach this address may publish and subscribe")?;
            let proxies = if settings.open_behind_proxy {
                "requests through a proxy are answered too (open-behind-proxy); a key (FANFARE_KEY) is safer"
            } else {
                "requests through a proxy are refused: to allow them, give a key (FANFARE_KEY), or open-behind-proxy"
            };
            writeln!(f, "             {proxies}")?;
            ""
        } else {
            writeln!(f, "  access     with tokens; `fanfare token --publish '*' --subscribe '*'` makes one")?;
            " -H \"Authorization: Bearer $FANFARE_TOKEN\""
        };
        for alias in settings.aliases() {
            writeln!(f, "  stream     {url}{} ({})", alias.path(), alias.topics().join(", "))?;
        }
        for relay in settings.relays() {
            let topics: Vec<_> = relay.topics().iter().map(ToString::to_string).collect();
            writeln!(f, "  relay      {} ({})", relay.shown_url(), topics.join(", "))?;
        }
        writeln!(f, "\n  publish    curl{token} -d 'hello' {url}/topics/greetings")?;
        writeln!(f, "  subscribe  curl{token} -N {url}/topics/greetings")
    }
}
