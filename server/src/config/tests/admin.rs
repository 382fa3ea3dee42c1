//! The operators' port.

use super::*;
use crate::test_folder::Folder;

fn admin(fields: &str) -> Option<Admin> {
    good(&with(&format!(r#", "admin": {fields}"#))).admin
}

fn wrong(fields: &str) -> String {
    let problems = problems(&with(&format!(r#", "admin": {fields}"#)));
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.concat()
}

#[test]
fn it_is_off_unless_it_is_set() {
    assert_eq!(good(&with("")).admin, None);
    assert_eq!(admin("null"), None);
}

#[test]
fn an_address_of_this_machine_needs_no_key() {
    for host in ["127.0.0.1:6781", "[::1]:6781", "localhost:6781"] {
        let admin = admin(&format!(r#"{{"host": "{host}"}}"#)).unwrap();
        assert_eq!((admin.host.to_string().as_str(), admin.key), (host, None));
    }
    let host = admin(r#"{"host": "unix:operators.sock"}"#).unwrap().host;
    assert_eq!(host, Host::Unix(PathBuf::from("/etc/multichat/operators.sock")), "beside the file");
}

#[test]
fn any_other_does() {
    for host in [":6781", "0.0.0.0:6781", "10.0.0.1:6781", "[::2]:6781", "chat.example.org:6781"] {
        for (no_key, found) in [("", "it is missing"), (r#", "key": null"#, "found null")] {
            let problem = wrong(&format!(r#"{{"host": "{host}"{no_key}}}"#));
            assert!(problem.starts_with("\"admin.key\" must be set, unless"), "{problem}");
            assert!(problem.ends_with(found), "{problem}");
        }
        let key = admin(&format!(r#"{{"host": "{host}", "key": "k3y-of-operators"}}"#)).unwrap().key.unwrap();
        assert!(key.matches(KeyDigest::of("k3y-of-operators")));
    }
}

#[test]
fn its_key_is_given_like_the_others() {
    let digest = KeyDigest::of("k3y-of-operators").to_hex();
    let folder = Folder::new();
    let file = folder.write("key", "k3y-of-operators\n");
    for key in [
        r#""k3y-of-operators""#.to_owned(),
        format!(r#"{{"sha256": "{digest}"}}"#),
        serde_json::json!({"file": file}).to_string(),
    ] {
        let config = good(&with(&format!(r#", "admin": {{"host": ":1", "key": {key}}}"#)));
        assert!(config.admin.unwrap().key.unwrap().matches(KeyDigest::of("k3y-of-operators")), "{key}");
        let is_file = key.contains("file");
        assert_eq!(config.key_files, if is_file { vec![file.clone()] } else { Vec::new() });
    }
}

#[test]
fn what_can_not_be_used() {
    for (fields, begins) in [
        (r#""127.0.0.1:6781""#, "\"admin\" must be an object"),
        ("{}", "\"admin.host\" must be where to listen"),
        (r#"{"host": "127.0.0.1"}"#, "\"admin.host\" must be where to listen"),
        (r#"{"host": "systemd", "key": "k"}"#, "\"admin.host\" must be where to listen"),
        (r#"{"host": "127.0.0.1:1", "key": ""}"#, "\"admin.key\" must be the key that operators alone show"),
        (r#"{"host": ":1", "key": 7}"#, "\"admin.key\" must be the key that operators alone show"),
        (r#"{"host": ":1", "key": "change-me"}"#, "\"admin.key\" must be the key that operators alone show"),
    ] {
        let problem = wrong(fields);
        assert!(problem.starts_with(begins), "{problem}");
    }
    // No message has a key in it.
    let clients = wrong(r#"{"host": ":1", "key": "k3y"}"#);
    assert!(clients.ends_with(": clients register with it") && !clients.contains("k3y"), "{clients}");
    let problem = wrong(r#"{"host": ":1", "key": {"sha256": "s3cret"}}"#);
    assert!(!problem.contains("s3cret"), "{problem}");
    let hint = warnings(&with(r#", "admin": {"host": "127.0.0.1:1", "secret-key": "k"}"#));
    assert_eq!(hint.len(), 1, "{hint:?}");
}
