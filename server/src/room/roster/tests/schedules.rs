//! Rosters under random schedules, against the truth.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 5] = ["irc", "mc", "xmpp", "a", "b"];

#[derive(Clone, Debug)]
enum Step {
    /// A connection of one of the names comes, and follows with a list of at most so many bytes.
    Join(usize, Option<usize>),
    Leave(usize),
    Say(usize, Status, Option<u8>),
    Pass(u64),
    Announce,
    /// A follower reads once, about so many bytes.
    Read(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let max = prop::option::of(prop_oneof![Just(usize::MAX), 0_usize..1500]);
    let said = (0..NAMES.len(), prop::sample::select(Status::ALL), prop::option::of(0_u8..3));
    prop_oneof![
        3 => (0..NAMES.len(), max).prop_map(|(name, max)| Step::Join(name, max)),
        3 => any::<usize>().prop_map(Step::Leave),
        3 => said.prop_map(|(name, status, text)| Step::Say(name, status, text)),
        3 => (0_u64..6000).prop_map(Step::Pass),
        3 => Just(Step::Announce),
        3 => (any::<usize>(), 1_usize..400).prop_map(|(follower, max)| Step::Read(follower, max)),
    ]
}

/// How a name is: its status, its text, and since when.
type Row = (Status, Option<String>, u64);

/// What is known of one name.
struct Truth {
    connections: usize,
    /// When its last connection ended.
    gone_at: Option<u64>,
    row: Row,
}

/// What a follower believes.
struct View {
    client: &'static str,
    follower: Follower,
    rows: BTreeMap<String, Row>,
    /// It was told something that it must not be told.
    is_surprised: bool,
}

impl View {
    fn learn(&mut self, told: Presence) {
        self.is_surprised |= told.client_name == self.client;
        let status = match told.status {
            PresenceStatus::Left => {
                self.is_surprised |= told.text.is_some();
                self.rows.remove(&told.client_name);
                return;
            }
            PresenceStatus::Online => Status::Online,
            PresenceStatus::Degraded => Status::Degraded,
            PresenceStatus::Offline => Status::Offline,
        };
        self.rows.insert(told.client_name, (status, told.text, told.time));
    }
}

struct Model {
    fixture: Fixture,
    truth: BTreeMap<&'static str, Truth>,
    connections: Vec<(&'static str, ConnectionId)>,
    views: Vec<View>,
}

impl Model {
    fn new() -> Self {
        Self { fixture: Fixture::new(), truth: BTreeMap::new(), connections: Vec::new(), views: Vec::new() }
    }

    /// Forgets who has been gone for too long, as the room's task finds out.
    fn expire(&mut self) {
        let now = self.fixture.elapsed;
        self.truth.retain(|_, truth| truth.gone_at.is_none_or(|at| now < at + 5000));
    }

    /// Everybody but this one.
    fn others(&self, client: &str) -> BTreeMap<String, Row> {
        let others = self.truth.iter().filter(|(name, _)| **name != client);
        others.map(|(name, truth)| ((*name).to_owned(), truth.row.clone())).collect()
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Join(client, max) => self.join(NAMES[client], max)?,
            Step::Leave(pick) => {
                let Some(index) = pick.checked_rem(self.connections.len()) else { return Ok(()) };
                let (client, connection) = self.connections.swap_remove(index);
                self.fixture.leave(client, connection);
                self.views.retain(|view| view.follower.connection != connection);
                let truth = self.truth.get_mut(client).unwrap();
                truth.connections -= 1;
                truth.gone_at = (truth.connections == 0).then_some(self.fixture.elapsed);
            }
            Step::Say(client, status, text) => {
                let text = text.map(|text| text.to_string());
                let truth = self.truth.get_mut(NAMES[client]).filter(|truth| truth.connections > 0);
                let Some(truth) = truth else { return Ok(()) };
                self.fixture.say(NAMES[client], status, text.as_deref());
                if (&truth.row.0, &truth.row.1) != (&status, &text) {
                    truth.row = (status, text, self.fixture.elapsed);
                }
            }
            Step::Pass(millis) => self.fixture.pass(Duration::from_millis(millis)),
            Step::Announce => {
                self.expire();
                self.fixture.announce();
            }
            Step::Read(pick, max) => {
                let Some(index) = pick.checked_rem(self.views.len()) else { return Ok(()) };
                let view = &mut self.views[index];
                if let Some(frames) = self.fixture.roster.read(view.follower.connection, max) {
                    for told in packets(&frames) {
                        view.learn(told);
                    }
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, client: &'static str, max: Option<usize>) -> Result<(), TestCaseError> {
        let row = (Status::Online, None, self.fixture.elapsed);
        let truth = self.truth.entry(client).or_insert(Truth { connections: 0, gone_at: None, row });
        truth.connections += 1;
        truth.gone_at = None;
        let Some(max) = max else {
            let connection = self.fixture.join(client);
            self.connections.push((client, connection));
            return Ok(());
        };
        let follower = self.fixture.follow_up_to(client, max);
        let row = |row: &ClientRow| (row.client_name.clone(), (row.status, row.text.clone(), row.since));
        let rows = follower.list.iter().map(row).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(rows.len(), follower.list.len());
        let others = self.others(client);
        prop_assert!(rows.iter().all(|(name, row)| others.get(name) == Some(row)), "the list is true");
        if max == usize::MAX {
            prop_assert_eq!(&rows, &others, "and whole");
        }
        self.connections.push((client, follower.connection));
        self.views.push(View { client, follower, rows, is_surprised: false });
        Ok(())
    }

    /// Lets everybody read everything, and compares.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.expire();
        self.fixture.announce();
        for view in &mut self.views {
            for told in self.fixture.unread(&view.follower) {
                view.learn(told);
            }
            prop_assert!(!view.is_surprised);
        }
        for view in &self.views {
            prop_assert_eq!(&view.rows, &self.others(view.client), "{}", view.client);
        }
        self.fixture.announce();
        for view in &self.views {
            prop_assert!(!view.follower.mailbox.take_presence(), "it has been told everything");
        }
        let present = self.truth.len();
        prop_assert_eq!(self.fixture.roster.rows.len(), present, "who left is forgotten");
        prop_assert_eq!(self.fixture.roster.changes.len(), present);
        prop_assert_eq!(self.fixture.roster.left.len(), 0);
        Ok(())
    }
}

proptest! {
    #[test]
    fn what_everybody_was_told_adds_up_to_the_truth(
        rounds in prop::collection::vec(prop::collection::vec(step(), 0..40), 1..4),
    ) {
        let mut model = Model::new();
        for steps in rounds {
            for step in &steps {
                model.take(step)?;
            }
            model.settle()?;
        }
    }
}
