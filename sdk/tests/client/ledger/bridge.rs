//! One of those who talk.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use multichat::{
    Client, Confirmation, Event, Events, Fate, GapCause, SendFailure, Sent, State, Timeouts,
    protocol::ClientMessage,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{Proxy, Weather, soon, soon_enough};

const TWO_MINUTES: Duration = Duration::from_mins(2);

/// What is to happen.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) bridges: usize,
    /// How many messages each of them says.
    pub(crate) packets: usize,
    pub(crate) weather: Weather,
    pub(crate) history: u64,
    /// How many events are kept for it, and how long it takes for one.
    pub(crate) capacity: usize,
    pub(crate) slow: Option<Duration>,
    /// How many messages have been said, of all.
    pub(crate) said: Arc<watch::Sender<usize>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            bridges: 3,
            packets: 100,
            weather: Weather::Calm,
            history: 0,
            capacity: 8192,
            slow: None,
            said: Arc::new(watch::Sender::new(0)),
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Logged(u64),
    Unknown,
    NotSent(String),
}

impl Outcome {
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    fn of(outcome: Result<Confirmation, SendFailure>) -> Self {
        match outcome {
            Ok(Confirmation::Logged { seq, .. }) => Self::Logged(seq),
            Err(failure) if failure.fate == Fate::Unknown => Self::Unknown,
            Err(failure) => Self::NotSent(failure.code().to_owned()),
            other => panic!("{other:?} from a rich router"),
        }
    }
}

/// An entry, as one bridge was told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) epoch: Arc<str>,
    pub(crate) seq: u64,
    pub(crate) content: String,
    pub(crate) own: bool,
}

/// What it knows at the end.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) name: String,
    /// What it said, in its order.
    pub(crate) outcomes: Vec<(String, Outcome)>,
    /// What it was told, in that order.
    pub(crate) heard: Vec<Entry>,
    /// Behind how many entries there was a gap, and of what kind.
    pub(crate) gaps: Vec<(usize, GapCause, Option<u64>)>,
    /// The events that it took, and those that it was too slow for.
    pub(crate) events: u64,
    pub(crate) lagged: u64,
    epoch: Option<Arc<str>>,
}

impl Book {
    /// What it got into a log, with its place.
    pub(crate) fn logged(&self) -> impl Iterator<Item = (&str, u64)> {
        self.outcomes.iter().filter_map(|(content, outcome)| match outcome {
            Outcome::Logged(seq) => Some((content.as_str(), *seq)),
            _ => None,
        })
    }

    /// Of how many logs it was told entries.
    pub(crate) fn epochs(&self) -> usize {
        self.heard.iter().map(|entry| &entry.epoch).collect::<HashSet<_>>().len()
    }

    fn note(&mut self, event: Event) {
        self.events += 1;
        match event {
            Event::State(State::Online { epoch, .. }) => self.epoch = epoch,
            Event::State(State::Closed { by, cause }) => {
                panic!("{} was closed by {by:?}: {cause:?}", self.name)
            }
            Event::Gap(gap) => self.gaps.push((self.heard.len(), gap.cause, gap.missed)),
            Event::Message(message) => self.heard.push(Entry {
                // Who is slow may not have been told.
                epoch: self.epoch.clone().unwrap_or_default(),
                seq: message.place.expect("the router speaks rich").seq,
                content: message.content.clone(),
                own: message.own,
            }),
            Event::Lagged { events } => {
                self.events -= 1;
                self.lagged += events;
            }
            _ => {}
        }
    }
}

/// Short enough for a connection that is dead without a sign to be noticed.
fn impatient() -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(500),
        register: Duration::from_millis(300),
        ack: Duration::from_secs(5),
        silence: Duration::from_millis(200),
        ..Timeouts::default()
    }
}

