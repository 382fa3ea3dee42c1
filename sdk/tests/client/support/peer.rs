//! The server's end of one connection, in the hands of a test.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    frame::{Frame, frame, opcode, take, text_frame},
    soon,
};

/// The server's end of a WebSocket.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What a client does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Ping,
    Pong(Vec<u8>),
    /// Its close frame, with the code.
    Close(Option<u16>),
    /// The end of the TCP connection, however it came.
    End,
}

impl Peer {
    pub(crate) const fn new(stream: TcpStream, read: Vec<u8>) -> Self {
        Self { stream, read }
    }

    async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = take(&mut self.read) {
                return Some(frame);
            }
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// What comes next, whatever it is.
    pub(crate) async fn hear(&mut self) -> Heard {
        let Some(frame) = soon("something from the client", self.frame()).await else { return Heard::End };
        match frame.opcode {
            opcode::TEXT => Heard::Text(String::from_utf8(frame.payload).unwrap()),
            opcode::PING => Heard::Ping,
            opcode::PONG => Heard::Pong(frame.payload),
            opcode::CLOSE => Heard::Close(frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            opcode => panic!("a frame with the opcode {opcode}"),
        }
    }

    /// What comes next, if it comes in so long.
    pub(crate) async fn hear_within(&mut self, time: Duration) -> Option<Heard> {
        timeout(time, self.hear()).await.ok()
    }

    /// The next packet.
    pub(crate) async fn packet(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} instead of a packet"),
        }
    }

    /// The next packet, which is of this kind.
    pub(crate) async fn expect(&mut self, action: &str) -> Value {
        let packet = self.packet().await;
        assert_eq!(packet["action"], action, "in {packet}");
        packet
    }

    /// Sends bytes as they are.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        soon("room for what the server writes", self.stream.write_all(bytes)).await.unwrap();
    }

    /// Sends a whole message, or a whole control frame.
    pub(crate) async fn frame_of(&mut self, opcode: u8, payload: &[u8]) {
        self.bytes(&frame(true, opcode, payload)).await;
    }

    /// Sends a control frame, if anybody is still there.
    pub(crate) async fn try_frame(&mut self, opcode: u8, payload: &[u8]) {
        let _ = self.stream.write_all(&frame(true, opcode, payload)).await;
    }

    /// Sends a frame which does not end its message.
    pub(crate) async fn fragment(&mut self, opcode: u8, payload: &[u8]) {
        self.bytes(&frame(false, opcode, payload)).await;
    }

    /// Sends a packet.
    pub(crate) async fn tell(&mut self, packet: &Value) {
        self.text(&packet.to_string()).await;
    }

    /// Sends several packets, of which the client learns in one reading.
    pub(crate) async fn tell_all(&mut self, packets: &[Value]) {
        let bytes: Vec<u8> = packets.iter().flat_map(|packet| text_frame(&packet.to_string())).collect();
        self.bytes(&bytes).await;
    }

    /// Sends a text message.
    pub(crate) async fn text(&mut self, text: &str) {
        self.frame_of(opcode::TEXT, text.as_bytes()).await;
    }

    /// Begins a close, with a code or without.
    pub(crate) async fn close(&mut self, code: Option<u16>, reason: &str) {
        let mut payload = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
        payload.extend(reason.as_bytes());
        self.frame_of(opcode::CLOSE, &payload).await;
    }

    /// Closes as a server does: says why, and waits for the answer.
    pub(crate) async fn goodbye(mut self, code: u16) {
        self.close(Some(code), "because").await;
        self.ended().await;
    }

    /// Breaks the connection off: the client sees a reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Ends the connection without a word: the client sees its end.
    pub(crate) async fn hang_up(mut self) {
        // What has not been read would make it a reset.
        while self.stream.try_read_buf(&mut self.read).is_ok_and(|bytes| bytes > 0) {}
        self.stream.shutdown().await.unwrap();
    }

    /// Answers the client's close, and waits for the end.
    pub(crate) async fn see_off(mut self) {
        assert_eq!(self.hear().await, Heard::Close(Some(1000)), "a client of ours closes with 1000");
        self.close(Some(1000), "").await;
        self.ended().await;
    }

    /// Waits for the end of the connection; what comes before it does not matter.
    pub(crate) async fn ended(mut self) {
        while self.hear().await != Heard::End {}
    }
}
