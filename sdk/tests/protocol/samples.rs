//! Every packet with nothing and with everything in it, as text and as value.

use multichat::protocol::{
    AckLimits, Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ClientRow,
    ClientStatus,
    Dialect::{self, Plain, Rich},
    ErrorCode, ForwardingDelete, ForwardingEdit, ForwardingMessage, ForwardingReceipt, MessageAck, Place,
    Presence, PresenceStatus, ReceiptStatus, Refusal, Register, RegisterAck, Resume, RichAck, RichRegister,
    Sender, ServerPacket, Status,
};

/// The session of the ack among them.
pub(crate) const SESSION: &str = "unguessable";

type Sample<P> = (Dialect, &'static str, P);

/// A value with some more set in it.
pub(crate) fn with<T>(mut value: T, set: impl FnOnce(&mut T)) -> T {
    set(&mut value);
    value
}

/// Fields of these names, each of them twice, and all with this value. A comma is before each.
pub(crate) fn twice(names: &[&str], value: &str) -> String {
    let fields: Vec<_> = names.iter().map(|name| format!(r#","{name}":{value},"{name}":{value}"#)).collect();
    fields.concat()
}

pub(crate) fn client() -> Vec<Sample<ClientPacket>> {
    let mut samples = registers();
    samples.extend(messages());
    samples.extend(edits());
    samples.extend(reports());
    samples
}

fn registers() -> Vec<Sample<ClientPacket>> {
    let rich = |set: fn(&mut RichRegister)| {
        let rich = with(RichRegister::new(), set);
        ClientPacket::Register(with(Register::new("irc", "s3cret"), |register| register.rich = Some(rich)))
    };
    vec![
        (
            Plain,
            r#"{"action":"register","client-name":"irc","secret-key":"s3cret"}"#,
            ClientPacket::Register(Register::new("irc", "s3cret")),
        ),
        (
            Plain,
            r#"{"action":"register","client-name":"irc","secret-key":"s3cret","protocol":2}"#,
            rich(|_| {}),
        ),
        (
            Rich,
            r#"{"action":"register","client-name":"irc","secret-key":"s3cret","protocol":2,"history":50,"resume":{"session":"s","epoch":"e","seq":0},"presence":true}"#,
            rich(|rich| {
                rich.history = 50;
                rich.resume = Some(Resume::new("s", "e", 0));
                rich.presence = true;
            }),
        ),
        (
            Rich,
            r#"{"action":"register","client-name":"irc","secret-key":"s3cret","protocol":18446744073709551615,"history":18446744073709551615,"resume":{"session":"s","epoch":"e","seq":18446744073709551615}}"#,
            rich(|rich| {
                rich.protocol = u64::MAX;
                rich.history = u64::MAX;
                rich.resume = Some(Resume::new("s", "e", u64::MAX));
            }),
        ),
    ]
}

fn messages() -> Vec<Sample<ClientPacket>> {
    let message = |content: &str, set: fn(&mut ClientMessage)| {
        ClientPacket::Message(with(ClientMessage::new(content), set))
    };
    vec![
        (Plain, r#"{"action":"client-message","content":"hello"}"#, message("hello", |_| {})),
        (
            Plain,
            r#"{"action":"client-message","content":"a\"b\\c/\n\r\t\u0000\b\f\u001f\u001b"}"#,
            message("a\"b\\c/\n\r\t\0\u{8}\u{c}\u{1f}\u{1b}", |_| {}),
        ),
        (
            Plain,
            "{\"action\":\"client-message\",\"content\":\"\u{7f}é<&>\u{2028}\u{fffd}👩‍🚀\"}",
            message("\u{7f}é<&>\u{2028}\u{fffd}👩‍🚀", |_| {}),
        ),
        (Rich, r#"{"action":"client-message","content":"hello"}"#, message("hello", |_| {})),
        (
            Rich,
            r#"{"action":"client-message","content":"hello","id":"7","sender":{"name":"alice","id":"u42","avatar":"https://example.org/a.png"},"reply-to":1239,"attachments":[{"url":"https://example.org/cat.png","name":"cat.png","mime":"image/png","size":12345},{"url":"HTTP://[::1]:80"}],"event":"join"}"#,
            message("hello", |message| {
                message.id = Some("7".into());
                message.sender = Some(with(Sender::new("alice"), |sender| {
                    sender.id = Some("u42".into());
                    sender.avatar = Some("https://example.org/a.png".into());
                }));
                message.reply_to = Some(1239);
                let cat = with(Attachment::new("https://example.org/cat.png"), |cat| {
                    cat.name = Some("cat.png".into());
                    cat.mime = Some("image/png".into());
                    cat.size = Some(12345);
                });
                message.attachments = vec![cat, Attachment::new("HTTP://[::1]:80")];
                message.event = Some("join".into());
            }),
        ),
        (
            Rich,
            r#"{"action":"client-message","content":"","sender":{"name":"\u0000","id":""},"reply-to":0,"attachments":[{"url":"http://a","name":"","mime":"","size":0}]}"#,
            message("", |message| {
                message.sender = Some(with(Sender::new("\0"), |sender| sender.id = Some(String::new())));
                message.reply_to = Some(0);
                message.attachments = vec![with(Attachment::new("http://a"), |attachment| {
                    attachment.name = Some(String::new());
                    attachment.mime = Some(String::new());
                    attachment.size = Some(0);
                })];
            }),
        ),
    ]
}

fn edits() -> Vec<Sample<ClientPacket>> {
    vec![
        (
            Rich,
            r#"{"action":"client-edit","target":1239,"content":"hello, world"}"#,
            ClientPacket::Edit(ClientEdit::new(1239, "hello, world")),
        ),
        (
            Rich,
            r#"{"action":"client-edit","target":0,"content":"x","id":"8"}"#,
            ClientPacket::Edit(with(ClientEdit::new(0, "x"), |edit| edit.id = Some("8".into()))),
        ),
        (Rich, r#"{"action":"client-delete","target":1239}"#, ClientPacket::Delete(ClientDelete::new(1239))),
        (
            Rich,
            r#"{"action":"client-delete","target":18446744073709551615,"id":"9"}"#,
            ClientPacket::Delete(with(ClientDelete::new(u64::MAX), |delete| delete.id = Some("9".into()))),
        ),
    ]
}

fn reports() -> Vec<Sample<ClientPacket>> {
    vec![
        (
            Rich,
            r#"{"action":"client-receipt","target":1239,"status":"delivered"}"#,
            ClientPacket::Receipt(ClientReceipt::new(1239, ReceiptStatus::Delivered)),
        ),
        (
            Rich,
            r#"{"action":"client-receipt","target":1239,"status":"failed","reason":"muted","remote-id":""}"#,
            ClientPacket::Receipt(with(ClientReceipt::new(1239, ReceiptStatus::Failed), |receipt| {
                receipt.reason = Some("muted".into());
                receipt.remote_id = Some(String::new());
            })),
        ),
        (
            Rich,
            r#"{"action":"client-status","status":"online"}"#,
            ClientPacket::Status(ClientStatus::new(Status::Online)),
        ),
        (
            Rich,
            r#"{"action":"client-status","status":"degraded","text":"netsplit"}"#,
            ClientPacket::Status(with(ClientStatus::new(Status::Degraded), |status| {
                status.text = Some("netsplit".into());
            })),
        ),
        (
            Rich,
            r#"{"action":"client-status","status":"offline","text":""}"#,
            ClientPacket::Status(with(ClientStatus::new(Status::Offline), |status| {
                status.text = Some(String::new());
            })),
        ),
    ]
}

pub(crate) fn server() -> Vec<Sample<ServerPacket>> {
    let mut samples = acks();
    samples.extend(forwarding());
    samples.extend(answers());
    samples
}

fn acks() -> Vec<Sample<ServerPacket>> {
    let rich = |ack| ServerPacket::RegisterAck(RegisterAck::rich(ack));
    let recovered = with(RichAck::new(SESSION, "e", 1240, 1234, AckLimits::new(1_048_576)), |ack| {
        ack.recovered = Some(true);
        ack.limits.messages_per_second = Some(50);
        ack.limits.messages_burst = Some(100);
        let degraded =
            with(ClientRow::new("xmpp", Status::Degraded, 0), |row| row.text = Some("slow".into()));
        ack.clients = Some(vec![ClientRow::new("mc", Status::Online, 1_763_800_000_123), degraded]);
    });
    vec![
        (Plain, r#"{"action":"register-ack"}"#, ServerPacket::RegisterAck(RegisterAck::new())),
        (Rich, r#"{"action":"register-ack"}"#, ServerPacket::RegisterAck(RegisterAck::default())),
        (
            Plain,
            r#"{"action":"register-ack","protocol":2,"session":"s","epoch":"e","seq":0,"after":0,"limits":{"packet-bytes":1}}"#,
            rich(RichAck::new("s", "e", 0, 0, AckLimits::new(1))),
        ),
        (
            Rich,
            r#"{"action":"register-ack","protocol":2,"session":"unguessable","epoch":"e","seq":1240,"after":1234,"recovered":true,"limits":{"packet-bytes":1048576,"messages-per-second":50,"messages-burst":100},"clients":[{"client-name":"mc","status":"online","since":1763800000123},{"client-name":"xmpp","status":"degraded","text":"slow","since":0}]}"#,
            rich(recovered),
        ),
        (
            Rich,
            r#"{"action":"register-ack","protocol":3,"session":"s","epoch":"e","seq":7,"after":7,"recovered":false,"limits":{"packet-bytes":1},"clients":[]}"#,
            rich(with(RichAck::new("s", "e", 7, 7, AckLimits::new(1)), |ack| {
                ack.protocol = 3;
                ack.recovered = Some(false);
                ack.clients = Some(Vec::new());
            })),
        ),
    ]
}

fn forwarding() -> Vec<Sample<ServerPacket>> {
    let place = Place::new(1240, 1_763_800_000_123);
    let rich = |content: &str, set: fn(&mut ForwardingMessage)| {
        let message = with(ForwardingMessage::new("irc", content), set);
        ServerPacket::Message(with(message, |message| message.place = Some(place)))
    };
    vec![
        (
            Plain,
            r#"{"action":"forwarding-message","source-client-name":"m\"c","content":"hi\n😀"}"#,
            ServerPacket::Message(ForwardingMessage::new("m\"c", "hi\n😀")),
        ),
        (
            Rich,
            r#"{"action":"forwarding-message","source-client-name":"irc","content":"hi","seq":1240,"time":1763800000123}"#,
            rich("hi", |_| {}),
        ),
        (
            Rich,
            r#"{"action":"forwarding-message","source-client-name":"irc","content":"","sender":{"name":"alice"},"reply-to":1239,"attachments":[{"url":"https://example.org/cat.png","name":"cat.png"}],"event":"notice","seq":1240,"time":1763800000123}"#,
            rich("", |message| {
                message.sender = Some(Sender::new("alice"));
                message.reply_to = Some(1239);
                message.attachments = vec![with(Attachment::new("https://example.org/cat.png"), |cat| {
                    cat.name = Some("cat.png".into());
                })];
                message.event = Some("notice".into());
            }),
        ),
        (
            Rich,
            r#"{"action":"forwarding-edit","source-client-name":"irc","target":1239,"content":"hello, world","seq":1240,"time":1763800000123}"#,
            ServerPacket::Edit(ForwardingEdit::new("irc", 1239, "hello, world", place)),
        ),
        (
            Rich,
            r#"{"action":"forwarding-delete","source-client-name":"irc","target":1239,"seq":1240,"time":1763800000123}"#,
            ServerPacket::Delete(ForwardingDelete::new("irc", 1239, place)),
        ),
    ]
}

fn answers() -> Vec<Sample<ServerPacket>> {
    vec![
        (
            Rich,
            r#"{"action":"message-ack","id":"7","seq":1240,"time":1763800000123}"#,
            ServerPacket::MessageAck(MessageAck::new("7", Place::new(1240, 1_763_800_000_123))),
        ),
        (
            Rich,
            r#"{"action":"error","code":"bad-packet","reason":"no"}"#,
            ServerPacket::Error(Refusal::new(ErrorCode::BadPacket, "no")),
        ),
        (
            Rich,
            r#"{"action":"error","id":"7","code":"rate-limited","reason":""}"#,
            ServerPacket::Error(with(Refusal::new(ErrorCode::RateLimited, ""), |refusal| {
                refusal.id = Some("7".into());
            })),
        ),
        (
            Rich,
            r#"{"action":"error","code":"out-of-tea","reason":"no"}"#,
            ServerPacket::Error(Refusal::new(ErrorCode::Other("out-of-tea".into()), "no")),
        ),
        (
            Rich,
            r#"{"action":"forwarding-receipt","source-client-name":"mc","target":1239,"status":"delivered"}"#,
            ServerPacket::Receipt(ForwardingReceipt::new("mc", 1239, ReceiptStatus::Delivered)),
        ),
        (
            Rich,
            r#"{"action":"forwarding-receipt","source-client-name":"mc","target":1239,"status":"failed","reason":"muted","remote-id":"m1"}"#,
            ServerPacket::Receipt(with(
                ForwardingReceipt::new("mc", 1239, ReceiptStatus::Failed),
                |receipt| {
                    receipt.reason = Some("muted".into());
                    receipt.remote_id = Some("m1".into());
                },
            )),
        ),
        (
            Rich,
            r#"{"action":"presence","client-name":"mc","status":"left","time":1763800000123}"#,
            ServerPacket::Presence(Presence::new("mc", PresenceStatus::Left, 1_763_800_000_123)),
        ),
        (
            Rich,
            r#"{"action":"presence","client-name":"mc","status":"degraded","text":"slow","time":0}"#,
            ServerPacket::Presence(with(Presence::new("mc", Status::Degraded, 0), |presence| {
                presence.text = Some("slow".into());
            })),
        ),
    ]
}
