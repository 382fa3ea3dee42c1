//! The words on the wire.

use multichat::protocol::{ErrorCode, PresenceStatus, ReceiptStatus, Status};

#[test]
fn every_word() {
    let words: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(words, ["online", "degraded", "offline"]);
    let words: Vec<_> = PresenceStatus::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(words, ["online", "degraded", "offline", "left"]);
    let words: Vec<_> = ReceiptStatus::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(words, ["delivered", "failed"]);
    let words: Vec<_> = ErrorCode::ALL.iter().map(ErrorCode::as_str).collect();
    let all = [
        "bad-packet",
        "unknown-action",
        "empty-content",
        "rate-limited",
        "not-allowed",
        "unknown-target",
        "bad-attachment",
    ];
    assert_eq!(words, all);
}

#[test]
fn a_status_is_a_presence_of_the_same_word() {
    for &status in Status::ALL {
        assert_eq!(PresenceStatus::from(status).as_str(), status.as_str());
    }
}

#[test]
fn codes_from_words() {
    for code in ErrorCode::ALL {
        assert_eq!(&ErrorCode::from_word(code.as_str()), code);
    }
    for word in ["", "bad", "Bad-Packet", "out-of-tea"] {
        assert_eq!(ErrorCode::from_word(word), ErrorCode::Other(word.into()));
        assert_eq!(ErrorCode::from_word(word).as_str(), word);
    }
}

#[test]
fn they_are_shown_as_they_are_written() {
    assert_eq!(format!("{:>10}|{:<8}|", Status::Degraded, PresenceStatus::Left), "  degraded|left    |");
    assert_eq!(format!("{} {}", ReceiptStatus::Failed, ErrorCode::RateLimited), "failed rate-limited");
}
