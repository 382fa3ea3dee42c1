//! Sessions.

use proptest::prelude::*;

use super::*;
use crate::room::tests::drafts::name;

const RETENTION: Duration = Duration::from_mins(10);

/// Sessions, and a clock.
struct Fixture {
    sessions: Sessions,
    now: Instant,
    connections: u64,
}

/// A connection and what it was given.
struct Given {
    connection: ConnectionId,
    mailbox: Arc<Mailbox>,
    attached: Attached,
}

impl Fixture {
    fn new(detached: usize) -> Self {
        let sessions = Sessions::new(SessionBounds { retention: RETENTION, detached });
        Self { sessions, now: Instant::now(), connections: 0 }
    }

    /// A new connection of this client that asks for this session.
    fn attach(&mut self, client: &str, asked: Option<&str>) -> Given {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let mailbox = Arc::new(Mailbox::new(1000));
        let fresh = format!("s{}", self.connections);
        let attached = self.sessions.attach(asked, fresh, &name(client), connection, &mailbox, self.now);
        Given { connection, mailbox, attached }
    }

    fn detach(&mut self, given: &Given) {
        self.sessions.detach(given.attached.origin, given.connection, self.now);
    }

    fn pass(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Whether it would be resumed.
    fn knows(&mut self, client: &str, given: &Given) -> bool {
        let again = self.attach(client, Some(&given.attached.name));
        self.detach(&again);
        again.attached.is_resumed
    }

    /// Nothing is left of those that are not counted here.
    fn assert_size(&self, sessions: usize, detached: usize) {
        assert_eq!(self.sessions.by_origin.len(), sessions);
        assert_eq!(self.sessions.by_name.len(), sessions);
        assert_eq!(self.sessions.detached.len(), detached);
    }
}

#[test]
fn who_asks_for_none_gets_a_new_one() {
    let mut fixture = Fixture::new(9);
    let [first, second] = [fixture.attach("irc", None), fixture.attach("irc", None)];
    for (given, session) in [(&first, "s1"), (&second, "s2")] {
        assert_eq!(&*given.attached.name, session);
        assert!(!given.attached.is_resumed && given.attached.replaced.is_none());
        let mailbox = fixture.sessions.mailbox(given.attached.origin).unwrap();
        assert!(Arc::ptr_eq(mailbox, &given.mailbox));
    }
    assert_ne!(first.attached.origin, second.attached.origin);
    fixture.assert_size(2, 0);
}

#[test]
fn a_session_outlives_its_connection() {
    let mut fixture = Fixture::new(9);
    let first = fixture.attach("irc", None);
    fixture.detach(&first);
    assert!(fixture.sessions.mailbox(first.attached.origin).is_none());
    fixture.assert_size(1, 1);
    fixture.pass(RETENTION.checked_sub(Duration::from_millis(1)).unwrap());
    let second = fixture.attach("irc", Some("s1"));
    assert!(second.attached.is_resumed && second.attached.replaced.is_none());
    assert_eq!((&*second.attached.name, second.attached.origin), ("s1", first.attached.origin));
    assert!(Arc::ptr_eq(fixture.sessions.mailbox(first.attached.origin).unwrap(), &second.mailbox));
    fixture.assert_size(1, 0);
    fixture.pass(10 * RETENTION);
    fixture.attach("other", None);
    assert!(fixture.sessions.mailbox(first.attached.origin).is_some(), "while there is a connection");
    fixture.detach(&second);
    fixture.pass(RETENTION / 2);
    assert!(fixture.knows("irc", &first), "counted from the last connection's end");
}

#[test]
fn a_session_is_forgotten_when_its_time_is_over() {
    let mut fixture = Fixture::new(9);
    let first = fixture.attach("irc", None);
    fixture.detach(&first);
    fixture.pass(RETENTION);
    let second = fixture.attach("irc", Some("s1"));
    assert!(!second.attached.is_resumed && second.attached.replaced.is_none());
    assert_eq!(&*second.attached.name, "s2", "not the name that somebody asked for");
    assert_ne!(second.attached.origin, first.attached.origin);
    fixture.assert_size(1, 0);
}

#[test]
fn a_session_is_forgotten_without_anybody_asking_for_it() {
    let mut fixture = Fixture::new(9);
    let [first, second] = [fixture.attach("irc", None), fixture.attach("irc", None)];
    fixture.detach(&first);
    fixture.pass(RETENTION);
    fixture.detach(&second);
    fixture.assert_size(1, 1);
}

#[test]
fn an_unknown_session_is_answered_with_a_new_one() {
    let mut fixture = Fixture::new(9);
    let given = fixture.attach("irc", Some("guessed"));
    assert!(!given.attached.is_resumed);
    assert_eq!(&*given.attached.name, "s1");
}

#[test]
fn a_session_is_its_clients_alone() {
    let mut fixture = Fixture::new(9);
    let mine = fixture.attach("irc", None);
    for is_attached in [true, false] {
        let theirs = fixture.attach("ir", Some("s1"));
        assert!(!theirs.attached.is_resumed && theirs.attached.replaced.is_none());
        assert_ne!(theirs.attached.origin, mine.attached.origin);
        assert_eq!(fixture.sessions.mailbox(mine.attached.origin).is_some(), is_attached);
        if is_attached {
            fixture.detach(&mine);
        }
    }
    assert!(fixture.knows("irc", &mine), "who tried took nothing away");
}

#[test]
fn who_takes_a_session_over_replaces_the_older_connection() {
    let mut fixture = Fixture::new(9);
    let first = fixture.attach("irc", None);
    let second = fixture.attach("irc", Some("s1"));
    assert!(second.attached.is_resumed);
    assert_eq!(second.attached.origin, first.attached.origin);
    assert!(Arc::ptr_eq(second.attached.replaced.as_ref().unwrap(), &first.mailbox));
    let third = fixture.attach("irc", Some("s1"));
    assert!(Arc::ptr_eq(third.attached.replaced.as_ref().unwrap(), &second.mailbox));
    fixture.assert_size(1, 0);
}

#[test]
fn who_asks_late_does_not_take_a_session_from_a_newer_connection() {
    let mut fixture = Fixture::new(9);
    let first = fixture.attach("irc", None);
    fixture.connections = 5;
    let newer = fixture.attach("irc", Some("s1"));
    fixture.connections = 2;
    let late = fixture.attach("irc", Some("s1"));
    assert!(late.connection < newer.connection);
    assert!(!late.attached.is_resumed);
    assert_eq!(&*late.attached.name, "s3", "a new one");
    assert!(Arc::ptr_eq(late.attached.replaced.as_ref().unwrap(), &late.mailbox), "and has to go");
    let origin = first.attached.origin;
    assert!(Arc::ptr_eq(fixture.sessions.mailbox(origin).unwrap(), &newer.mailbox));
    fixture.detach(&late);
    fixture.detach(&newer);
    assert!(fixture.knows("irc", &first), "which goes on once the newer one has ended");
}

#[test]
fn the_end_of_an_older_connection_takes_nothing_from_the_newer_one() {
    let mut fixture = Fixture::new(9);
    let first = fixture.attach("irc", None);
    let second = fixture.attach("irc", Some("s1"));
    fixture.detach(&first);
    let origin = first.attached.origin;
    assert!(Arc::ptr_eq(fixture.sessions.mailbox(origin).unwrap(), &second.mailbox));
    fixture.assert_size(1, 0);
    fixture.detach(&second);
    fixture.pass(RETENTION / 2);
    fixture.detach(&first);
    fixture.detach(&second);
    fixture.assert_size(1, 1);
    fixture.pass(RETENTION / 2);
    assert!(!fixture.knows("irc", &first), "its time runs from the first end");
}

#[test]
fn the_one_that_ended_first_goes_first() {
    let mut fixture = Fixture::new(2);
    let [a, b, c, d] = [(); 4].map(|()| fixture.attach("irc", None));
    fixture.assert_size(4, 0);
    for given in [&b, &a, &c] {
        fixture.pass(Duration::from_secs(1));
        fixture.detach(given);
    }
    fixture.assert_size(3, 2);
    assert!(!fixture.knows("irc", &b));
    assert!(fixture.sessions.mailbox(d.attached.origin).is_some(), "only those without a connection count");
}

/// A session with its client, its connection, and since when it has none.
type Known = (Arc<str>, &'static str, Option<Given>, Option<Instant>);

proptest! {
    #[test]
    fn sessions_are_as_remembered(
        steps in prop::collection::vec((0_usize..4, any::<usize>(), any::<bool>()), 0..60),
    ) {
        const BOUND: usize = 5;
        let mut fixture = Fixture::new(BOUND);
        let clients = ["irc", "mc"];
        let mut known: Vec<Known> = Vec::new();
        for (step, pick, is_foreign) in steps {
            let index = pick.checked_rem(known.len());
            match (step, index) {
                (0, _) | (_, None) => {
                    let given = fixture.attach(clients[pick % 2], None);
                    known.push((given.attached.name.clone(), clients[pick % 2], Some(given), None));
                }
                (1, Some(index)) => {
                    let (name, client, held, since) = &mut known[index];
                    let other = clients.iter().find(|other| *other != client).unwrap();
                    let given = fixture.attach(if is_foreign { other } else { client }, Some(name));
                    prop_assert_eq!(given.attached.is_resumed, !is_foreign);
                    if is_foreign {
                        fixture.sessions.detach(given.attached.origin, given.connection, fixture.now);
                        known.push((given.attached.name.clone(), other, None, Some(fixture.now)));
                    } else {
                        prop_assert_eq!(given.attached.replaced.is_some(), held.is_some());
                        (*held, *since) = (Some(given), None);
                    }
                }
                (2, Some(index)) => {
                    if let Some(given) = known[index].2.take() {
                        fixture.detach(&given);
                        known[index].3 = Some(fixture.now);
                    }
                }
                _ => fixture.pass(Duration::from_secs(pick as u64 % 300)),
            }
            // No two at the same moment, so that it is clear which of them goes first.
            fixture.pass(Duration::from_millis(1));
            fixture.sessions.forget(fixture.now);
            known.retain(|(_, _, _, since)| since.is_none_or(|since| fixture.now < since + RETENTION));
            while known.iter().filter(|(_, _, _, since)| since.is_some()).count() > BOUND {
                let oldest = known.iter().filter_map(|known| known.3).min();
                known.retain(|known| known.3.is_none() || known.3 != oldest);
            }
            let detached = known.iter().filter(|known| known.3.is_some()).count();
            fixture.assert_size(known.len(), detached);
            for (name, client, held, _) in &known {
                let origin = fixture.sessions.by_name[name];
                prop_assert_eq!(&fixture.sessions.by_origin[&origin].client_name.to_string(), client);
                let mailbox = fixture.sessions.mailbox(origin);
                prop_assert_eq!(mailbox.is_some(), held.is_some());
                if let (Some(mailbox), Some(held)) = (mailbox, held) {
                    prop_assert!(Arc::ptr_eq(mailbox, &held.mailbox));
                }
            }
        }
    }
}
