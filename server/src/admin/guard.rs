//! Who is let in: who shows the key, and where there is none, who is on this machine and no web page.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, FORWARDED, HOST, HeaderName, ORIGIN, VIA},
};

use crate::config::{AllowedOrigins, Host, KeyDigest, SecretKey};

/// Says of a request whether the page that makes it is one of its own site.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What proxies say of where a request comes from.
const PASSED_ON: [HeaderName; 5] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// It shows no key.
    NoKey,
    /// It shows a wrong key.
    WrongKey,
    /// It was sent to another name than those of this machine.
    WrongHost,
    /// It came by a proxy, from wherever.
    Proxied,
    /// There is to be no such port any more.
    Withdrawn,
    /// A page of another site would change something.
    WrongOrigin,
}

/// Looks whether a request shows the key.
pub(super) fn check_key(headers: &HeaderMap, key: &SecretKey) -> Result<(), Denial> {
    let shown = headers.get(AUTHORIZATION).ok_or(Denial::NoKey)?;
    let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
    let (scheme, shown) = shown.ok_or(Denial::WrongKey)?;
    let is_good = scheme.eq_ignore_ascii_case("bearer") && key.matches(KeyDigest::of(shown.trim()));
    is_good.then_some(()).ok_or(Denial::WrongKey)
}

/// Looks whether a request was sent to this machine by a name or an address that nobody else can have.
///
/// A page of any site can make its own name stand for 127.0.0.1, and is then of the same origin as this port; but what
/// its requests are sent to is still that name.
pub(super) fn check_host(headers: &HeaderMap, configured: &Host) -> Result<(), Denial> {
    // What a proxy sends for others, it may send under its own name for this port.
    if PASSED_ON.iter().any(|name| headers.contains_key(name)) {
        return Err(Denial::Proxied);
    }
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return Err(Denial::WrongHost);
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_loopback = name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok_and(|v6| v6.to_canonical().is_loopback()));
    let is_configured = matches!(configured, Host::Name { host, .. } if host.eq_ignore_ascii_case(name));
    (is_loopback || is_configured).then_some(()).ok_or(Denial::WrongHost)
}

/// Looks whether a request that changes something comes from a page of another site. Every browser says so.
pub(super) fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Denial> {
    if *method == Method::GET || *method == Method::HEAD {
        return Ok(());
    }
    let text =
        |name| headers.get(name).map(|value: &hyper::header::HeaderValue| value.to_str().unwrap_or("?"));
    let host = text(HOST);
    let is_own = text(ORIGIN).is_none_or(|origin| AllowedOrigins::default().allows(origin, host))
        && text(SEC_FETCH_SITE).is_none_or(|site| matches!(site, "same-origin" | "none"));
    is_own.then_some(()).ok_or(Denial::WrongOrigin)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(fields: &[(&HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_key_opens_and_nothing_else_does() {
        let key = SecretKey::new("k3y").unwrap();
        let check = |shown| check_key(&headers(&[(&AUTHORIZATION, shown)]), &key);
        assert_eq!(check_key(&headers(&[]), &key), Err(Denial::NoKey));
        for good in ["Bearer k3y", "bearer k3y", "BEARER  k3y"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["k3y", "Bearer", "Bearer ", "Bearer k3", "Bearer k3y2", "Basic k3y", "Bearer k3y k3y"] {
            assert_eq!(check(bad), Err(Denial::WrongKey), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_meant() {
        let loopback = Host::parse("127.0.0.1:6781").unwrap();
        let check = |host, configured: &Host| check_host(&headers(&[(&HOST, host)]), configured).is_ok();
        for good in [
            "127.0.0.1:6781",
            "127.0.0.1",
            "127.9.9.9:1",
            "localhost:6781",
            "LOCALHOST",
            "[::1]:6781",
            "[::1]",
        ] {
            assert!(check(good, &loopback), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:6781",
            "localhost.evil.example:6781",
            "127.0.0.1.evil.example",
            "0.0.0.0:6781",
            "10.0.0.1:6781",
            "[::2]:6781",
            "::1",
            "127.0.0.1:x",
            "localhost:6781@evil.example",
        ] {
            assert!(!check(bad, &loopback), "{bad}");
        }
        let named = Host::Name { host: "ip6-localhost".to_owned(), port: 6781 };
        assert!(check("ip6-localhost:6781", &named) && !check("ip6-localhost:6781", &loopback));
        assert!(check_host(&headers(&[]), &loopback).is_err());
        let twice = headers(&[(&HOST, "localhost"), (&HOST, "evil.example")]);
        assert!(check_host(&twice, &loopback).is_err());
    }

    #[test]
    fn what_a_proxy_passes_on_needs_a_key() {
        let loopback = Host::parse("127.0.0.1:6781").unwrap();
        for name in PASSED_ON {
            let headers = headers(&[(&HOST, "127.0.0.1:6781"), (&name, "203.0.113.7")]);
            assert_eq!(check_host(&headers, &loopback), Err(Denial::Proxied), "{name}");
        }
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        let host = (&HOST, "127.0.0.1:6781");
        let check = |method, more: &[(&HeaderName, &str)]| {
            check_origin(&method, &headers(&[&[host], more].concat())).is_ok()
        };
        assert!(check(Method::POST, &[]), "no browser");
        assert!(check(Method::POST, &[(&ORIGIN, "http://127.0.0.1:6781"), (&SEC_FETCH_SITE, "same-origin")]));
        for origin in ["https://evil.example", "null", "http://127.0.0.1:8080", "http://localhost:6781"] {
            assert!(!check(Method::POST, &[(&ORIGIN, origin)]), "{origin}");
            assert!(check(Method::GET, &[(&ORIGIN, origin)]), "it can't read the answer");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!check(Method::POST, &[(&SEC_FETCH_SITE, site)]), "{site}");
        }
    }
}
