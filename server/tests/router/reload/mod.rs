//! Another configuration while clients are connected.

mod certificates;
mod files;
mod keys;
mod limits;
mod rooms;
mod storm;

use serde_json::Value;

use super::support::{Client, End, KEY, Server};

/// A key that is in no log, as [`KEY`] is in none.
fn key_of(name: &str) -> String {
    format!("{KEY}-{name}")
}

fn revoked() -> End {
    End::closed(4403, "revoked")
}

/// The end of a connection whose client comes again.
fn going_away() -> End {
    End::closed(1001, "going-away")
}

fn unauthorized() -> End {
    End::closed(4401, "unauthorized")
}

/// Whether a line says that the configuration could not be loaded, for a reason with this in it.
fn is_not_reloaded(part: &str) -> impl Fn(&Value) -> bool {
    move |line| {
        line["message"] == "not reloaded: all stays as it was"
            && line["reason"].as_str().is_some_and(|reason| reason.contains(part))
    }
}

/// One says something, which all the others hear, and nothing before it.
async fn say_and_hear(from: &mut Client, name: &str, to: &mut [&mut Client], content: &str) {
    from.chat(content).await;
    for client in to {
        let heard = client.hear().await;
        assert_eq!((heard.source.as_str(), heard.content.as_str()), (name, content));
    }
}

/// Joins the default room by the shared key, under a name that has no key of its own.
async fn join(server: &Server, name: &str) -> Client {
    Client::enter(server, "/", name, KEY).await.unwrap_or_else(|end| panic!("{name}: {end:?}"))
}
