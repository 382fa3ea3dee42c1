//! Rosters.

use multichat::protocol::{AckLimits, Dialect, RegisterAck, RichAck};

use super::*;
use crate::room::tests::drafts::name;

mod schedules;

const SECOND: Duration = Duration::from_secs(1);

/// A roster with a clock that ticks only when it is told to, and those who follow it.
struct Fixture {
    roster: Roster,
    now: Instant,
    /// In milliseconds.
    elapsed: u64,
    connections: u64,
}

/// Somebody who follows a roster.
struct Follower {
    connection: ConnectionId,
    mailbox: Arc<Mailbox>,
    list: Vec<ClientRow>,
}

impl Fixture {
    fn new() -> Self {
        Self { roster: Roster::default(), now: Instant::now(), elapsed: 0, connections: 0 }
    }

    fn connection(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    fn pass(&mut self, duration: Duration) {
        self.now += duration;
        self.elapsed += u64::try_from(duration.as_millis()).unwrap();
    }

    /// A connection of this name that does not follow.
    fn join(&mut self, client: &str) -> ConnectionId {
        self.roster.join(&name(client), self.elapsed);
        self.connection()
    }

    fn leave(&mut self, client: &str, connection: ConnectionId) {
        self.roster.leave(&name(client), connection, self.now);
    }

    fn say(&mut self, client: &str, status: Status, text: Option<&str>) {
        self.roster.set_status(&name(client), status, text, self.elapsed);
    }

    /// One that follows, and whose list has at most `max_bytes` bytes.
    fn follow_up_to(&mut self, client: &str, max_bytes: usize) -> Follower {
        let connection = self.join(client);
        let mailbox = Arc::new(Mailbox::new(1000));
        let list = self.roster.subscribe(connection, &name(client), mailbox.clone(), max_bytes);
        Follower { connection, mailbox, list }
    }

    fn follow(&mut self, client: &str) -> Follower {
        self.follow_up_to(client, usize::MAX)
    }

    /// What the task of the room does now and then.
    fn announce(&mut self) {
        self.roster.expire(self.now, self.elapsed);
        self.roster.announce();
    }

    /// What a follower is told when all has been announced.
    fn news(&mut self, follower: &Follower) -> Vec<Presence> {
        self.announce();
        self.unread(follower)
    }

    /// What a follower is told when it has been woken.
    fn unread(&mut self, follower: &Follower) -> Vec<Presence> {
        if !follower.mailbox.take_presence() {
            return Vec::new();
        }
        let mut told = Vec::new();
        while let Some(frames) = self.roster.read(follower.connection, 300) {
            told.extend(packets(&frames));
        }
        told
    }

    /// The same as words: `name status text`.
    fn words(&mut self, follower: &Follower) -> Vec<String> {
        self.news(follower).iter().map(words).collect()
    }

    /// Nothing is left but this.
    fn assert_size(&self, rows: usize, left: usize) {
        assert_eq!((self.roster.rows.len(), self.roster.changes.len()), (rows, rows));
        assert_eq!(self.roster.left.len(), left);
    }
}

/// The packets of joined frames.
fn packets(mut frames: &[u8]) -> Vec<Presence> {
    let mut packets = Vec::new();
    while !frames.is_empty() {
        let (header, len) = match frames[1] {
            126 => (4, usize::from(u16::from_be_bytes([frames[2], frames[3]]))),
            len => (2, usize::from(len)),
        };
        let packet = ServerPacket::decode(frame::payload(&frames[..header + len]), Dialect::Rich, 1 << 20);
        let Ok(ServerPacket::Presence(presence)) = packet else { panic!("{packet:?}") };
        packets.push(presence);
        frames = &frames[header + len..];
    }
    packets
}

fn words(told: &Presence) -> String {
    let text = told.text.as_deref().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{} {}{text}", told.client_name, told.status)
}

fn names(list: &[ClientRow]) -> Vec<&str> {
    list.iter().map(|row| &*row.client_name).collect()
}

#[test]
fn the_first_to_come_sees_nobody() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    assert!(irc.list.is_empty());
    assert!(fixture.news(&irc).is_empty());
}

#[test]
fn who_comes_is_online_with_its_first_connection_only() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    fixture.pass(SECOND);
    fixture.join("mc");
    assert_eq!(fixture.news(&irc), [Presence::new("mc", Status::Online, 1000)]);
    fixture.pass(SECOND);
    fixture.join("mc");
    assert!(fixture.news(&irc).is_empty());
}

