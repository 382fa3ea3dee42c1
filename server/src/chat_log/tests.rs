use std::{collections::VecDeque, ops::Range};

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
    Panics,
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
            Some(Fate::Panics) => panic!("a fault that the test asked for"),
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
        Arc::new(move || {
            *disk.opened.lock() += 1;
            Ok(Box::new(disk.clone()))
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

/// Starts to write.
fn write(room: &Arc<Room>, disk: &Disk) -> (JoinHandle<()>, oneshot::Sender<Seq>) {
    let (stop, stopped) = oneshot::channel();
    let writer = ChatLogWriter::to("hall", room.clone(), 1, room.newest(), disk.open());
    (tokio::spawn(writer.run(stopped)), stop)
}

/// Lets the writer write all that there is.
async fn settle() {
    sleep(PAUSE).await;
}

#[tokio::test(start_paused = true)]
async fn lines_are_what_rich_clients_are_told() {
    let (room, disk) = (room(100), Disk::default());
    say(&room, "before");
    let (writer, _stop) = write(&room, &disk);
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

#[tokio::test(start_paused = true)]
async fn whatever_the_disk_does_each_entry_is_written_once_and_whole() {
    use Fate::{Fails, Panics, Takes};
    let disk = Disk::with([Takes(7), Fails, Takes(1), Takes(0), Panics, Takes(100), Fails, Fails, Takes(50)]);
    let room = room(100);
    let (writer, _stop) = write(&room, &disk);
    let expected: Vec<_> = (0..20).map(|number| format!("number {number}")).collect();
    for content in &expected {
        say(&room, content);
        sleep(PAUSE / 3).await;
    }
    room.close();
    writer.await.unwrap();
    assert_eq!(disk.contents(), expected);
    assert_eq!(*disk.opened.lock(), 6, "anew after each failure");
}

#[tokio::test(start_paused = true)]
async fn the_room_does_not_wait_and_what_is_missing_is_counted() {
    let disk = Disk::with((0..5).map(|_| Fate::Fails));
    let room = room(16);
    let (writer, _stop) = write(&room, &disk);
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
async fn one_writer_ends_where_the_next_begins() {
    let room = room(1000);
    let (first_disk, second_disk) = (Disk::default(), Disk::default());
    let (first, stop) = write(&room, &first_disk);
    let numbers = |range: Range<u32>| range.for_each(|number| say(&room, &format!("{number}")));
    numbers(0..5);
    settle().await;
    numbers(5..10);
    let newest = room.newest();
    // Before the first has its turn, there is more already.
    stop.send(newest).unwrap();
    numbers(10..15);
    let second = ChatLogWriter::to("hall", room.clone(), 2, newest, second_disk.open());
    let (_stop, stopped) = oneshot::channel();
    let second = tokio::spawn(second.run(stopped));
    first.await.unwrap();
    numbers(15..20);
    room.close();
    second.await.unwrap();
    let written = [first_disk.contents(), second_disk.contents()].concat();
    assert_eq!(written, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_full_does_not_keep_the_router() {
    let disk = Disk::with((0..1000).map(|_| Fate::Fails));
    let room = room(16);
    let (writer, _stop) = write(&room, &disk);
    say(&room, "lost");
    disk.progress.notified().await;
    let start = Instant::now();
    room.close();
    writer.await.unwrap();
    assert!(start.elapsed() <= LAST_WORDS + 2 * PAUSE);
    assert_eq!(disk.contents(), [""; 0]);
}

#[tokio::test]
async fn files_are_named_by_the_day_and_the_oldest_go() {
    let folder = std::env::temp_dir().join(format!("multichat-chat-log-{}", std::process::id()));
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names.into_iter().map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    let config = |rotate, keep| ChatLog { folder: folder.clone(), rotate, keep };
    open(&config(Rotate::Never, None)).unwrap().write_all(b"{}\n").unwrap();
    assert_eq!(names(), ["chat.jsonl"]);
    open(&config(Rotate::Daily, Some(1))).unwrap().write_all(b"{}\n").unwrap();
    let daily = names();
    assert_eq!(daily.len(), 1, "{daily:?}");
    assert!(daily[0].starts_with("20") && daily[0].len() == "2026-01-31.jsonl".len(), "{daily:?}");
    fs::remove_dir_all(&folder).unwrap();
}
