//! On a runtime with several threads.

use multichat::Side;

use crate::{
    router::join,
    support::{Router, confirmed, soon},
};

/// Handles, events and the task of each client on whatever thread is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn threads_make_no_difference() {
    const CLIENTS: usize = 4;
    const EACH: usize = 50;
    let router = Router::start().await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(join(&router, &format!("c{number}")).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (number, (client, mut feed)) in clients.into_iter().enumerate() {
        tasks.spawn(async move {
            let say = async {
                for count in 0..EACH {
                    confirmed(client.send(format!("{number} {count}"))).await.unwrap();
                }
            };
            let hear = async {
                let mut next = [0; CLIENTS];
                for _ in 0..(CLIENTS - 1) * EACH {
                    let text = feed.message().await.content.clone();
                    let (from, count) = text.split_once(' ').unwrap();
                    let next = &mut next[from.parse::<usize>().unwrap()];
                    assert_eq!(count, next.to_string());
                    *next += 1;
                }
            };
            tokio::join!(say, hear);
            soon("the end", client.close()).await;
            assert_eq!(feed.closed().await, (Side::Client, None));
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    // The end is told, whichever thread is first to see it.
    for _ in 0..100 {
        let (client, mut feed) = join(&router, "brief").await;
        let close = tokio::spawn(async move { client.close().await });
        assert_eq!(feed.closed().await, (Side::Client, None));
        assert_eq!(feed.next().await, None);
        soon("the end", close).await.unwrap();
    }
}
