//! Every row of the close codes.

use multichat::protocol::{CloseCode, is_terminal};

const ROWS: [(CloseCode, u16, &str, bool); 14] = [
    (CloseCode::GoingAway, 1001, "going-away", false),
    (CloseCode::ProtocolError, 1002, "protocol-error", true),
    (CloseCode::Binary, 1003, "binary", true),
    (CloseCode::Utf8, 1007, "utf-8", true),
    (CloseCode::Policy, 1008, "policy", false),
    (CloseCode::TooBig, 1009, "too-big", false),
    (CloseCode::BadRegister, 4400, "bad-register", true),
    (CloseCode::Unauthorized, 4401, "unauthorized", true),
    (CloseCode::Revoked, 4403, "revoked", true),
    (CloseCode::Replaced, 4409, "replaced", true),
    (CloseCode::Overloaded, 4503, "overloaded", false),
    (CloseCode::RegisterTimeout, 4508, "register-timeout", false),
    (CloseCode::SlowConsumer, 4513, "slow-consumer", false),
    (CloseCode::RateLimited, 4529, "rate-limited", false),
];

#[test]
fn every_row() {
    for (row, code, reason, terminal) in ROWS {
        assert_eq!(row.code(), code);
        assert_eq!(row.reason(), reason);
        assert_eq!(CloseCode::from_code(code), Some(row));
        assert_eq!(is_terminal(code), terminal, "{code}");
    }
    assert_eq!(CloseCode::ALL, ROWS.map(|(row, ..)| row));
}

#[test]
fn every_other_number() {
    for code in (0..=u16::MAX).filter(|code| ROWS.iter().all(|row| row.1 != *code)) {
        assert_eq!(CloseCode::from_code(code), None);
        assert_eq!(is_terminal(code), code / 100 == 44, "{code}");
    }
}
