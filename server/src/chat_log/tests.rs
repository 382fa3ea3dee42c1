use std::collections::VecDeque;

use multichat::protocol::ClientName;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};

use super::*;
use crate::room::{Author, Draft, LogBounds, Mailbox, Origin, RoomBounds, SessionBounds};

/// What becomes of one write.
enum Fate {
    /// So many bytes are taken.
    Takes(usize),
    Fails,
}

/// A disk on which things go wrong, in the order in which they are listed; after that, all goes well.
#[derive(Clone, Default)]
struct Disk {
    written: Arc<Mutex<Vec<u8>>>,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    opened: Arc<Mutex<u32>>,
    progress: Arc<Notify>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.notify_one();
        let fate = self.fates.lock().pop_front();
        let count = match fate {
            None => bytes.len(),
            Some(Fate::Takes(count)) => count.min(bytes.len()),
            Some(Fate::Fails) => return Err(io::ErrorKind::StorageFull.into()),
        };
        self.written.lock().extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk {
    fn with(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self { fates: Arc::new(Mutex::new(fates.into_iter().collect())), ..Self::default() }
    }

    fn open(&self) -> Open {
        let disk = self.clone();
        Arc::new(move |_, _| {
            *disk.opened.lock() += 1;
            let is_torn = disk.written.lock().last().is_some_and(|byte| *byte != b'\n');
            Ok(Opened { file: Box::new(disk.clone()), is_torn })
        })
    }

    fn lines(&self) -> Vec<Value> {
        let written = String::from_utf8(self.written.lock().clone()).unwrap();
        assert!(written.is_empty() || written.ends_with('\n'), "{written}");
        written.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    fn contents(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["content"].as_str().unwrap().to_owned()).collect()
    }
}

/// A room of which so many entries are kept, served by a fan-out.
fn room(entries: usize) -> Arc<Room> {
    let bounds = RoomBounds {
        log: LogBounds { entries, bytes: 1 << 24 },
        sessions: SessionBounds { retention: Duration::from_mins(10), detached: 10 },
    };
    let room = Arc::new(Room::new(bounds, "an epoch".to_owned(), 1));
    tokio::spawn(room.clone().fan_out(0));
    room
}

fn say(room: &Room, content: &str) {
    let client_name = ClientName::parse("irc", 64).unwrap();
    let author = Arc::new(Author { origin: Origin(7), client_name, sender_name: None });
    room.publish(Draft::plain(&author, content.to_owned()), &Mailbox::new(0));
}

fn files() -> ChatLog {
    ChatLog { folder: "unused".into(), rotate: crate::config::Rotate::Daily, keep: None }
}

/// Starts to write.
fn write(room: &Arc<Room>, disk: &Disk) -> (JoinHandle<()>, watch::Sender<Order>) {
    let (orders, ordered) = watch::channel(Some(files()));
    let writer = ChatLogWriter::to("hall", room.clone(), ordered, disk.open());
    (tokio::spawn(writer.run()), orders)
}

/// Lets the writer write all that there is.
async fn settle() {
    sleep(PAUSE).await;
}

#[tokio::test(start_paused = true)]
async fn lines_are_what_rich_clients_are_told() {
    let (room, disk) = (room(100), Disk::default());
    say(&room, "before");
    let (writer, _orders) = write(&room, &disk);
    say(&room, "\"one\"\nline");
    room.close();
    writer.await.unwrap();
    let mut lines = disk.lines();
    assert_eq!(lines.len(), 1, "from now on: {lines:?}");
    assert!(lines[0]["time"].as_u64().unwrap() > 1_600_000_000_000);
    lines[0].as_object_mut().unwrap().remove("time");
    let expected = json!({"room": "hall", "epoch": "an epoch", "action": "forwarding-message",
        "source-client-name": "irc", "content": "\"one\"\nline", "seq": 2});
    assert_eq!(lines[0], expected);
}

/// On a terminal, and for programs that take more for the end of a line than JSON Lines does.
#[tokio::test(start_paused = true)]
async fn what_is_said_is_tame_in_the_files() {
    let (room, disk) = (room(100), Disk::default());
    let (writer, _orders) = write(&room, &disk);
    let wild = "\u{9b}2J\u{1b}[2J\u{85}\u{2028}{\"room\":\"hall\"}\u{7f}\u{202e}é\u{200d}👧\u{61c}";
    say(&room, wild);
    room.close();
    writer.await.unwrap();
    assert_eq!(disk.contents(), [wild]);
    let written = String::from_utf8(disk.written.lock().clone()).unwrap();
    let tame = r#""\u009b2J\u001b[2J\u0085\u2028{\"room\":\"hall\"}\u007f\u202eé‍👧\u061c""#;
    assert!(written.contains(tame), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_the_disk_does_each_entry_is_written_once_and_whole() {
    use Fate::{Fails, Takes};
    let disk = Disk::with([Takes(7), Fails, Takes(1), Takes(0), Takes(100), Fails, Fails, Takes(50)]);
    let room = room(100);
    let (writer, _orders) = write(&room, &disk);
    let expected: Vec<_> = (0..20).map(|number| format!("number {number}")).collect();
    for content in &expected {
        say(&room, content);
        sleep(PAUSE / 3).await;
    }
    room.close();
    writer.await.unwrap();
    assert_eq!(disk.contents(), expected);
    assert_eq!(*disk.opened.lock(), 5, "anew after each failure");
}

#[tokio::test(start_paused = true)]
async fn the_room_does_not_wait_and_what_is_missing_is_counted() {
    let disk = Disk::with((0..5).map(|_| Fate::Fails));
    let room = room(16);
    let (writer, _orders) = write(&room, &disk);
    say(&room, "first");
    disk.progress.notified().await;
    for number in 0..100 {
        say(&room, &format!("number {number}"));
    }
    assert_eq!(room.newest(), 101);
    sleep(10 * PAUSE).await;
    room.close();
    writer.await.unwrap();
    let contents = disk.contents();
    assert_eq!(contents.len(), 17, "the first, and what the log still held: {contents:?}");
    assert_eq!((&*contents[0], &*contents[1], &*contents[16]), ("first", "number 84", "number 99"));
}

#[tokio::test(start_paused = true)]
async fn files_are_opened_anew_without_a_gap_or_a_double() {
    use Fate::{Fails, Takes};
    // Orders come in the midst of writing, of failing, and of nothing.
    for fates in [vec![], vec![Takes(7), Takes(7), Takes(7)], vec![Takes(7), Fails, Takes(7), Fails]] {
        let (room, disk) = (room(1000), Disk::with(fates));
        let (writer, orders) = write(&room, &disk);
        for number in 0..40 {
            say(&room, &number.to_string());
            if number % 3 == 0 {
                orders.send_replace(Some(files()));
            }
            if number % 4 == 0 {
                settle().await;
            }
        }
        let opened = *disk.opened.lock();
        assert!(opened > 10, "{opened}");
        room.close();
        writer.await.unwrap();
        assert_eq!(disk.contents(), (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_breaks_off_is_whole_in_the_next_folder() {
    let full =
        Disk::with([Fate::Takes(100), Fate::Takes(7)].into_iter().chain((0..100).map(|_| Fate::Fails)));
    let (room, other) = (room(100), Disk::default());
    let (orders, ordered) = watch::channel(Some(files()));
    let opens = [full.open(), other.open()];
    let open: Open =
        Arc::new(move |config, name| opens[usize::from(config.folder.ends_with("other"))](config, name));
    let writer = tokio::spawn(ChatLogWriter::to("hall", room.clone(), ordered, open).run());
    let content = "x".repeat(200);
    say(&room, &content);
    settle().await;
    assert_eq!(full.written.lock().len(), 107);
    orders.send_replace(Some(ChatLog { folder: "other".into(), ..files() }));
    say(&room, "after");
    room.close();
    writer.await.unwrap();
    assert_eq!(other.contents(), [content, "after".to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_somebody_left_unfinished_does_not_spoil_the_next() {
    let (room, disk) = (room(100), Disk::default());
    disk.written.lock().extend(b"{\"unfini");
    let (writer, _orders) = write(&room, &disk);
    say(&room, "hello");
    room.close();
    writer.await.unwrap();
    let written = String::from_utf8(disk.written.lock().clone()).unwrap();
    let (unfinished, rest) = written.split_once('\n').unwrap();
    assert_eq!(unfinished, "{\"unfini");
    assert_eq!(serde_json::from_str::<Value>(rest).unwrap()["content"], "hello");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_nobody_wants_it() {
    let (room, disk) = (room(1000), Disk::default());
    let (orders, ordered) = watch::channel(None);
    let writer = tokio::spawn(ChatLogWriter::to("hall", room.clone(), ordered, disk.open()).run());
    for (order, content) in [(None, "a"), (Some(files()), "b"), (None, "c"), (Some(files()), "d")] {
        orders.send_replace(order);
        settle().await;
        say(&room, content);
        settle().await;
    }
    assert_eq!(disk.contents(), ["b", "d"]);
    orders.send_replace(None);
    settle().await;
    drop(orders);
    writer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_file_is_found_before_anything_is_said() {
    let (room, disk) = (room(16), Disk::default());
    let (_writer, _orders) = write(&room, &disk);
    settle().await;
    assert_eq!(*disk.opened.lock(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_full_does_not_keep_the_router() {
    let disk = Disk::with((0..1000).map(|_| Fate::Fails));
    let room = room(16);
    let (writer, _orders) = write(&room, &disk);
    say(&room, "lost");
    disk.progress.notified().await;
    let start = Instant::now();
    room.close();
    writer.await.unwrap();
    assert!(start.elapsed() <= LAST_WORDS + 2 * PAUSE);
    assert_eq!(disk.contents(), [""; 0]);
}
