//! What a client may be called.

use std::collections::HashMap;

use multichat::protocol::limits::CLIENT_NAME_BYTES;
use multichat::protocol::{ClientName, NameError};

#[test]
fn every_character() {
    let forbidden = |character: char| {
        matches!(
            u32::from(character),
            0..=0x1F | 0x7F..=0x9F | 0x61C | 0x200E | 0x200F | 0x2028 | 0x2029 | 0x202A..=0x202E
                | 0x2066..=0x2069
        )
    };
    for character in '\0'..=char::MAX {
        let expected = if forbidden(character) { Some(NameError::Forbidden(character)) } else { None };
        let name = format!("a{character}b");
        assert_eq!(ClientName::parse(&name, CLIENT_NAME_BYTES).err(), expected, "{character:?}");
    }
}

#[test]
fn good_names() {
    for name in ["a", " ", "irc", "Ünï çødé", "👩‍🚀", "שלום", "\"<script>\"", &"é".repeat(32)]
    {
        let parsed = ClientName::parse(name, CLIENT_NAME_BYTES).unwrap();
        assert_eq!(&*parsed, name);
        assert_eq!(parsed.as_str(), name);
        assert_eq!(AsRef::<str>::as_ref(&parsed), name);
        assert_eq!(parsed.to_string(), name);
        assert_eq!(format!("{parsed:>70}"), format!("{name:>70}"));
    }
}

#[test]
fn the_length_is_in_bytes() {
    assert_eq!(ClientName::parse("", 64), Err(NameError::Empty));
    assert_eq!(ClientName::parse("", 0), Err(NameError::Empty));
    assert_eq!(ClientName::parse(&"é".repeat(33), 64), Err(NameError::TooLong { size: 66, max: 64 }));
    assert_eq!(ClientName::parse("abc", 2), Err(NameError::TooLong { size: 3, max: 2 }));
    assert!(ClientName::parse("abc", 3).is_ok());
}

#[test]
fn a_clone_is_the_same_text_and_a_key() {
    let name = ClientName::parse("irc", 64).unwrap();
    assert_eq!(name.as_ptr(), name.clone().as_ptr());
    let map = HashMap::from([(name, 1)]);
    assert_eq!(map.get("irc"), Some(&1));
}

#[test]
fn errors_show_characters_by_number() {
    let error = ClientName::parse("a\u{202e}b", 64).unwrap_err();
    assert_eq!(error.to_string(), "a client name must not contain U+202E");
    let error = ClientName::parse("a\nb", 64).unwrap_err();
    assert_eq!(error.to_string(), "a client name must not contain U+000A");
}
