//! The header of the PROXY protocol, version 1 and 2: what a proxy that passes bytes on says first, before TLS and
//! HTTP, of the connection that it does so for. Whether there is one is settled by the configuration and the peer's
//! address, never by what the peer sends.
//!
//! The layout is that of "The PROXY protocol", versions 1 and 2, by Willy Tarreau, section 2.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, sink};

use crate::address::PeerAddress;

/// Both versions begin with so many bytes at least, which tell them apart.
const START: usize = 12;
/// What version 2 begins with.
const SIGNATURE: [u8; START] = *b"\r\n\r\n\0\r\nQUIT\n";
/// What follows the signature: version and command, family and transport, and the length of the rest.
const REST_OF_HEAD: usize = 4;
/// The longest addresses that are of use: two of IPv6, and two ports.
const MAX_ADDRESSES: usize = 36;
/// The longest line of version 1, with its end.
const MAX_LINE: usize = 107;

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyHeaderError {
    /// Something else was sent.
    #[error("no PROXY header")]
    Missing,
    /// The header breaks the protocol.
    #[error("malformed PROXY header")]
    Malformed,
    /// The connection ended, or failed.
    #[error("no PROXY header: {0}")]
    Lost(#[from] io::Error),
}

/// Reads the header, and nothing behind it. Returns where the proxied connection comes from; `None` if the proxy
/// connects for itself, or does not know.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<PeerAddress>, ProxyHeaderError> {
    let mut start = [0; START];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        read_binary(stream).await
    } else if start.starts_with(b"PROXY ") {
        read_line(stream, &start).await
    } else {
        Err(ProxyHeaderError::Missing)
    }
}

