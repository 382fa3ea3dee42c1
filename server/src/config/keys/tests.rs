use super::*;

fn client(key: &str, rights: Rights) -> Client {
    let secret_key = SecretKey::new(key).unwrap();
    Client { secret_key, grant: Grant { rights, rates: Rates::default(), owns_name: true } }
}

fn keys(shared: Option<&str>, clients: &[(&str, &str)]) -> Option<Keys> {
    let shared = shared.map(|key| SecretKey::new(key).unwrap());
    let clients = clients.iter().map(|(name, key)| ((*name).to_owned(), client(key, Rights::NONE)));
    Keys::new(shared, clients)
}

fn opens(keys: &Keys, name: &str, key: &str) -> bool {
    keys.admit(name, KeyDigest::of(key)).is_some()
}

#[test]
fn a_room_has_a_key() {
    assert!(keys(None, &[]).is_none());
    assert!(keys(Some("k"), &[]).is_some());
    assert!(keys(None, &[("irc", "k")]).is_some());
    assert!(keys(None, &[("web-*", "k")]).is_some());
}

#[test]
fn a_name_with_a_key_of_its_own_takes_no_other() {
    let keys = keys(Some("shared"), &[("irc", "irc's"), ("web-*", "web's")]).unwrap();
    for (name, key) in
        [("mc", "shared"), ("irc", "irc's"), ("web-", "web's"), ("web-alice", "web's"), ("IRC", "shared")]
    {
        assert!(opens(&keys, name, key), "{name}: {key}");
        for wrong in ["shared", "irc's", "web's", ""].iter().filter(|wrong| **wrong != key) {
            assert!(!opens(&keys, name, wrong), "{name}: {wrong}");
        }
    }
}

#[test]
fn a_name_that_looks_like_another_is_opened_by_no_key() {
    let clients = [("irc", "irc's"), ("web-*", "web's"), ("web-mod", "mod's"), ("👩\u{200D}💻", "dev's")];
    let keys = keys(Some("shared"), &clients).unwrap();
    for name in [
        "irc ",
        " irc",
        "\u{A0}irc\u{3000}",
        "irc\u{200B}",
        "i\u{200D}r\u{2060}c",
        "\u{FEFF}irc",
        "ir\u{AD}c",
        "irc \u{200C}",
        "irc\u{FE0F}",
        "\u{3164}irc",
        "irc\u{2800}",
        "irc\u{FFF9}",
        "\u{1D159}irc",
        " web-alice",
        "we\u{200B}b-alice",
        "web-mod\u{200B}",
        "web-mod ",
        "👩💻",
    ] {
        for key in ["shared", "irc's", "web's", "mod's", "dev's"] {
            assert!(!opens(&keys, name, key), "{name:?}: {key}");
        }
    }
    for (name, key) in [
        ("irc", "irc's"),
        ("web-alice", "web's"),
        ("web-al\u{200D}ice", "web's"),
        ("👩\u{200D}💻", "dev's"),
        // Of no other name.
        ("👨\u{200D}👩\u{200D}👧", "shared"),
        ("❤\u{FE0F}", "shared"),
        ("mc ", "shared"),
        ("my irc", "shared"),
        ("\u{200B}", "shared"),
        // Letters of other scripts are told from each other by nobody here.
        ("\u{456}r\u{441}", "shared"),
    ] {
        assert!(opens(&keys, name, key), "{name:?}: {key}");
    }
}

#[test]
fn a_name_in_the_file_is_as_it_is_written() {
    let keys = keys(Some("shared"), &[("irc", "irc's"), ("irc ", "other's")]).unwrap();
    assert!(opens(&keys, "irc", "irc's") && opens(&keys, "irc ", "other's"));
    assert!(!opens(&keys, " irc", "shared"));
}

#[test]
fn without_a_shared_key_others_stay_outside() {
    let keys = keys(None, &[("irc", "k")]).unwrap();
    assert!(opens(&keys, "irc", "k"));
    assert!(!opens(&keys, "mc", "k"));
    assert!(!opens(&keys, "mc", ""));
}

#[test]
fn the_most_particular_entry_counts() {
    let clients = [("*", "any"), ("web-*", "web"), ("web-a?", "two"), ("web-ab", "whole"), ("*-bot", "bot")];
    let keys = keys(None, &clients).unwrap();
    for (name, key) in [
        ("irc", "any"),
        ("web-x", "web"),
        ("web-abc", "web"),
        ("web-ax", "two"),
        ("web-ab", "whole"),
        ("my-bot", "bot"),
        // Four characters each: by the alphabet.
        ("web-bot", "bot"),
    ] {
        let opening: Vec<_> =
            ["any", "web", "two", "whole", "bot"].into_iter().filter(|k| opens(&keys, name, k)).collect();
        assert_eq!(opening, [key], "{name}");
    }
    let order: Vec<_> = keys.clients().map(|(name, _)| name).collect();
    assert_eq!(order, ["web-ab", "web-a?", "*-bot", "web-*", "*"]);
}

#[test]
fn the_shared_key_gives_what_it_always_gave() {
    let keys = Keys::shared(SecretKey::new("k").unwrap());
    let grant = keys.admit("anyone", KeyDigest::of("k")).unwrap();
    assert_eq!(grant.rights, Rights { read: true, write: true, moderate: false });
    assert!(grant.rates.are_off() && !grant.owns_name);
}

#[test]
fn rights_are_shown_as_they_are_written() {
    assert_eq!(Rights::DEFAULT.to_string(), "read, write");
    assert_eq!(Rights { read: false, write: true, moderate: true }.to_string(), "write, moderate");
    assert_eq!(Rights::NONE.to_string(), "");
}
