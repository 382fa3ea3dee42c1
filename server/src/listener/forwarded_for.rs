//! `X-Forwarded-For`: the client of a request that came through proxies.
//!
//! Each proxy on the way adds at the end whom it had the request from. The beginning is whatever the client chose to
//! send. So the list is read from its end, and only as far as those who wrote it are trusted.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HeaderMap, HeaderName};

use crate::{address::PeerAddress, config::TrustedProxies};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from that `sender` sent: the last address of which somebody trusted tells, as far as there is
/// one that can be read.
pub(super) fn client(headers: &HeaderMap, sender: PeerAddress, proxies: &TrustedProxies) -> PeerAddress {
    let mut client = sender;
    // Several fields are one list, in their order (RFC 9110, section 5.3).
    let fields = headers.get_all(X_FORWARDED_FOR).iter().rev();
    for entry in fields.flat_map(|field| field.as_bytes().rsplit(|byte| *byte == b',')) {
        if !proxies.trusts(client.ip()) {
            break;
        }
        // "unknown", a made-up name, nothing at all: whoever is meant, all before it is hearsay.
        let Some(before) = parse(entry) else { break };
        client = before;
    }
    client
}

/// An entry: an IP address, with a port or without; IPv6 in brackets or without.
fn parse(entry: &[u8]) -> Option<PeerAddress> {
    let text = str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare {
        return bare.parse().ok().map(|address| PeerAddress::from(IpAddr::V6(address)));
    }
    let address = text.parse::<IpAddr>().map(PeerAddress::from);
    address.or_else(|_| text.parse::<SocketAddr>().map(PeerAddress::from)).ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// The proxies are those of two networks, and of Unix-domain sockets.
    fn proxies() -> TrustedProxies {
        let mut proxies = TrustedProxies::default();
        for entry in ["10.0.0.0/8", "2001:db8::/32", "unix"] {
            proxies.add(entry).unwrap();
        }
        proxies
    }

    fn address(text: &str) -> PeerAddress {
        parse(text.as_bytes()).unwrap()
    }

    fn headers(fields: &[impl AsRef<[u8]>]) -> HeaderMap {
        let fields = fields.iter().map(|field| HeaderValue::from_bytes(field.as_ref()).unwrap());
        fields.map(|field| (X_FORWARDED_FOR, field)).collect()
    }

    #[track_caller]
    fn check(sender: &str, fields: &[&str], expected: &str) {
        let sender = if sender == "unix" { PeerAddress::Unix } else { address(sender) };
        let client = client(&headers(fields), sender, &proxies());
        assert_eq!(client.to_string(), expected, "{fields:?}");
    }

    #[test]
    fn who_is_not_trusted_is_not_believed() {
        check("192.0.2.1:5000", &["10.0.0.1"], "192.0.2.1:5000");
        check("192.0.2.1:5000", &["203.0.113.7"], "192.0.2.1:5000");
    }

    #[test]
    fn a_proxy_tells_of_its_client() {
        check("10.0.0.1:5000", &["203.0.113.7"], "203.0.113.7");
        check("unix", &["203.0.113.7"], "203.0.113.7");
        check("10.0.0.1:5000", &[], "10.0.0.1:5000");
        check("unix", &[], "unix");
    }

    #[test]
    fn what_the_client_says_itself_is_not_believed() {
        check("10.0.0.1:5000", &["198.51.100.1, 203.0.113.7"], "203.0.113.7");
        check("10.0.0.1:5000", &["10.0.0.9,203.0.113.7"], "203.0.113.7");
        check("10.0.0.1:5000", &["198.51.100.1", "203.0.113.7"], "203.0.113.7");
        check("10.0.0.1:5000", &["198.51.100.1, 10.0.0.3", "203.0.113.7, 10.0.0.2"], "203.0.113.7");
    }

    #[test]
    fn proxies_behind_proxies_are_skipped() {
        check("10.0.0.1:5000", &["198.51.100.1, 203.0.113.7,10.0.0.3 , 2001:db8::2"], "203.0.113.7");
        check("10.0.0.1:5000", &["203.0.113.7", "10.0.0.3", "10.0.0.2"], "203.0.113.7");
        // A client from within.
        check("10.0.0.1:5000", &["10.0.0.7, 10.0.0.2"], "10.0.0.7");
    }

    #[test]
    fn before_what_cannot_be_read_all_is_hearsay() {
        for garbage in [
            "unknown",
            "_hidden",
            "",
            " ",
            "-",
            "proxy.example.org",
            "203.0.113",
            "203.0.113.7:http",
            "203.0.113.7:",
            "\"203.0.113.7\"",
            "for=203.0.113.7",
            "[203.0.113.7]",
            "[::1",
            "::1]",
            "fe80::1%eth0",
            "203.0.113.7 198.51.100.1",
            "203.0.113.0/24",
            "1e3",
            "0x7f.1",
            "010.0.0.1",
        ] {
            check("10.0.0.1:5000", &[&format!("198.51.100.1, {garbage}")], "10.0.0.1:5000");
            check("10.0.0.1:5000", &["198.51.100.1", garbage, "10.0.0.2"], "10.0.0.2");
        }
        let bytes = client(&headers(&[b"198.51.100.1, \xff"]), PeerAddress::Unix, &proxies());
        assert_eq!(bytes, PeerAddress::Unix);
    }

    #[test]
    fn ports_and_brackets() {
        check("10.0.0.1:5000", &["203.0.113.7:1234"], "203.0.113.7:1234");
        check("10.0.0.1:5000", &["2001:db9::7"], "2001:db9::7");
        check("10.0.0.1:5000", &["[2001:db9::7]"], "2001:db9::7");
        check("10.0.0.1:5000", &["[2001:db9::7]:1234"], "[2001:db9::7]:1234");
        check("10.0.0.1:5000", &["::ffff:203.0.113.7"], "203.0.113.7");
        check("10.0.0.1:5000", &["203.0.113.7, ::ffff:10.0.0.3"], "203.0.113.7");
        check("10.0.0.1:5000", &["203.0.113.7, 10.0.0.3:80"], "203.0.113.7");
    }

    fn any_field() -> impl Strategy<Value = Vec<u8>> {
        // All that a header's value may hold, and often something like an address.
        let byte = prop_oneof![b'\t'..=b'\t', b' '..=b'~', 0x80..=0xff_u8];
        let entry = prop_oneof![
            "[0-9a-f.:\\[\\] ,]{0,20}".prop_map(String::into_bytes),
            any::<IpAddr>().prop_map(|address| address.to_string().into_bytes()),
            any::<SocketAddr>().prop_map(|address| address.to_string().into_bytes()),
            prop::collection::vec(byte, 0..20),
        ];
        prop::collection::vec(entry, 0..5).prop_map(|entries| entries.join(&b','))
    }

    proptest! {
        #[test]
        fn a_stranger_is_never_believed(fields in prop::collection::vec(any_field(), 0..4), sender: SocketAddr) {
            let sender = PeerAddress::from(sender);
            prop_assume!(!proxies().trusts(sender.ip()));
            prop_assert_eq!(client(&headers(&fields), sender, &proxies()), sender);
        }

        #[test]
        fn what_stands_before_the_client_changes_nothing(
            fields in prop::collection::vec(any_field(), 0..4), real: IpAddr,
        ) {
            prop_assume!(!proxies().trusts(Some(real)));
            let told = format!("{real}, 10.0.0.2");
            let mut appended = fields.clone();
            match appended.last_mut() {
                Some(last) => last.extend(format!(", {told}").bytes()),
                None => appended.push(told.clone().into_bytes()),
            }
            let added = [fields, vec![told.into_bytes()]].concat();
            for fields in [appended, added] {
                prop_assert_eq!(client(&headers(&fields), PeerAddress::Unix, &proxies()), PeerAddress::from(real));
            }
        }
    }
}
