//! A router and the line to it, made of nothing but the rules of the protocol. It does what real ones do at
//! the worst moment, as the test's random schedule says.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::bed::{Ack, PLAIN_ACK, ack};
use crate::protocol::{ClientPacket, Dialect, RegisterAck, Resume, ServerPacket};

/// One entry of a log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) content: String,
    /// The session that said it, and with which id; `None` if another client did.
    by: Option<(String, String)>,
}

/// All that one log ever held.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    /// Up to here, they are forgotten.
    forgotten: u64,
}

/// A registered connection.
struct Member {
    session: Option<String>,
    /// The last entry that it was told of.
    told: u64,
    /// Whether it is neither read nor told anything for the time being.
    is_stalled: bool,
}

pub(super) struct Router {
    /// The logs of all epochs; the last one is the present.
    pub(super) logs: Vec<Log>,
    /// What was said by plain clients, whichever server it was.
    pub(super) plain: Vec<String>,
    is_plain: bool,
    /// The sessions of the present epoch that it knows.
    sessions: Vec<String>,
    sessions_made: u64,
    /// Which entry each id of each session became.
    ids: HashMap<(String, String), u64>,
    member: Option<Member>,
    /// How many packets it takes at once, and how many it has taken; one comes back with each tenth of a second.
    burst: Option<u64>,
    full_at: Duration,
    /// What is on its way to it, and from it.
    pub(super) inward: VecDeque<String>,
    pub(super) outward: VecDeque<String>,
}

impl Router {
    pub(super) fn new() -> Self {
        Self {
            logs: vec![Log::default()],
            plain: Vec::new(),
            is_plain: false,
            sessions: Vec::new(),
            sessions_made: 0,
            ids: HashMap::new(),
            member: None,
            burst: None,
            full_at: Duration::ZERO,
            inward: VecDeque::new(),
            outward: VecDeque::new(),
        }
    }

    fn log(&mut self) -> &mut Log {
        self.logs.last_mut().unwrap()
    }

    pub(super) fn seq(&self) -> u64 {
        self.logs.last().unwrap().entries.len() as u64
    }

    fn enter(&mut self, content: &str, by: Option<(String, String)>) -> u64 {
        self.log().entries.push(Entry { content: content.to_owned(), by });
        self.seq()
    }

    /// Another client says something.
    pub(super) fn say(&mut self, content: &str) {
        if self.is_plain {
            let packet = r#"{"action":"forwarding-message","source-client-name":"qq","content":"plain"}"#;
            self.outward.extend(self.member.is_some().then(|| packet.to_owned()));
        } else {
            self.enter(content, None);
        }
    }

    /// It comes up anew, with an empty log, perhaps as one that speaks plain.
    pub(super) fn restart(&mut self, is_plain: bool) {
        self.drop_line();
        self.logs.push(Log::default());
        self.is_plain = is_plain;
        self.sessions.clear();
        self.ids.clear();
    }

    pub(super) fn forget_sessions(&mut self) {
        self.sessions.clear();
        // One that is connected has the newest.
        self.sessions.extend(self.member.as_ref().and_then(|member| member.session.clone()));
    }

    /// It forgets all but so many entries, if nobody is to be told of them any more.
    pub(super) fn forget_entries(&mut self, but: u64) {
        if self.member.is_none() {
            let seq = self.seq();
            let log = self.log();
            log.forgotten = log.forgotten.max(seq.saturating_sub(but));
        }
    }

    pub(super) fn limit(&mut self, burst: Option<u64>) {
        self.burst = burst;
    }

    /// It neither reads nor tells its client anything, or goes on.
    pub(super) fn stall(&mut self, is_stalled: bool) {
        if let Some(member) = &mut self.member {
            member.is_stalled = is_stalled;
        }
    }

    /// The connection is gone, with all that was on its way.
    pub(super) fn drop_line(&mut self) {
        self.member = None;
        self.inward.clear();
        self.outward.clear();
    }

    /// Reads one packet, if there is one. `fate` says what goes wrong with it: 0, it is swallowed; 1, refused.
    pub(super) fn read(&mut self, now: Duration, history: u64, fate: u32) {
        if self.member.as_ref().is_some_and(|member| member.is_stalled) {
            return;
        }
        let Some(text) = self.inward.pop_front() else { return };
        let dialect = if self.is_plain { Dialect::Plain } else { Dialect::Rich };
        let packet = ClientPacket::decode(&text, dialect, usize::MAX).expect("the client sends what is good");
        match packet {
            ClientPacket::Register(register) => {
                assert!(self.member.is_none(), "it registers once");
                let resume = register.rich.unwrap().resume;
                self.register(resume.as_ref(), history);
                self.full_at = now;
            }
            ClientPacket::Message(message) if self.is_plain => {
                assert_eq!((message.id, message.reply_to), (None, None));
                self.plain.push(message.content);
            }
            _ if fate == 0 => {}
            ClientPacket::Message(message) => {
                let is_good = message.reply_to.is_none_or(|seq| (1..=self.seq()).contains(&seq));
                self.take(&message.id.unwrap(), &message.content, is_good, now, fate);
            }
            ClientPacket::Edit(edit) => {
                let is_good = edit.target <= self.seq() && edit.target > self.log().forgotten;
                self.take(&edit.id.unwrap(), &edit.content, is_good, now, fate);
            }
            packet => panic!("{packet:?}"),
        }
    }

