//! Where a connection comes from, and who counts as one peer for bounds that hold for each address.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// Where a connection comes from. IPv4 through a dual-stack socket is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerAddress {
    /// An address and a port.
    Port(SocketAddr),
    /// What a proxy says of a client whose port it does not tell.
    Host(IpAddr),
    /// A program on the same machine, by a Unix-domain socket.
    Unix,
}

impl PeerAddress {
    /// Its IP address, if it has one.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Port(address) => Some(address.ip()),
            Self::Host(address) => Some(*address),
            Self::Unix => None,
        }
    }

    /// Who it counts as.
    pub(crate) fn block(&self) -> AddressBlock {
        self.ip().map_or(AddressBlock::Nowhere, AddressBlock::from)
    }
}

impl From<SocketAddr> for PeerAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Port(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl From<IpAddr> for PeerAddress {
    fn from(address: IpAddr) -> Self {
        Self::Host(address.to_canonical())
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(f),
            Self::Host(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// Who counts as one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AddressBlock {
    /// An IPv4 address, or the /64 network of an IPv6 address: what one subscriber has (RFC 6177).
    Network(IpAddr),
    /// All those of whom no address is known: who comes by a Unix-domain socket, or by a proxy that has not said yet
    /// for whom. They are many, so that no bound of a single address holds for them.
    Nowhere,
}

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> AddressBlock {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_block_is_what_one_subscriber_has() {
        assert_eq!(block("2001:db8:1:2::3"), block("2001:db8:1:2:ffff::4"));
        assert_ne!(block("2001:db8:1:2::3"), block("2001:db8:1:3::3"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
        assert_eq!(
            block("192.0.2.1"),
            block("::ffff:192.0.2.1"),
            "the same host, through a dual-stack socket"
        );
    }

    #[test]
    fn who_has_no_address_is_no_network() {
        assert_eq!(PeerAddress::Unix.block(), AddressBlock::Nowhere);
        let dual_stack = "[::ffff:192.0.2.1]:80".parse::<SocketAddr>().unwrap();
        assert_eq!(PeerAddress::from(dual_stack).block(), block("192.0.2.1"));
    }

    #[test]
    fn addresses_are_shown_as_people_know_them() {
        let shown = |address: PeerAddress| address.to_string();
        assert_eq!(shown("[::ffff:192.0.2.1]:80".parse::<SocketAddr>().unwrap().into()), "192.0.2.1:80");
        assert_eq!(shown("::ffff:192.0.2.1".parse::<IpAddr>().unwrap().into()), "192.0.2.1");
        assert_eq!(shown("[2001:db8::1]:80".parse::<SocketAddr>().unwrap().into()), "[2001:db8::1]:80");
        assert_eq!(shown(PeerAddress::Unix), "unix");
    }
}
