//! Which proxies are believed.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};

/// Who is believed when it says where a connection really comes from: the field `trusted-proxies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    unix: bool,
}

/// Why a text is no entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// `"proxy.example.org"`.
    #[error("that is no IP address and no network, such as 10.0.0.0/8; names are not looked up")]
    NoAddress,
    /// `"10.1.2.3/8"`.
    #[error(
        "that is an address within a network; write {0} for the network, or leave the / and what follows out"
    )]
    NotANetwork(IpNet),
}

impl TrustedProxies {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str = "an array of the addresses and networks of your proxies, such as [\"127.0.0.1\", \"10.0.0.0/8\"], or [\"unix\"]";

    /// Adds one entry of the list: an address, a network, or `unix` for all who come by a Unix-domain socket.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] says what is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), ProxyError> {
        if text == "unix" {
            self.unix = true;
            return Ok(());
        }
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => canonical(text.parse().map_err(|_| ProxyError::NoAddress)?),
        };
        if network != network.trunc() {
            return Err(ProxyError::NotANetwork(network.trunc()));
        }
        if !self.networks.contains(&network) {
            self.networks.push(network);
        }
        Ok(())
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Whether all the world is believed.
    pub(super) fn has_everybody(&self) -> bool {
        self.networks.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether a peer is believed: one of this IP address, or, without one, by a Unix-domain socket.
    pub fn trusts(&self, address: Option<IpAddr>) -> bool {
        match address.map(|address| address.to_canonical()) {
            Some(address) => self.networks.iter().any(|network| network.contains(&address)),
            None => self.unix,
        }
    }
}

/// A part of IPv4, written as IPv6, is IPv4: so are the addresses that are compared with it.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_BITS));
    v4.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok()).map_or(network, IpNet::V4)
}

/// The list as in the config file, in normal form.
impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.networks.iter().map(|network| {
            if network.prefix_len() == network.max_prefix_len() {
                network.addr().to_string()
            } else {
                network.to_string()
            }
        });
        let all: Vec<_> = networks.chain(self.unix.then(|| "unix".to_owned())).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn proxies(entries: &[&str]) -> TrustedProxies {
        let mut proxies = TrustedProxies::default();
        for entry in entries {
            proxies.add(entry).unwrap();
        }
        proxies
    }

    fn trusts(proxies: &TrustedProxies, address: &str) -> bool {
        proxies.trusts(Some(address.parse().unwrap()))
    }

    #[test]
    fn who_is_trusted() {
        let proxies = proxies(&["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.0/120"]);
        for trusted in [
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "10.255.0.1",
            "::ffff:10.0.0.1",
            "2001:db8:ffff::1",
            "192.0.2.7",
        ] {
            assert!(trusts(&proxies, trusted), "{trusted}");
        }
        for stranger in ["127.0.0.2", "11.0.0.1", "::1", "2001:db9::1", "192.0.3.1", "::7f00:1"] {
            assert!(!trusts(&proxies, stranger), "{stranger}");
        }
        assert!(!proxies.trusts(None));
    }

    #[test]
    fn nobody_and_unix() {
        let nobody = TrustedProxies::default();
        assert!(nobody.is_empty() && !nobody.trusts(None) && !trusts(&nobody, "127.0.0.1"));
        let unix = proxies(&["unix"]);
        assert!(!unix.is_empty() && unix.trusts(None) && !trusts(&unix, "127.0.0.1"));
    }

    #[test]
    fn the_list_is_shown_in_normal_form() {
        let entries =
            ["unix", "10.0.0.0/8", "127.0.0.1/32", "::1", "::1/128", "::ffff:10.0.0.0/104", "2001:DB8::/32"];
        assert_eq!(proxies(&entries).to_string(), "10.0.0.0/8, 127.0.0.1, ::1, 2001:db8::/32, unix");
    }

    #[test]
    fn what_is_wrong() {
        for text in [
            "",
            "proxy.example.org",
            "127.0.0.1:80",
            "[::1]",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0/8",
            "Unix",
        ] {
            assert_eq!(TrustedProxies::default().add(text), Err(ProxyError::NoAddress), "{text}");
        }
        let meant = "10.0.0.0/8".parse().unwrap();
        assert_eq!(TrustedProxies::default().add("10.1.2.3/8"), Err(ProxyError::NotANetwork(meant)));
    }

    #[test]
    fn everybody() {
        assert!(proxies(&["0.0.0.0/0"]).has_everybody() && proxies(&["::1", "::/0"]).has_everybody());
        assert!(!proxies(&["10.0.0.0/8", "unix"]).has_everybody());
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = TrustedProxies::default().add(&text);
        }

        #[test]
        fn a_single_address_is_trusted_alone(address: IpAddr, other: IpAddr) {
            let proxies = proxies(&[&address.to_string()]);
            prop_assert!(proxies.trusts(Some(address)));
            prop_assert_eq!(proxies.trusts(Some(other)), address.to_canonical() == other.to_canonical());
        }

        #[test]
        fn reads_what_it_prints(address: IpAddr, bits in 0_u8..=128) {
            let network = IpNet::new(address, bits.min(if address.is_ipv4() { 32 } else { 128 })).unwrap().trunc();
            let shown = proxies(&[&network.to_string()]).to_string();
            prop_assert_eq!(proxies(&[&shown]).to_string(), shown);
        }
    }
}
