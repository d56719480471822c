//! The writer as its callers see it: groups, refusals, trouble and healing.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::audit::AuditEntry;
use super::*;

struct House {
    store: Store,
    thread: Option<WriterThread>,
    temp: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let temp = tempfile::tempdir().expect("a place");
        let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        let (store, thread) =
            Store::open(&DataDir::new(temp.path()), &clock).expect("a new database");
        Self { store, thread: Some(thread), temp }
    }

    /// What any other connection sees.
    fn count(&self, sql: &str) -> i64 {
        let conn = Connection::open(self.temp.path().join("lockerd.db")).expect("there");
        conn.query_row(sql, [], |row| row.get(0)).expect("readable")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.store.close();
        self.thread.take().expect("joined once").join();
    }
}

fn note(tx: &mut Tx<'_>, subject: &str) -> Result<(), StoreError> {
    tx.audit(&AuditEntry { actor: None, action: "test.note", subject, detail: "{}" })
}

#[tokio::test]
async fn a_refusing_job_that_wrote_undoes_itself_and_nothing_else() {
    let house = House::new();
    let mut waiting = Vec::new();
    for number in 0..40 {
        let store = house.store.clone();
        waiting.push(tokio::spawn(async move {
            store
                .write(Lane::Change, move |tx| {
                    note(tx, &format!("n:{number}"))?;
                    if number % 3 == 0 { Err(StoreError::Overloaded) } else { Ok(number) }
                })
                .await
        }));
    }
    let mut refused = 0;
    for task in waiting {
        refused += usize::from(task.await.expect("no panic").is_err());
    }
    assert_eq!(refused, 14);
    assert_eq!(house.count("SELECT count(*) FROM audit"), 26);
    let found = check::check(&house.temp.path().join("lockerd.db")).expect("readable");
    assert_eq!(found, Vec::<String>::new(), "the chain holds over undone jobs");
}

#[tokio::test]
async fn an_answer_means_that_others_see_it() {
    let house = House::new();
    for number in 1..=5 {
        house.store.write(Lane::Change, |tx| note(tx, "n:1")).await.expect("stored");
        assert_eq!(house.count("SELECT count(*) FROM audit"), number);
    }
}

#[tokio::test]
async fn a_job_that_writes_nothing_publishes_nothing() {
    let house = House::new();
    let version = house.store.snapshot().version;
    house.store.write(Lane::Change, |tx| note(tx, "n:1")).await.expect("stored");
    assert_eq!(house.store.snapshot().version, version);
    house
        .store
        .write::<(), StoreError, _>(Lane::Change, |tx| {
            tx.apply(&Change::Site);
            Ok(())
        })
        .await
        .expect("stored");
    assert_eq!(house.store.snapshot().version, version + 1);
}

