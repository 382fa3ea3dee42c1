//! Any packet, as random as can be.

use multichat::protocol::{
    AckLimits, Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ClientRow,
    ClientStatus, ErrorCode, ForwardingDelete, ForwardingEdit, ForwardingMessage, ForwardingReceipt,
    MessageAck, Place, Presence, PresenceStatus, ReceiptStatus, Refusal, Register, RegisterAck, Resume,
    RichAck, RichRegister, Sender, ServerPacket, Status,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::samples::with;

/// Any text: all of Unicode, and often what JSON has to escape.
fn text_of(count: impl Into<prop::collection::SizeRange>) -> BoxedStrategy<String> {
    let special = select(vec!['"', '\\', '/', '\0', '\n', '\u{1f}', '\u{7f}', '\u{2028}', '😀']);
    vec(prop_oneof![any::<char>(), prop::char::range('\0', '/'), special], count)
        .prop_map(String::from_iter)
        .boxed()
}

/// A text that is not empty.
pub(crate) fn text() -> BoxedStrategy<String> {
    text_of(1..40)
}

fn any_text() -> BoxedStrategy<String> {
    text_of(0..10)
}

/// At most 64 bytes.
fn word() -> BoxedStrategy<String> {
    text_of(1..16)
}

fn url() -> BoxedStrategy<String> {
    ("[hH][tT][tT][pP][sS]?", "[a-zA-Z0-9.€]{1,8}", r"(:[0-9]{0,3})?", r"([/\\?#][!-~¡-ÿ]{0,8})?")
        .prop_map(|(scheme, host, port, rest)| format!("{scheme}://{host}{port}{rest}"))
        .boxed()
}

fn number() -> BoxedStrategy<u64> {
    prop_oneof![select(vec![0, 1, u64::MAX]), any::<u64>(), 0..5000u64].boxed()
}

fn sender() -> BoxedStrategy<Sender> {
    (text(), of(any_text()), of(url()))
        .prop_map(|(name, id, avatar)| {
            with(Sender::new(name), |sender| (sender.id, sender.avatar) = (id, avatar))
        })
        .boxed()
}

fn attachment() -> BoxedStrategy<Attachment> {
    (url(), of(any_text()), of(any_text()), of(number()))
        .prop_map(|(url, name, mime, size)| {
            with(Attachment::new(url), |file| (file.name, file.mime, file.size) = (name, mime, size))
        })
        .boxed()
}

/// The content of a message, and what it needs.
fn body() -> BoxedStrategy<(String, Vec<Attachment>)> {
    prop_oneof![(text(), vec(attachment(), 0..=10)), (any_text(), vec(attachment(), 1..=10))].boxed()
}

fn register() -> BoxedStrategy<Register> {
    let resume =
        (text(), text(), number()).prop_map(|(session, epoch, seq)| Resume::new(session, epoch, seq));
    let rich = (2..=u64::MAX, number(), of(resume), any::<bool>()).prop_map(
        |(protocol, history, resume, presence)| {
            with(RichRegister::new(), |rich| {
                (rich.protocol, rich.history, rich.resume, rich.presence) =
                    (protocol, history, resume, presence);
            })
        },
    );
    (text(), text(), of(rich))
        .prop_map(|(name, key, rich)| with(Register::new(name, key), |it| it.rich = rich))
        .boxed()
}

fn client_message() -> BoxedStrategy<ClientMessage> {
    (body(), of(word()), of(sender()), of(number()), of(word()))
        .prop_map(|((content, attachments), id, sender, reply_to, event)| {
            with(ClientMessage::new(content), |message| {
                message.id = id;
                message.sender = sender;
                message.reply_to = reply_to;
                message.attachments = attachments;
                message.event = event;
            })
        })
        .boxed()
}

pub(crate) fn client_packet() -> BoxedStrategy<ClientPacket> {
    prop_oneof![
        register().prop_map(ClientPacket::Register),
        client_message().prop_map(ClientPacket::Message),
        (number(), text(), of(word())).prop_map(|(target, content, id)| {
            ClientPacket::Edit(with(ClientEdit::new(target, content), |edit| edit.id = id))
        }),
        (number(), of(word())).prop_map(|(target, id)| {
            ClientPacket::Delete(with(ClientDelete::new(target), |delete| delete.id = id))
        }),
        (number(), select(ReceiptStatus::ALL), of(any_text()), of(any_text())).prop_map(
            |(target, status, reason, remote_id)| {
                ClientPacket::Receipt(with(ClientReceipt::new(target, status), |receipt| {
                    (receipt.reason, receipt.remote_id) = (reason, remote_id);
                }))
            }
        ),
        (select(Status::ALL), of(any_text())).prop_map(|(status, text)| {
            ClientPacket::Status(with(ClientStatus::new(status), |it| it.text = text))
        }),
    ]
    .boxed()
}

fn place() -> BoxedStrategy<Place> {
    (number(), number()).prop_map(|(seq, time)| Place::new(seq, time)).boxed()
}

fn row() -> BoxedStrategy<ClientRow> {
    (text(), select(Status::ALL), of(any_text()), number())
        .prop_map(|(name, status, text, since)| {
            with(ClientRow::new(name, status, since), |row| row.text = text)
        })
        .boxed()
}

fn register_ack() -> BoxedStrategy<RegisterAck> {
    let limits = (number(), of(number()), of(number())).prop_map(|(bytes, rate, burst)| {
        with(AckLimits::new(bytes), |limits| {
            limits.messages_per_second = rate;
            limits.messages_burst = burst;
        })
    });
    let told = (of(any::<bool>()), of(vec(row(), 0..5)));
    let rich = (2..=u64::MAX, text(), text(), number(), number(), limits, told).prop_map(
        |(protocol, session, epoch, seq, after, limits, (recovered, clients))| {
            with(RichAck::new(session, epoch, seq, after, limits), |ack| {
                (ack.protocol, ack.recovered, ack.clients) = (protocol, recovered, clients);
            })
        },
    );
    of(rich).prop_map(|rich| rich.map_or_else(RegisterAck::new, RegisterAck::rich)).boxed()
}

fn forwarding_message() -> BoxedStrategy<ForwardingMessage> {
    (text(), body(), of(sender()), of(number()), of(any_text()), place())
        .prop_map(|(source, (content, attachments), sender, reply_to, event, place)| {
            with(ForwardingMessage::new(source, content), |message| {
                message.sender = sender;
                message.reply_to = reply_to;
                message.attachments = attachments;
                message.event = event;
                message.place = Some(place);
            })
        })
        .boxed()
}

/// Any packet to a rich client.
pub(crate) fn server_packet() -> BoxedStrategy<ServerPacket> {
    let code = prop_oneof![select(ErrorCode::ALL), any_text().prop_map(|word| ErrorCode::from_word(&word))];
    let presence = (text(), select(PresenceStatus::ALL), of(any_text()), number());
    let receipt = (text(), number(), select(ReceiptStatus::ALL), of(any_text()), of(any_text()));
    prop_oneof![
        register_ack().prop_map(ServerPacket::RegisterAck),
        forwarding_message().prop_map(ServerPacket::Message),
        (text(), number(), text(), place()).prop_map(|(source, target, content, place)| {
            ServerPacket::Edit(ForwardingEdit::new(source, target, content, place))
        }),
        (text(), number(), place()).prop_map(|(source, target, place)| {
            ServerPacket::Delete(ForwardingDelete::new(source, target, place))
        }),
        (text(), place()).prop_map(|(id, place)| ServerPacket::MessageAck(MessageAck::new(id, place))),
        (of(any_text()), code, any_text()).prop_map(|(id, code, reason)| {
            ServerPacket::Error(with(Refusal::new(code, reason), |refusal| refusal.id = id))
        }),
        receipt.prop_map(|(source, target, status, reason, remote_id)| {
            ServerPacket::Receipt(with(ForwardingReceipt::new(source, target, status), |receipt| {
                (receipt.reason, receipt.remote_id) = (reason, remote_id);
            }))
        }),
        presence.prop_map(|(name, status, text, time)| {
            ServerPacket::Presence(with(Presence::new(name, status, time), |presence| presence.text = text))
        }),
    ]
    .boxed()
}
