//! Two honest clients.

use std::time::Duration;

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{Client, Route, Server, Stopwatch, within};

/// The longest that one message may take while somebody attacks. Far more than it does, and far less than
/// what someone would call an outage.
const LONGEST: Duration = Duration::from_secs(5);

/// Two honest clients that talk to each other all the time. Whatever else happens in the room, each hears
/// the other without delay, in order, and misses nothing.
#[derive(Debug)]
pub(crate) struct Pair {
    rounds: watch::Receiver<u32>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Pair {
    pub(crate) async fn start(server: &Server) -> Self {
        Self::start_by(Route::USUAL, server).await
    }

    pub(crate) async fn start_by(route: Route, server: &Server) -> Self {
        let mut alice = Client::join_by(route, server, "alice").await;
        let mut bob = Client::join_by(route, server, "bob").await;
        let (progress, rounds) = watch::channel(0);
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            for round in 1.. {
                pass_on(&mut alice, &mut bob, "alice", round).await;
                pass_on(&mut bob, &mut alice, "bob", round).await;
                progress.send_replace(round);
                if !matches!(stopped.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
                    return;
                }
            }
        });
        Self { rounds, stop, task }
    }

    /// Waits until they have talked a while more.
    pub(crate) async fn talk(&mut self) {
        const ROUNDS: u32 = 20;
        let before = *self.rounds.borrow();
        if within("honest clients to talk", self.rounds.wait_for(|rounds| *rounds >= before + ROUNDS))
            .await
            .is_err()
        {
            self.fail().await;
        }
    }

    /// Lets them finish.
    pub(crate) async fn finish(mut self) {
        self.talk().await;
        let _ = self.stop.send(());
        within("honest clients to finish", self.task).await.unwrap();
    }

    async fn fail(&mut self) {
        // Panics as the task did.
        (&mut self.task).await.unwrap();
    }
}

async fn pass_on(from: &mut Client, to: &mut Client, name: &str, round: u32) {
    let content = format!("{name} says {round}");
    let start = Stopwatch::start();
    from.chat(&content).await;
    let heard = loop {
        // Others may be in the room.
        let heard = to.hear().await;
        if heard.source == name {
            break heard;
        }
    };
    assert_eq!(heard.content, content, "in order, and none lost");
    let lap = start.stop();
    assert!(lap.at_work < LONGEST, "{lap:?}");
}