#[test]
fn who_comes_later_has_a_list_of_those_who_are_there() {
    let mut fixture = Fixture::new();
    fixture.join("mc");
    fixture.join("mc");
    fixture.pass(SECOND);
    fixture.join("xmpp");
    fixture.pass(SECOND);
    fixture.say("xmpp", Status::Degraded, Some("slow"));
    let irc = fixture.follow("irc");
    let mut xmpp = ClientRow::new("xmpp", Status::Degraded, 2000);
    xmpp.text = Some("slow".into());
    assert_eq!(irc.list, [ClientRow::new("mc", Status::Online, 0), xmpp]);
    assert!(fixture.news(&irc).is_empty(), "and is not told of them once more");
}

#[test]
fn nobody_is_told_of_its_own_name() {
    let mut fixture = Fixture::new();
    let other = fixture.join("irc");
    let irc = fixture.follow("irc");
    assert!(irc.list.is_empty());
    fixture.say("irc", Status::Offline, None);
    assert!(fixture.news(&irc).is_empty());
    fixture.leave("irc", other);
    fixture.join("irc");
    fixture.say("irc", Status::Degraded, Some("x"));
    fixture.join("mc");
    fixture.say("irc", Status::Online, None);
    assert_eq!(fixture.words(&irc), ["mc online"], "whatever comes before and after");
}

#[test]
fn who_is_gone_for_five_seconds_has_left() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    let [first, second] = [fixture.join("mc"), fixture.join("mc")];
    assert_eq!(fixture.words(&irc), ["mc online"]);
    fixture.leave("mc", first);
    assert_eq!(fixture.roster.next_expiry(), None, "one of two is still there");
    fixture.pass(10 * SECOND);
    assert!(fixture.news(&irc).is_empty());
    fixture.leave("mc", second);
    assert_eq!(fixture.roster.next_expiry(), Some(fixture.now + 5 * SECOND));
    fixture.pass(Duration::from_millis(4999));
    assert!(fixture.news(&irc).is_empty());
    let late = fixture.follow("late");
    assert_eq!(names(&late.list), ["irc", "mc"], "listed so long");
    assert_eq!(fixture.words(&irc), ["late online"]);
    fixture.pass(Duration::from_millis(1));
    for follower in [&irc, &late] {
        assert_eq!(fixture.news(follower), [Presence::new("mc", PresenceStatus::Left, 15_000)]);
    }
    assert_eq!(fixture.roster.next_expiry(), None);
    assert_eq!(names(&fixture.follow("later").list), ["irc", "late"], "no longer");
}

#[test]
fn a_quick_return_is_not_seen_and_keeps_the_status() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    let mc = fixture.join("mc");
    fixture.say("mc", Status::Degraded, Some("slow"));
    fixture.news(&irc);
    fixture.leave("mc", mc);
    fixture.pass(4 * SECOND);
    assert!(fixture.news(&irc).is_empty());
    let mc = fixture.join("mc");
    assert_eq!(fixture.roster.next_expiry(), None);
    fixture.pass(60 * SECOND);
    assert!(fixture.news(&irc).is_empty());
    let late = fixture.follow("late");
    assert_eq!((late.list[1].status, late.list[1].since), (Status::Degraded, 0));
    fixture.leave("mc", mc);
    fixture.pass(4 * SECOND);
    fixture.news(&irc);
    assert!(fixture.news(&irc).is_empty(), "the time runs anew");
}

#[test]
fn who_comes_back_after_it_left_is_online_with_nothing_said() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    for round in 0..3_u64 {
        let mc = fixture.join("mc");
        fixture.say("mc", Status::Offline, Some("maintenance"));
        assert_eq!(fixture.words(&irc), ["mc offline maintenance"]);
        fixture.leave("mc", mc);
        fixture.pass(5 * SECOND);
        assert_eq!(fixture.words(&irc), ["mc left"], "without the text");
        if round == 2 {
            // Everybody has been told, and the name is forgotten.
            fixture.announce();
            fixture.assert_size(1, 0);
        }
        let mc = fixture.join("mc");
        assert_eq!(fixture.news(&irc), [Presence::new("mc", Status::Online, (2 * round + 1) * 5000)]);
        fixture.leave("mc", mc);
        fixture.pass(5 * SECOND);
        fixture.news(&irc);
    }
}