/// Version 2.
async fn read_binary(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<PeerAddress>, ProxyHeaderError> {
    let mut head = [0; REST_OF_HEAD];
    stream.read_exact(&mut head).await?;
    let [version_and_command, family_and_transport, length @ ..] = head;
    let length = usize::from(u16::from_be_bytes(length));
    let mut addresses = [0; MAX_ADDRESSES];
    let addresses = &mut addresses[..length.min(MAX_ADDRESSES)];
    stream.read_exact(addresses).await?;
    let source = binary_source(version_and_command, family_and_transport, addresses)?;
    // The rest of longer addresses, and extensions: nothing that is needed here.
    let rest = (length - addresses.len()) as u64;
    if tokio::io::copy(&mut stream.take(rest), &mut sink()).await? < rest {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(source)
}

/// The source in a header of version 2.
fn binary_source(
    version_and_command: u8,
    family_and_transport: u8,
    addresses: &[u8],
) -> Result<Option<PeerAddress>, ProxyHeaderError> {
    match version_and_command {
        // The proxy's own connection, to see whether the router is there.
        0x20 => return Ok(None),
        0x21 => {}
        _ => return Err(ProxyHeaderError::Malformed),
    }
    let source = match family_and_transport {
        // Over TCP. The source comes first, and the ports after both addresses.
        0x11 => addresses
            .split_first_chunk::<4>()
            .and_then(|(source, rest)| Some((IpAddr::from(*source), port(rest.get(4..)?)?))),
        0x21 => addresses
            .split_first_chunk::<16>()
            .and_then(|(source, rest)| Some((IpAddr::from(*source), port(rest.get(16..)?)?))),
        // Of an unknown family, UDP, Unix-domain sockets: nothing that has an address for us.
        0x00..=0x02 | 0x10 | 0x12 | 0x20 | 0x22 | 0x30..=0x32 => return Ok(None),
        _ => return Err(ProxyHeaderError::Malformed),
    };
    let (address, port) = source.ok_or(ProxyHeaderError::Malformed)?;
    Ok(Some(SocketAddr::new(address, port).into()))
}

/// The source's port, of the two ports, both of which must be there.
fn port(ports: &[u8]) -> Option<u16> {
    ports.first_chunk::<4>().map(|[high, low, ..]| u16::from_be_bytes([*high, *low]))
}

/// Version 1, byte by byte, as only the end of the line tells where the header ends.
async fn read_line(
    stream: &mut (impl AsyncRead + Unpin),
    start: &[u8],
) -> Result<Option<PeerAddress>, ProxyHeaderError> {
    let mut line = [0; MAX_LINE];
    line[..start.len()].copy_from_slice(start);
    for len in start.len()..MAX_LINE {
        line[len] = stream.read_u8().await?;
        if let Some(line) = line[..=len].strip_suffix(b"\r\n") {
            return line_source(line);
        }
    }
    Err(ProxyHeaderError::Malformed)
}

/// The source in a line of version 1.
fn line_source(line: &[u8]) -> Result<Option<PeerAddress>, ProxyHeaderError> {
    let words = str::from_utf8(line).ok().and_then(|line| line.strip_prefix("PROXY "));
    let mut words = words.ok_or(ProxyHeaderError::Malformed)?.split(' ');
    match words.next() {
        Some("UNKNOWN") => Ok(None),
        family => tcp_source(family, words).map(Some).ok_or(ProxyHeaderError::Malformed),
    }
}

fn tcp_source<'a>(family: Option<&str>, mut words: impl Iterator<Item = &'a str>) -> Option<PeerAddress> {
    let address = |text: &str| match family {
        Some("TCP4") => text.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        Some("TCP6") => text.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        _ => None,
    };
    let (source, _destination) = (address(words.next()?)?, address(words.next()?)?);
    let (port, _destination_port) = (decimal_port(words.next()?)?, decimal_port(words.next()?)?);
    words.next().is_none().then(|| SocketAddr::new(source, port).into())
}

/// A port in digits, without a sign.
fn decimal_port(word: &str) -> Option<u16> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) { word.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    /// Reads from these bytes. Returns what is left, too.
    fn read_from(mut bytes: &[u8]) -> (Result<Option<PeerAddress>, ProxyHeaderError>, &[u8]) {
        let outcome = read(&mut bytes).now_or_never().expect("bytes are there at once");
        (outcome, bytes)
    }

    #[track_caller]
    fn source(header: &[u8]) -> Option<PeerAddress> {
        let bytes = [header, b"GET / HTTP/1.1\r\n"].concat();
        let (outcome, rest) = read_from(&bytes);
        assert_eq!(rest, b"GET / HTTP/1.1\r\n", "what follows is left alone");
        outcome.unwrap()
    }

    fn binary(version_and_command: u8, family_and_transport: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version_and_command, family_and_transport], &length, body].concat()
    }

    fn address(text: &str) -> PeerAddress {
        text.parse::<SocketAddr>().unwrap().into()
    }

    /// Two addresses of IPv4, and two ports.
    const V4: &[u8] = b"\xcb\x00\x71\x07\x0a\x00\x00\x01\xab\xcd\x1a\x7c";

    #[test]
    fn version_2() {
        assert_eq!(source(&binary(0x21, 0x11, V4)), Some(address("203.0.113.7:43981")));
        let v6 = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[7], &[0; 16], &[0xab, 0xcd, 0, 1]].concat();
        assert_eq!(source(&binary(0x21, 0x21, &v6)), Some(address("[2001:db8::7]:43981")));
        let mapped = [&[0; 10][..], &[0xff, 0xff, 203, 0, 113, 7], &[0; 16], &[0xab, 0xcd, 0, 1]].concat();
        assert_eq!(source(&binary(0x21, 0x21, &mapped)), Some(address("203.0.113.7:43981")));
    }

    #[test]
    fn extensions_are_skipped() {
        let mut body = V4.to_vec();
        for length in [0, 1, 300, usize::from(u16::MAX) - V4.len()] {
            body.resize(V4.len() + length, b'x');
            assert_eq!(source(&binary(0x21, 0x11, &body)), Some(address("203.0.113.7:43981")));
        }
        assert_eq!(source(&binary(0x21, 0x31, &[0; 216])), None);
    }

    #[test]
    fn who_connects_for_itself_is_what_it_is() {
        assert_eq!(source(&binary(0x20, 0, &[])), None);
        assert_eq!(source(&binary(0x20, 0x11, V4)), None, "its addresses mean nothing");
        assert_eq!(source(&binary(0x20, 0xff, b"anything")), None);
        assert_eq!(source(&binary(0x21, 0, b"unknown")), None);
        assert_eq!(source(&binary(0x21, 0x12, V4)), None, "UDP");
        assert_eq!(source(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(source(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), None);
    }

    #[test]
    fn version_1() {
        assert_eq!(
            source(b"PROXY TCP4 203.0.113.7 10.0.0.1 43981 6780\r\n"),
            Some(address("203.0.113.7:43981"))
        );
        assert_eq!(
            source(b"PROXY TCP6 2001:db8::7 2001:db8::1 43981 6780\r\n"),
            Some(address("[2001:db8::7]:43981"))
        );
        let long = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let longest = format!("PROXY TCP6 {long} {long} 65535 65535\r\n");
        assert_eq!(longest.len(), 104, "of those with a meaning");
        assert_eq!(source(longest.as_bytes()), Some(address(&format!("[{long}]:65535"))));
    }

    #[test]
    fn what_is_no_header() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0], &[0; 100]] {
            assert!(matches!(read_from(bytes).0, Err(ProxyHeaderError::Missing)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_malformed() {
        for header in [
            // An unknown version, command, family, transport.
            binary(0x11, 0x11, V4),
            binary(0x22, 0x11, V4),
            binary(0x21, 0x41, V4),
            binary(0x21, 0x13, V4),
            // Addresses that are not whole.
            binary(0x21, 0x11, &V4[..11]),
            binary(0x21, 0x11, &[]),
            binary(0x21, 0x21, &[0; 35]),
            b"PROXY TCP4 203.0.113.7 10.0.0.1 43981\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 10.0.0.1 43981 6780 1\r\n".to_vec(),
            b"PROXY TCP4  203.0.113.7 10.0.0.1 43981 6780\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 10.0.0.1 +1 6780\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 10.0.0.1 65536 6780\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::7 2001:db8::1 43981 6780\r\n".to_vec(),
            b"PROXY TCP6 203.0.113.7 10.0.0.1 43981 6780\r\n".to_vec(),
            b"PROXY TCP5 203.0.113.7 10.0.0.1 43981 6780\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7 localhost 43981 6780\r\n".to_vec(),
            b"PROXY \xff\xff\xff\xff\xff\xff\r\n".to_vec(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat(),
        ] {
            let (outcome, _) = read_from(&header);
            let shown = String::from_utf8_lossy(&header);
            assert!(matches!(outcome, Err(ProxyHeaderError::Malformed)), "{shown:?}: {outcome:?}");
        }
    }

    /// As another implementation of the protocol reads it.
    fn by_another(bytes: &[u8]) -> Result<Option<PeerAddress>, ()> {
        use ppp::{HeaderResult, v1, v2};

        Ok(match HeaderResult::parse(bytes) {
            HeaderResult::V1(Ok(header)) => match header.addresses {
                v1::Addresses::Tcp4(tcp) => {
                    Some(SocketAddr::new(tcp.source_address.into(), tcp.source_port).into())
                }
                v1::Addresses::Tcp6(tcp) => {
                    Some(SocketAddr::new(tcp.source_address.into(), tcp.source_port).into())
                }
                v1::Addresses::Unknown => None,
            },
            HeaderResult::V2(Ok(header)) => match (header.command, header.protocol, header.addresses) {
                (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv4(ip)) => {
                    Some(SocketAddr::new(ip.source_address.into(), ip.source_port).into())
                }
                (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv6(ip)) => {
                    Some(SocketAddr::new(ip.source_address.into(), ip.source_port).into())
                }
                _ => None,
            },
            _ => return Err(()),
        })
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_borne(
            start in prop::sample::select(vec![&SIGNATURE[..], b"PROXY ", b"PROXY TCP4 ", b""]),
            bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let bytes = [start, &bytes].concat();
            let _ = read_from(&bytes);
        }

        #[test]
        fn a_header_that_is_cut_off_is_none(
            header in prop_oneof![
                (any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..300))
                    .prop_map(|(command, family, body)| binary(command, family, &body)),
                (any::<Ipv4Addr>(), any::<Ipv4Addr>(), any::<u16>(), any::<u16>())
                    .prop_map(|(a, b, c, d)| format!("PROXY TCP4 {a} {b} {c} {d}\r\n").into_bytes()),
            ],
            cut in any::<prop::sample::Index>(),
        ) {
            let (outcome, _) = read_from(&header[..cut.index(header.len())]);
            prop_assert!(outcome.is_err());
        }

        #[test]
        fn version_2_as_others_read_it(
            command in 0x20..=0x21_u8,
            family in (0..=3_u8, 0..=2_u8).prop_map(|(family, transport)| family << 4 | transport),
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let header = binary(command, family, &body);
            let (outcome, rest) = read_from(&header);
            if let Ok(source) = by_another(&header) {
                prop_assert_eq!(outcome.unwrap(), source);
                prop_assert!(rest.is_empty());
            }
        }

        #[test]
        fn version_1_as_others_read_it(
            addresses in prop_oneof![
                any::<[Ipv4Addr; 2]>().prop_map(|[a, b]| format!("TCP4 {a} {b}")),
                any::<[Ipv6Addr; 2]>().prop_map(|[a, b]| format!("TCP6 {a} {b}")),
            ],
            ports: [u16; 2],
        ) {
            let header = format!("PROXY {addresses} {} {}\r\n", ports[0], ports[1]).into_bytes();
            let source = by_another(&header);
            prop_assert!(source.is_ok());
            prop_assert_eq!(read_from(&header).0.ok(), source.ok());
        }
    }
}
