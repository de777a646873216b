use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use xynergy_core::store::NetworkKind;

/// What of an address is compared: an IPv4 address whole, of an IPv6 address the first 64 bits, since hosts change
/// the others by themselves (RFC 8981).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Network {
    /// `None` for what is no address and for one that many networks have at once, which is no evidence of any: private,
    /// shared between a carrier and its customers (RFC 6598), of the host or the link itself, multicast, reserved.
    pub(super) fn of(ip: &str) -> Option<Self> {
        match translated(ip.trim().parse::<IpAddr>().ok()?.to_canonical()) {
            IpAddr::V4(ip) => is_evidence_v4(ip).then(|| Self::V4(ip.octets())),
            IpAddr::V6(ip) => is_evidence_v6(ip).then(|| {
                let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }),
        }
    }

    pub(super) fn kind(&self) -> NetworkKind {
        match self {
            Self::V4(_) => NetworkKind::Ipv4,
            Self::V6(_) => NetworkKind::Ipv6,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

/// The IPv4 address that a translator has put behind its well-known prefix, 64:ff9b::/96 (RFC 6052); any other as it is.
fn translated(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) if v6.to_bits() >> 32 == 0x0064_ff9b << 64 => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        other => other,
    }
}

fn is_evidence_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let this_network = a == 0;
    let multicast_or_reserved = a >= 224;
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || shared
        || this_network
        || multicast_or_reserved)
}

fn is_evidence_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, ..] = ip.segments();
    // Unspecified, loopback, and IPv4 addresses in IPv6's clothes: behind 64 bits that say nothing.
    let says_nothing = [a, b, c, d] == [0; 4];
    // Of the first 64 bits the server's address is all that is in there (RFC 4380).
    let teredo = [a, b] == [0x2001, 0];
    let translators_own = [a, b, c] == [0x64, 0xff9b, 1];
    let discarded = [a, b, c, d] == [0x100, 0, 0, 0];
    let site_local = a & 0xffc0 == 0xfec0;
    !(says_nothing
        || teredo
        || translators_own
        || discarded
        || site_local
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local())
}

/// Addresses that have their first bits in common, in the notation of RFC 4632, as `10.0.0.0/8`; one address is a range of
/// itself.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    first: IpAddr,
    bits: u8,
}

impl AddressRange {
    /// Whether the address is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let shift = |width: u8| u32::from(width.saturating_sub(self.bits));
        match (self.first, ip.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                let differs = first.to_bits() ^ ip.to_bits();
                differs.checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                let differs = first.to_bits() ^ ip.to_bits();
                differs.checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(50).collect();
            format!("{shown:?} is no range of addresses: give one as \"10.0.0.0/8\" or \"2001:db8::/32\"")
        };
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= width).ok_or_else(wrong)?,
            None => width,
        };
        Ok(Self { first, bits })
    }
}

impl TryFrom<String> for AddressRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl JsonSchema for AddressRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AddressRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A range of addresses, as `10.0.0.0/8`.", "type": "string"})
    }
}

/// The address of the person: the peer's, or when that is a declared proxy the last one in `X-Forwarded-For` that is
/// none. Whoever sends a request can write anything into that header; only what a declared proxy appended is believed.
pub fn client_address<'a>(
    peer: &'a str,
    forwarded_for: Option<&'a str>,
    proxies: &[AddressRange],
) -> &'a str {
    let is_proxy = |text: &str| {
        text.trim().parse::<IpAddr>().is_ok_and(|ip| proxies.iter().any(|range| range.contains(ip)))
    };
    let Some(forwarded) = forwarded_for.filter(|_| is_proxy(peer)) else { return peer };
    let mut client = peer;
    for entry in forwarded.rsplit(',') {
        client = without_port(entry.trim());
        if !is_proxy(client) {
            break;
        }
    }
    client
}