#[test]
fn the_status_is_the_names_and_last_said_counts() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    let [first, _second] = [fixture.join("mc"), fixture.join("mc")];
    fixture.say("mc", Status::Degraded, Some("one"));
    fixture.say("mc", Status::Offline, Some("two"));
    assert_eq!(fixture.words(&irc), ["mc offline two"]);
    fixture.leave("mc", first);
    assert!(fixture.news(&irc).is_empty(), "whose connection it was does not matter");
    fixture.say("mc", Status::Online, None);
    assert_eq!(fixture.words(&irc), ["mc online"]);
}

#[test]
fn the_same_again_is_no_change() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    fixture.join("mc");
    fixture.news(&irc);
    let said = [
        (Status::Online, None, false),
        (Status::Online, Some(""), true),
        (Status::Online, Some("x"), true),
        (Status::Online, Some("x"), false),
        (Status::Degraded, Some("x"), true),
        (Status::Degraded, None, true),
        (Status::Degraded, None, false),
    ];
    let mut since = 0;
    for (status, text, is_change) in said {
        fixture.pass(SECOND);
        fixture.say("mc", status, text);
        if is_change {
            since = fixture.elapsed;
        }
        assert_eq!(fixture.news(&irc).len(), usize::from(is_change), "{status} {text:?}");
        let late = fixture.follow("late");
        let mc = late.list.iter().find(|row| row.client_name == "mc").unwrap();
        assert_eq!((mc.status, mc.text.as_deref(), mc.since), (status, text, since));
        fixture.leave("late", late.connection);
        fixture.pass(10 * SECOND);
        fixture.news(&irc);
    }
}

#[test]
fn what_one_without_a_connection_says_counts_for_nothing() {
    let mut fixture = Fixture::new();
    fixture.say("nobody", Status::Offline, None);
    fixture.leave("nobody", ConnectionId(7));
    fixture.assert_size(0, 0);
    assert!(fixture.follow("irc").list.is_empty());
}

#[test]
fn a_burst_is_told_as_the_latest_of_each_name() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    let mut mc = fixture.join("mc");
    fixture.join("xmpp");
    for round in 0..50 {
        fixture.say("mc", Status::Degraded, Some(&round.to_string()));
        fixture.say("xmpp", Status::Offline, Some(&round.to_string()));
        fixture.leave("mc", mc);
        mc = fixture.join("mc");
    }
    assert_eq!(fixture.words(&irc), ["mc degraded 49", "xmpp offline 49"]);
    fixture.say("mc", Status::Online, None);
    fixture.leave("mc", mc);
    fixture.pass(5 * SECOND);
    fixture.roster.expire(fixture.now, fixture.elapsed);
    fixture.join("mc");
    assert!(fixture.roster.left.is_empty(), "who is back is not to be forgotten");
    assert_eq!(fixture.words(&irc), ["mc online"], "one who left and came back");
}

#[test]
fn only_who_has_something_to_be_told_is_woken() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    fixture.join("mc");
    assert!(!irc.mailbox.take_presence(), "not before it is announced");
    assert_eq!(fixture.news(&irc).len(), 1);
    let late = fixture.follow("late");
    fixture.announce();
    assert!(irc.mailbox.take_presence());
    assert!(!late.mailbox.take_presence());
}

#[test]
fn who_did_not_ask_is_told_nothing() {
    let mut fixture = Fixture::new();
    let plain = fixture.join("plain");
    fixture.join("mc");
    fixture.announce();
    assert_eq!(fixture.roster.read(plain, 1000), None);
}

#[test]
fn who_left_is_told_nothing_more() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    fixture.leave("irc", irc.connection);
    fixture.join("mc");
    fixture.announce();
    assert!(!irc.mailbox.take_presence());
    assert_eq!(fixture.roster.read(irc.connection, 1000), None);
    assert!(fixture.roster.subscribers.is_empty());
}