    fn register(&mut self, resume: Option<&Resume>, history: u64) {
        if self.is_plain {
            self.member = Some(Member { session: None, told: 0, is_stalled: false });
            self.outward.push_back(PLAIN_ACK.to_owned());
            return;
        }
        let (seq, epoch) = (self.seq(), format!("e{}", self.logs.len()));
        let forgotten = self.log().forgotten;
        let (known, at) = match resume {
            Some(resume) if resume.epoch == epoch && self.sessions.contains(&resume.session) => {
                (Some(resume.session.clone()), resume.seq)
            }
            _ => (None, 0),
        };
        let recovered = known.is_some() && at >= forgotten && at <= seq;
        let after = if recovered { at } else { seq.saturating_sub(history).max(forgotten) };
        let session = known.unwrap_or_else(|| {
            self.sessions_made += 1;
            format!("s{}", self.sessions_made)
        });
        self.sessions = vec![session.clone()];
        let mut ack: Ack = ack(seq, after).session(&session).epoch(&epoch);
        if resume.is_some() {
            ack = ack.recovered(recovered);
        }
        if let Some(burst) = self.burst {
            ack = ack.rate(10, burst);
        }
        self.outward.push_back(ack.text());
        self.member = Some(Member { session: Some(session), told: after, is_stalled: false });
    }

    /// Enters something with an id, or says why not.
    fn take(&mut self, id: &str, content: &str, is_good: bool, now: Duration, fate: u32) {
        self.tell();
        let session =
            self.member.as_ref().and_then(|member| member.session.clone()).expect("it is registered");
        let by = (session, id.to_owned());
        if let Some(&seq) = self.ids.get(&by) {
            // Not in its place any more.
            self.outward.push_back(super::bed::acked(id.parse().unwrap(), seq));
            return;
        }
        let refusal = match fate {
            1 => Some("not-allowed"),
            _ if !is_good => Some("unknown-target"),
            _ if !self.has_token(now) => Some("rate-limited"),
            _ => None,
        };
        if let Some(code) = refusal {
            self.outward.push_back(super::bed::error(id.parse().unwrap(), code));
            return;
        }
        let seq = self.enter(content, Some(by.clone()));
        self.ids.insert(by, seq);
    }

    fn has_token(&mut self, now: Duration) -> bool {
        let Some(burst) = self.burst else { return true };
        let full_after = self.full_at.max(now) + Duration::from_millis(100);
        let has_token = full_after <= now + Duration::from_millis(100 * burst);
        if has_token {
            self.full_at = full_after;
        }
        has_token
    }

    /// Tells the client what it has not been told: what others said, and acks of its own.
    pub(super) fn tell(&mut self) {
        let Some(member) = self.member.as_mut().filter(|member| !member.is_stalled) else { return };
        let Some(session) = &member.session else { return };
        let entries = &self.logs.last().unwrap().entries;
        while let Some(entry) = entries.get(usize::try_from(member.told).unwrap()) {
            member.told += 1;
            self.outward.push_back(match &entry.by {
                Some((by, id)) if by == session => super::bed::acked(id.parse().unwrap(), member.told),
                Some(_) => super::bed::forwarded("irc", &entry.content, member.told),
                None => super::bed::forwarded("qq", &entry.content, member.told),
            });
        }
    }

    /// Repeats an ack.
    pub(super) fn repeat(&mut self, choice: u64) {
        let session = self.member.as_ref().and_then(|member| member.session.as_ref());
        let mut of_session: Vec<_> = self.ids.iter().filter(|((of, _), _)| Some(of) == session).collect();
        of_session.sort();
        let index = choice % of_session.len().max(1) as u64;
        if let Some(((_, id), seq)) = of_session.get(usize::try_from(index).unwrap()) {
            // Only what the client was told of already.
            if self.member.as_ref().is_some_and(|member| member.told >= **seq) {
                self.outward.push_back(super::bed::acked(id.parse().unwrap(), **seq));
            }
        }
    }
}

impl Log {
    /// The entries of others between two numbers, the first left out.
    pub(super) fn of_others(&self, after: u64, to: u64) -> usize {
        let to = usize::try_from(to).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries
            .get(usize::try_from(after).unwrap()..to)
            .map_or(0, |range| range.iter().filter(|entry| entry.by.is_none()).count())
    }

    /// How often it has an entry with this content, and at which number the last one is.
    pub(super) fn find(&self, content: &str) -> (usize, u64) {
        let mut found = (0, 0);
        for (seq, entry) in (1..).zip(&self.entries) {
            if entry.content == content {
                found = (found.0 + 1, seq);
            }
        }
        found
    }
}

/// The number of the entry that an ack is for, if the text is one.
pub(super) fn acked_seq(text: &str) -> Option<u64> {
    match ServerPacket::decode(text, Dialect::Rich, usize::MAX) {
        Ok(ServerPacket::MessageAck(ack)) => Some(ack.place.seq),
        _ => None,
    }
}

/// The ack of a registration, if the text is one.
pub(super) fn registration(text: &str) -> Option<RegisterAck> {
    match ServerPacket::decode(text, Dialect::Rich, usize::MAX) {
        Ok(ServerPacket::RegisterAck(ack)) => Some(ack),
        _ => None,
    }
}