/// All of them are there, and say what they have to say on a line that breaks; then the sky clears, and each says
/// a last word.
pub(crate) async fn talk(plan: &Plan, proxy: &Proxy) -> Vec<Book> {
    let mut listeners = JoinSet::new();
    let is_over = watch::Sender::new(false);
    let mut clients = Vec::new();
    proxy.change(Weather::Calm);
    for number in 0..plan.bridges {
        let name = format!("bridge {number}");
        let builder =
            proxy.client(&name).timeouts(impatient()).history(plan.history).event_capacity(plan.capacity);
        let (client, events) = builder.start().unwrap();
        soon("the first ack", is_online(&client)).await;
        let book = Book { name, ..Book::default() };
        listeners.spawn(listen(book, events, plan.slow, plan.bridges, is_over.subscribe()));
        clients.push(client);
    }
    proxy.change(plan.weather);
    proxy.cut();
    let mut speakers = JoinSet::new();
    for (number, client) in clients.iter().enumerate() {
        speakers.spawn(speak(format!("bridge {number}"), client.clone(), plan.clone()));
    }
    let outcomes = soon_enough(TWO_MINUTES, "all that is said", speakers.join_all()).await;
    proxy.change(Weather::Calm);
    proxy.cut();
    let books = part(plan, &clients, listeners, &is_over);
    let mut books = soon_enough(TWO_MINUTES, "all that is heard", books).await;
    for (name, outcomes) in outcomes {
        let book = books.iter_mut().find(|book| book.name == name).unwrap();
        book.outcomes = outcomes;
    }
    books
}

async fn is_online(client: &Client) {
    let mut states = client.states();
    while !matches!(states.next().await, Some(State::Online { .. })) {}
}

/// Has each say its last word until all have heard it: who is not back yet, and whose session is forgotten, is not
/// told.
async fn part(
    plan: &Plan,
    clients: &[Client],
    listeners: JoinSet<Book>,
    is_over: &watch::Sender<bool>,
) -> Vec<Book> {
    let mut books = pin!(listeners.join_all());
    for attempt in 1.. {
        for (number, client) in clients.iter().enumerate() {
            // What became of it, the others know.
            let _ = client.send(format!("bridge {number}, {attempt}: the end")).await;
        }
        // Who is slow may never be told.
        is_over.send_replace(plan.slow.is_some());
        if let Ok(books) = timeout(Duration::from_millis(200), &mut books).await {
            return books;
        }
    }
    Vec::new()
}

/// Says all of it, now one at a time, now as much as there is room for.
async fn speak(name: String, client: Client, plan: Plan) -> (String, Vec<(String, Outcome)>) {
    let mut outcomes = Vec::new();
    let mut on_the_way: Vec<(String, Sent)> = Vec::new();
    for number in 0..plan.packets {
        let content = format!("{name}: {number}");
        client.ready().await;
        // Now and then one that is long enough to be cut in its middle.
        let text = if number % 17 == 0 { format!("{content} {}", "x".repeat(3000)) } else { content };
        on_the_way.push((text.clone(), client.send(ClientMessage::new(text))));
        plan.said.send_modify(|said| *said += 1);
        if number % 10 == 9 {
            for (content, sent) in on_the_way.drain(..) {
                outcomes.push((content, Outcome::of(sent.await)));
            }
        }
    }
    for (content, sent) in on_the_way {
        outcomes.push((content, Outcome::of(sent.await)));
    }
    (name, outcomes)
}

/// Takes events until all others have said their last word.
async fn listen(
    mut book: Book,
    mut events: Events,
    slow: Option<Duration>,
    bridges: usize,
    mut is_over: watch::Receiver<bool>,
) -> Book {
    let mut ends = HashSet::new();
    while ends.len() < bridges - 1 {
        let event = tokio::select! {
            biased;
            event = events.next() => event.expect("it has not ended"),
            Ok(_) = is_over.wait_for(|is_over| *is_over) => break,
        };
        if let Event::Message(message) = &event
            && message.content.ends_with("the end")
            && !message.own
        {
            ends.insert(message.source_client_name.clone());
        }
        book.note(event);
        if let Some(time) = slow {
            sleep(time).await;
        }
    }
    book
}