#[test]
fn a_list_that_is_cut_short_goes_on_as_changes() {
    let mut fixture = Fixture::new();
    let all = (10..30).map(|number| format!("name{number}")).collect::<Vec<_>>();
    for client in &all {
        fixture.join(client);
        fixture.say(client, Status::Degraded, Some("0123456789"));
    }
    let row = 6 * ("name10".len() + 10) + ROW_BYTES;
    let mut sizes = Vec::new();
    for max_bytes in [0, row - 1, row, 5 * row, 20 * row - 1, 20 * row] {
        let irc = fixture.follow_up_to("irc", max_bytes);
        sizes.push(irc.list.len());
        let told = fixture.unread(&irc);
        assert!(told.iter().all(|told| told.text.as_deref() == Some("0123456789")));
        let told = told.iter().map(|told| &*told.client_name);
        let both = names(&irc.list).into_iter().chain(told).collect::<Vec<_>>();
        assert_eq!(both, all, "without an announcement");
        fixture.leave("irc", irc.connection);
    }
    assert_eq!(sizes, [0, 0, 1, 5, 19, 20]);
}

#[test]
fn the_list_stays_below_its_bound_whatever_is_in_it() {
    for text in ["", "x", "\0", "\"", "é"] {
        let mut fixture = Fixture::new();
        fixture.pass(Duration::from_secs(1_763_800_000));
        for number in 0..20 {
            let client = number.to_string();
            fixture.join(&client);
            fixture.say(&client, Status::Degraded, Some(&text.repeat(number)));
        }
        let json = json_bytes(&fixture.follow_up_to("irc", 1000).list);
        assert!((400..=1000).contains(&json), "{json} bytes with {text:?}");
    }
}

/// What a list takes in an ack.
fn json_bytes(list: &[ClientRow]) -> usize {
    let [without, with] = [None, Some(list.to_vec())].map(|clients| {
        let mut ack = RichAck::new("s", "e", 0, 0, AckLimits::new(1));
        ack.clients = clients;
        ServerPacket::RegisterAck(RegisterAck::rich(ack)).encode().len()
    });
    with - without
}

#[test]
fn changes_are_read_in_pieces_of_bounded_size() {
    let mut fixture = Fixture::new();
    let irc = fixture.follow("irc");
    for number in 0..100 {
        fixture.join(&format!("name{number}"));
    }
    fixture.announce();
    let mut told = 0;
    while let Some(frames) = fixture.roster.read(irc.connection, 500) {
        assert!(frames.len() < 700, "{} bytes", frames.len());
        told += packets(&frames).len();
    }
    assert_eq!(told, 100);
}

#[test]
fn who_left_is_forgotten_when_all_have_been_told() {
    let mut fixture = Fixture::new();
    let [irc, slow] = [fixture.follow("irc"), fixture.follow("slow")];
    let mc = fixture.join("mc");
    fixture.news(&irc);
    fixture.leave("mc", mc);
    fixture.pass(5 * SECOND);
    fixture.news(&irc);
    fixture.announce();
    fixture.assert_size(3, 1);
    assert_eq!(fixture.words(&slow), ["mc left"]);
    fixture.announce();
    fixture.assert_size(2, 0);
    let cuts = [&irc, &slow].map(|follower| follower.mailbox.must_go());
    assert_eq!(cuts, [None; 2], "who has been told is not behind");
}

#[test]
fn where_nobody_follows_who_left_is_forgotten_at_once() {
    let mut fixture = Fixture::new();
    for number in 0..10 {
        let client = format!("name{number}");
        let connection = fixture.join(&client);
        fixture.leave(&client, connection);
    }
    fixture.pass(5 * SECOND);
    fixture.announce();
    fixture.assert_size(0, 0);
    assert!(fixture.roster.going.is_empty());
}

#[test]
fn who_is_too_far_behind_to_be_told_who_left_is_cut() {
    let mut fixture = Fixture::new();
    let slow = fixture.follow("slow");
    let quick = fixture.follow("quick");
    for number in 0..=MAX_LEFT {
        let client = format!("name{number}");
        let connection = fixture.join(&client);
        fixture.leave(&client, connection);
    }
    fixture.news(&quick);
    fixture.pass(5 * SECOND);
    fixture.roster.expire(fixture.now, fixture.elapsed);
    while fixture.roster.read(quick.connection, 1 << 20).is_some() {}
    fixture.roster.announce();
    fixture.assert_size(2 + MAX_LEFT, MAX_LEFT);
    assert_eq!(slow.mailbox.must_go(), Some(Cut::Behind));
    assert_eq!(quick.mailbox.must_go(), None);
    fixture.leave("slow", slow.connection);
    fixture.announce();
    fixture.assert_size(2, 0);
}