/// An entry as `192.0.2.1:443`, `[2001:db8::1]:443` or the address alone.
fn without_port(entry: &str) -> &str {
    if let Some((address, _)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match entry.split_once(':') {
        Some((address, port)) if !port.contains(':') => address,
        _ => entry,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_many_networks_have_are_no_evidence() {
        for ip in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.0",
            "100.127.255.255",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:100.64.0.1",
            // Whose first 64 bits all have in common: IPv4-compatible, translated, Teredo of one server, NAT64 of a site.
            "::203.0.113.9",
            "::ffff:0:203.0.113.9",
            "2001:0:53aa:64c:0:7c4f:34ff:8ef6",
            "64:ff9b:1::cb00:7109",
            "64:ff9b::a00:1",
            "64:ff9b::6440:1",
            "100::1",
            "fec0::1",
            "",
            "unknown",
            "192.0.2.1:80",
            "300.1.1.1",
        ] {
            assert_eq!(Network::of(ip), None, "{ip}");
        }
        for ip in [
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "11.0.0.1",
            "203.0.113.9",
            "8.8.8.8",
        ] {
            assert_eq!(Network::of(ip).map(|n| n.kind()), Some(NetworkKind::Ipv4), "{ip}");
        }
        // Behind a translator everybody has these 64 bits, and the IPv4 address of one's own behind them.
        assert_eq!(Network::of("64:ff9b::cb00:7109"), Network::of("203.0.113.9"));
        assert_ne!(Network::of("64:ff9b::cb00:7109"), Network::of("64:ff9b::cb00:710a"));
        assert_eq!(Network::of("2001:db8:1:2::1"), Network::of("2001:db8:1:2:ffff::9"));
        assert_ne!(Network::of("2001:db8:1:2::1"), Network::of("2001:db8:1:3::1"));
        assert_eq!(Network::of("::ffff:203.0.113.9"), Network::of(" 203.0.113.9 "));
    }

    #[test]
    fn ranges_have_their_bounds() {
        let range: AddressRange = "10.1.2.3/8".parse().unwrap();
        assert!(
            range.contains("10.255.255.255".parse().unwrap()) && !range.contains("11.0.0.0".parse().unwrap())
        );
        assert!(range.contains("::ffff:10.0.0.1".parse().unwrap()));
        let all: AddressRange = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.1.2.3".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        let one: AddressRange = "2001:db8::1".parse().unwrap();
        assert!(
            one.contains("2001:db8::1".parse().unwrap()) && !one.contains("2001:db8::2".parse().unwrap())
        );
        for wrong in ["", "10.0.0.0/33", "x/8", "10.0.0.0/", "2001:db8::/129", "10.0.0.0/-1"] {
            let error = serde_json::from_value::<AddressRange>(wrong.into()).unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }

    #[test]
    fn only_what_a_declared_proxy_appended_is_believed() {
        let proxies: Vec<AddressRange> =
            vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:f::/48".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("203.0.113.9", Some("198.51.100.1"), "203.0.113.9"),
            ("10.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("1.2.3.4, 198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("1.2.3.4, 198.51.100.1, 10.9.9.9"), "198.51.100.1"),
            ("10.0.0.1", Some("198.51.100.1:4711"), "198.51.100.1"),
            ("2001:db8:f::1", Some("[2001:db8:1::7]:443"), "2001:db8:1::7"),
            ("10.0.0.1", Some("2001:db8:1::7"), "2001:db8:1::7"),
            ("10.0.0.1", Some(""), ""),
            ("10.0.0.1", None, "10.0.0.1"),
        ] {
            assert_eq!(client_address(peer, forwarded, &proxies), client, "{peer} {forwarded:?}");
            assert_eq!(client_address(peer, forwarded, &[]), peer, "without a declared proxy");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_none(ip in "\\PC{0,40}", forwarded in "\\PC{0,80}") {
            let _ = Network::of(&ip);
            let _ = ip.parse::<AddressRange>();
            let all: AddressRange = "::/0".parse().unwrap();
            let _ = client_address(&ip, Some(&forwarded), &[all, "0.0.0.0/0".parse().unwrap()]);
        }
    }
}
