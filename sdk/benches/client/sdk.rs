//! The work done by [`multichat::Client`], as a program would use it.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use multichat::{Client, Confirmation, Event, Events, SendFailure, Sent};
use multichat_bench::{Result, Tally};
use tokio::time::timeout;

use super::{
    ledger::Ledger,
    subject::{Book, Findings, Scales, Task, Work},
    wire::{self, FIRST},
};

/// How long to wait for what comes once too often.
pub(crate) const AFTER: Duration = Duration::from_millis(20);

pub(crate) async fn run(task: &Task, port: u16) -> Result<Findings> {
    if task.work == Work::Idle {
        return idle(task, port).await;
    }
    let (client, events) = connect(port).await?;
    match task.work {
        Work::Receive => receive(task, events).await,
        Work::Turns => turns(task, client).await,
        _ => send(task, client).await,
    }
}

async fn connect(port: u16) -> Result<(Client, Events)> {
    Ok(Client::builder(format!("ws://127.0.0.1:{port}/"), wire::NAME).key(wire::KEY).connect().await?)
}

async fn receive(task: &Task, mut events: Events) -> Result<Findings> {
    let mut book = Book::new(task);
    while !book.is_full() {
        book.enter(hear(&mut events).await?);
    }
    while let Ok(number) = timeout(AFTER, hear(&mut events)).await {
        book.enter(number?);
    }
    Ok(book.close())
}

/// The number of the next message.
async fn hear(events: &mut Events) -> Result<u64> {
    loop {
        match events.next().await {
            Some(Event::Message(message)) => {
                return Ok(wire::number(message.content.as_bytes()).ok_or("a content without a number")?);
            }
            Some(Event::State(state)) if !state.is_closed() => {}
            other => return Err(format!("the client says {other:?}").into()),
        }
    }
}

/// Says something whenever there is room, and takes note of what has been acknowledged meanwhile.
async fn send(task: &Task, client: Client) -> Result<Findings> {
    let mut book = Book::new(task);
    let mut unanswered: VecDeque<Sent> = VecDeque::new();
    for number in 0..task.count {
        client.ready().await;
        unanswered.push_back(client.send(wire::content(FIRST + number, task.size)));
        let mut context = Context::from_waker(Waker::noop());
        while let Some(first) = unanswered.front_mut()
            && let Poll::Ready(outcome) = Pin::new(first).poll(&mut context)
        {
            book.enter(place(outcome)?);
            unanswered.pop_front();
        }
    }
    client.flush().await;
    for sent in unanswered {
        book.enter(place(sent.await)?);
    }
    Ok(book.close())
}

/// Says something, waits until it is in the log, says something again.
async fn turns(task: &Task, client: Client) -> Result<Findings> {
    let mut book = Book::new(task);
    for number in 0..task.count {
        let outcome = client.send(wire::content(FIRST + number, task.size)).await;
        book.enter(place(outcome)?);
    }
    Ok(book.close())
}

/// The number in the log, counted from 0.
fn place(outcome: std::result::Result<Confirmation, SendFailure>) -> Result<u64> {
    let seq = outcome.map_err(|failure| failure.explain())?.seq().ok_or("it was not acknowledged")?;
    Ok(seq.checked_sub(FIRST).ok_or("it is at a place that is none")?)
}

async fn idle(task: &Task, port: u16) -> Result<Findings> {
    let mut scales = Scales::default();
    let mut clients = Vec::with_capacity(usize::try_from(task.count)? + 1);
    let mut tally = Tally::default();
    for _ in 0..=task.count {
        let (client, mut events) = connect(port).await?;
        if task.size > 0 {
            let mut ledger = Ledger::default();
            ledger.enter(hear(&mut events).await?);
            tally += ledger.close(1);
            client.send(wire::content(FIRST, task.size)).await.map_err(|failure| failure.explain())?;
        }
        clients.push(client);
        // What comes is waited for in a task of its own.
        tokio::spawn(async move { while events.next().await.is_some() {} });
        tokio::task::yield_now().await;
        scales.add()?;
    }
    scales.close(tally)
}
