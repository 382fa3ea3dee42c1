//! Where the router listens, and who is believed there.

use super::*;

#[test]
fn a_socket_beside_the_file() {
    let config = good(&with(r#", "host": "unix:multichat.sock""#));
    assert_eq!(config.host, Host::Unix(PathBuf::from("/etc/multichat/multichat.sock")));
}

#[test]
fn proxies() {
    let config = good(&with(""));
    assert!(config.trusted_proxies.is_empty() && !config.proxy_protocol);
    let config = good(&with(r#", "trusted-proxies": "unix""#));
    assert!(config.trusted_proxies.trusts(None) && !config.proxy_protocol);
    let config = good(&with(r#", "trusted-proxies": ["127.0.0.1", "10.0.0.0/8"], "proxy-protocol": true"#));
    assert_eq!(config.trusted_proxies.to_string(), "127.0.0.1, 10.0.0.0/8");
    assert!(config.proxy_protocol);
    assert_eq!(
        warnings(&with(r#", "trusted-proxies": ["0.0.0.0/0"]"#)),
        [
            "\"trusted-proxies\" has everybody in it: whoever reaches the port directly can claim any address, \
             and is not bounded by its own"
        ]
    );
}
