//! Bridges that talk at once over lines that break, and the books that each of them keeps.

mod bridge;
mod check;

use std::time::Duration;

use serde_json::json;

use crate::support::{Proxy, Router, Weather};
use bridge::{Book, Plan, talk};
use check::{check, check_alone, in_its_order};

const STORM: Weather = Weather::Stormy { bytes: 20_000 };

/// A few bridges on a line in a storm; in the middle of it, `trouble` happens. What each of them knows at the end.
async fn room(
    router: Router,
    plan: Plan,
    seed: u64,
    trouble: impl AsyncFnOnce(Router, &Proxy) -> Router,
) -> Vec<Book> {
    let proxy = Proxy::start(router.address(), plan.weather, seed).await;
    let mut said = plan.said.subscribe();
    let (books, _router) = tokio::join!(talk(&plan, &proxy), async {
        said.wait_for(|said| *said >= plan.packets * plan.bridges / 2).await.unwrap();
        trouble(router, &proxy).await
    });
    println!("seed {seed}: {} connections were broken", proxy.drops());
    assert!(plan.weather == Weather::Calm || proxy.drops() >= plan.bridges, "the line did break");
    books
}

#[tokio::test]
async fn what_is_confirmed_is_received_exactly_once() {
    for seed in 1..=2 {
        let plan = Plan { bridges: 4, packets: 150, weather: STORM, ..Plan::default() };
        let books = room(Router::start().await, plan, seed, async |router, _| router).await;
        for book in &books {
            assert_eq!(book.gaps, [], "the log held everything");
            assert_eq!(book.epochs(), 1);
            assert_eq!(book.logged().count(), 150, "{} got all of it in", book.name);
            in_its_order(book);
        }
        check(&books);
    }
}

#[tokio::test]
async fn it_holds_over_restarts_of_the_router() {
    for seed in 11..=12 {
        let plan = Plan { bridges: 4, packets: 150, weather: STORM, ..Plan::default() };
        let books = room(Router::start().await, plan, seed, async |router, proxy| {
            let next = Router::start().await;
            // Some see its goodbye, others nothing of it.
            if seed % 2 == 0 {
                drop(router);
            } else {
                router.stop().await;
            }
            proxy.lead_to(next.address());
            next
        })
        .await;
        let lived_through_it = books.iter().filter(|book| book.epochs() == 2).count();
        assert!(lived_through_it > 0, "everybody was away: this tests nothing");
        check(&books);
    }
}

#[tokio::test]
async fn it_holds_for_a_log_that_forgets() {
    let mut forgotten = 0;
    for seed in 21..=22 {
        let router = Router::with_limits(json!({"log-entries": 16})).await;
        let plan =
            Plan { bridges: 4, packets: 100, weather: Weather::Stormy { bytes: 6_000 }, ..Plan::default() };
        let books = room(router, plan, seed, async |router, _| router).await;
        forgotten += books.iter().map(|book| book.gaps.len()).sum::<usize>();
        check(&books);
    }
    assert!(forgotten > 0, "the log was large enough for every break: this tests nothing");
}

#[tokio::test]
async fn it_holds_for_sessions_that_are_forgotten() {
    let mut forgotten = 0;
    for seed in 31..=32 {
        let router = Router::with_limits(json!({"session-seconds": 0.002})).await;
        let plan = Plan { bridges: 3, packets: 150, history: 20, weather: STORM, ..Plan::default() };
        let books = room(router, plan, seed, async |router, _| router).await;
        forgotten +=
            books.iter().flat_map(|book| &book.outcomes).filter(|(_, outcome)| outcome.is_unknown()).count();
        check(&books);
    }
    assert!(forgotten > 0, "every session was resumed: this tests nothing");
}

#[tokio::test]
async fn it_holds_at_a_rate_that_is_too_low() {
    let limits = json!({"messages-per-second": 200, "messages-burst": 10});
    let router = Router::with_limits(limits).await;
    let plan = Plan { bridges: 3, packets: 100, weather: STORM, ..Plan::default() };
    let books = room(router, plan, 41, async |router, _| router).await;
    for book in &books {
        assert_eq!(book.logged().count(), 100, "{} got all of it in", book.name);
    }
    check(&books);
}

#[tokio::test]
async fn it_holds_for_a_program_that_is_slow() {
    let plan = Plan {
        bridges: 3,
        packets: 400,
        slow: Some(Duration::from_millis(1)),
        capacity: 20,
        ..Plan::default()
    };
    let books = room(Router::start().await, plan, 51, async |router, _| router).await;
    let lagged: u64 = books.iter().map(|book| book.lagged).sum();
    assert!(lagged > 0, "nobody was slow: this tests nothing");
    for book in &books {
        // All that was dropped is counted, states and others' messages alike; but what waits for it is not, and that
        // is as much as is kept, once in the client and once in the hands of `Events`.
        let told = book.events + book.lagged;
        let least = 800 + 3 - 2 * 20;
        assert!(told >= least, "{} was told of {told} events, of {least} at least", book.name);
    }
    books.iter().for_each(check_alone);
}
