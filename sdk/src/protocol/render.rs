//! What plain clients see of rich packets.

use super::name::ClientName;
use super::parts::Attachment;
use super::server::ServerPacket;

/// Who said the message that a reply or an edit points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author<'a> {
    /// The client that it came from.
    pub source_client_name: &'a str,
    /// The person behind it, if it was said.
    pub sender_name: Option<&'a str>,
}

/// What a plain client is told of a rich packet: the content of its plain `forwarding-message`. `None`:
/// nothing is sent.
///
/// `target` is who said the message that the packet replies to or edits; `None` if it is not held any
/// more, deleted, or no message.
///
/// Of the names that are put into the text, the characters that a [`ClientName`] may
/// not have are left out, so that they do not break the line.
pub fn render_plain(packet: &ServerPacket, target: Option<Author<'_>>) -> Option<String> {
    let target_sender = || target.and_then(|author| shown(author.sender_name?));
    match packet {
        ServerPacket::Message(message) => {
            let body = body(&message.content, &message.attachments);
            if message.event.is_some() {
                return Some(body);
            }
            let sender = message.sender.as_ref().and_then(|sender| shown(&sender.name));
            let target_client = || target.and_then(|author| shown(author.source_client_name));
            let target = message.reply_to.and_then(|_| target_sender().or_else(target_client));
            let mark = target.map(|name| format!("(re {name}) ")).unwrap_or_default();
            Some(prefix(sender) + &mark + &body)
        }
        ServerPacket::Edit(edit) => Some(prefix(target_sender()) + "(edited) " + &edit.content),
        _ => None,
    }
}

fn prefix(sender: Option<String>) -> String {
    sender.map(|name| format!("<{name}> ")).unwrap_or_default()
}

/// The content, and a line for each attachment.
fn body(content: &str, attachments: &[Attachment]) -> String {
    let lines = attachments.iter().map(|attachment| {
        let name = attachment.name.as_deref().and_then(shown);
        name.map_or_else(|| attachment.url.clone(), |name| format!("[{name}] {}", attachment.url))
    });
    let content = Some(content.to_owned()).filter(|content| !content.is_empty());
    content.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// A name as it may be shown in a line; `None` if nothing is left of it.
fn shown(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|&character| !ClientName::forbids(character)).collect();
    Some(name).filter(|name| !name.is_empty())
}