#[tokio::test]
async fn trouble_refuses_changes_and_heals_by_itself() {
    let house = House::new();
    let failed = house
        .store
        .write::<(), StoreError, _>(Lane::Change, |tx| {
            note(tx, "n:lost")?;
            Err(StoreError::Degraded(Trouble::Full))
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Degraded(Trouble::Full))), "{failed:?}");
    assert_eq!(house.store.degraded().map(|it| it.trouble), Some(Trouble::Full));
    let tries = AtomicUsize::new(0);
    while house.store.degraded().is_some() {
        assert!(tries.fetch_add(1, Ordering::Relaxed) < 100, "not healed in 5 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.store.write(Lane::Change, |tx| note(tx, "n:kept")).await.expect("healed");
    assert_eq!(house.count("SELECT count(*) FROM audit WHERE subject = 'n:lost'"), 0);
    let found = check::check(&house.temp.path().join("lockerd.db")).expect("readable");
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_file_starts_from_the_saved_snapshot_or_not_at_all() {
    let temp = tempfile::tempdir().expect("a place");
    let dir = DataDir::new(temp.path());
    let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    std::fs::write(dir.database(), "not a database ".repeat(100)).expect("written");
    assert!(Store::open(&dir, &clock).is_err(), "nothing to start from");
    fallback::save(&dir.snapshot(), &Snapshot::new(7, Arc::default(), [], [])).expect("saved");
    let (store, thread) = Store::open(&dir, &clock).expect("degraded");
    assert_eq!(store.degraded().map(|it| it.trouble), Some(Trouble::Corrupt));
    assert_eq!(store.snapshot().version, 7);
    let refused = store.write(Lane::Change, |tx| note(tx, "n:1")).await;
    assert!(matches!(refused, Err(StoreError::Degraded(Trouble::Corrupt))), "{refused:?}");
    store.close();
    thread.join();
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_replaced_by_an_empty_one() {
    let temp = tempfile::tempdir().expect("a place");
    let dir = DataDir::new(temp.path());
    let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    fallback::save(&dir.snapshot(), &Snapshot::new(7, Arc::default(), [], [])).expect("saved");
    let (store, thread) = Store::open(&dir, &clock).expect("degraded");
    assert_eq!(store.degraded().map(|it| it.trouble), Some(Trouble::Io));
    tokio::time::sleep(writer::HEAL_INTERVAL + Duration::from_millis(300)).await;
    assert!(store.degraded().is_some() && !dir.database().exists());
    store.close();
    thread.join();
}

#[tokio::test]
async fn after_closing_nothing_is_accepted() {
    let house = House::new();
    house.store.close();
    let refused = house.store.write(Lane::Change, |tx| note(tx, "n:1")).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
}

#[tokio::test]
async fn a_bell_rings_for_a_message_and_for_nothing_else() {
    let house = House::new();
    let rings = async || {
        let waited = Duration::from_millis(200);
        tokio::time::timeout(waited, house.store.posted().notified()).await.is_ok()
    };
    house.store.write(Lane::Change, |tx| note(tx, "n:1")).await.expect("stored");
    assert!(!rings().await);
    let post = |tx: &mut Tx<'_>| {
        let to = outbox::Recipient::Address("a@b.kr", "ko");
        let message =
            outbox::NewMessage { kind: "test", to, payload: "{}", sealed: None, message_id: "m" };
        outbox::insert_message(tx.conn, &message, tx.now_ms())
    };
    house.store.write(Lane::Change, post).await.expect("stored");
    assert!(rings().await, "also for who asks after the commit");
    assert!(!rings().await, "once");
}

#[tokio::test]
async fn a_job_sees_the_places_as_the_job_before_it_left_them() {
    let house = House::new();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel::<()>();
    let store = house.store.clone();
    // While this one keeps the writer, the others come together into one batch.
    let first = tokio::spawn(async move {
        store
            .write::<(), StoreError, _>(Lane::Change, move |_| {
                let _ = begun.send(());
                let _ = wait.recv_timeout(Duration::from_secs(5));
                Ok(())
            })
            .await
    });
    has_begun.recv().await.expect("it runs");
    let name = crate::domain::name::Name::parse("가", None).expect("valid");
    let (one, two) = (house.store.clone(), house.store.clone());
    let made = tokio::spawn(async move {
        one.write::<_, StoreError, _>(Lane::Change, move |tx| {
            let id = banks::insert_location(tx.conn, &name)?;
            tx.apply(&Change::Site);
            assert!(tx.snapshot().site.locations.is_empty(), "its own change is for the next one");
            Ok(id)
        })
        .await
    });
    while house.store.queued() < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seen = tokio::spawn(async move {
        two.write::<_, StoreError, _>(Lane::Change, |tx| {
            Ok(tx.snapshot().site.locations.keys().copied().collect::<Vec<_>>())
        })
        .await
    });
    while house.store.queued() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    go.send(()).expect("the first one waits");
    first.await.expect("no panic").expect("stored");
    let id = made.await.expect("no panic").expect("stored");
    assert_eq!(seen.await.expect("no panic").expect("answered"), [id]);
    assert_eq!(house.store.snapshot().site.locations.len(), 1);
}
