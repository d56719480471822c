//! Plans that are carried out after something else was changed: what they went by is asked again.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::clock::Clock;
use crate::domain::member::Profile;
use crate::store::{DataDir, Store, WriterThread, accounts};

struct House {
    store: Store,
    thread: Option<WriterThread>,
    _place: tempfile::TempDir,
}

impl House {
    /// Students `A100` (1), `A200` (2) and `A300` (3) of the last roster, each with an address.
    async fn open() -> Self {
        let place = tempfile::tempdir().expect("a place");
        let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        let (store, thread) = Store::open(&DataDir::new(place.path()), &clock).expect("new");
        let house = Self { store, thread: Some(thread), _place: place };
        house
            .write(|tx| {
                for (id, email) in [("A100", "a@b.kr"), ("A200", "b@b.kr"), ("A300", "c@b.kr")] {
                    let profile = Profile::parse(id, "가", None, Some(email)).expect("valid");
                    let id = insert(tx, None, &profile, Role::Student, None)?;
                    members::update_on_roster(tx.conn, id, true, None)?;
                }
                Ok(())
            })
            .await;
        house
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.write(Lane::Change, work).await.expect("carried out")
    }

    async fn row(&self, id: i64) -> MemberRow {
        let row = self.store.read(move |conn| members::find_by_id(conn, MemberId(id))).await;
        row.expect("readable").expect("there")
    }

    /// What a file changes as of now, with who is gone.
    async fn plan(&self, rows: &str) -> (Vec<Step>, Vec<Step>) {
        let text = format!("student_id,name,email\n{rows}");
        let file = RosterFile::read(text.as_bytes()).expect("a roster");
        let known = self.store.read(members::list_known).await.expect("readable");
        Plan::make(file, &known).into_steps(true)
    }

    async fn carry_out(&self, steps: Vec<Step>, together: bool) -> Result<Done, Error> {
        self.store.write(Lane::Change, move |tx| carry_out(tx, None, &steps, together)).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.store.close();
        self.thread.take().expect("joined once").join();
    }
}

#[tokio::test]
async fn who_became_staff_meanwhile_is_neither_changed_nor_marked() {
    let house = House::open().await;
    let (_, rest) = house.plan("A100,나,x@b.kr\nA200,가,\n").await;
    assert_eq!(rest.len(), 2, "one changes, one leaves");
    house
        .write(|tx| {
            for id in [1, 3] {
                members::update_role(tx.conn, MemberId(id), Role::Staff)?;
            }
            Ok(())
        })
        .await;
    let done = house.carry_out(rest, false).await.expect("carried out");
    assert_eq!((done.changed, done.leavers, done.errors.len()), (0, 0, 1));
    assert_eq!((done.errors[0].line, &*done.errors[0].error), (2, NO_STUDENT_ANY_MORE));
    let (first, third) = (house.row(1).await, house.row(3).await);
    assert_eq!((first.name.as_str(), third.leaving_ms), ("가", None));
}

#[tokio::test]
async fn who_was_taken_off_the_roster_meanwhile_does_not_leave_a_second_time() {
    let house = House::open().await;
    let (_, rest) = house.plan("A100,가,\nA200,가,\n").await;
    house.write(|tx| Ok(members::update_on_roster(tx.conn, MemberId(3), false, None)?)).await;
    let done = house.carry_out(rest, false).await.expect("carried out");
    assert_eq!((done.leavers, house.row(3).await.leaving_ms), (0, None));
}

#[tokio::test]
async fn an_address_that_was_proven_meanwhile_stays_also_where_it_changes_hands() {
    let house = House::open().await;
    let prove = |tx: &mut Tx<'_>| Ok(accounts::update_email_verified(tx.conn, MemberId(1), 5)?);
    let (_, rest) = house.plan("A100,나,x@b.kr\nA200,가,\nA300,가,\n").await;
    house.write(prove).await;
    let done = house.carry_out(rest, false).await.expect("carried out");
    assert_eq!((done.changed, done.errors.len(), done.notes.len()), (1, 0, 1));
    let row = house.row(1).await;
    assert_eq!((row.name.as_str(), row.email.as_deref()), ("나", Some("a@b.kr")));
    // Two swap their addresses, and one of them was proven: neither loses theirs.
    let house = House::open().await;
    let (entangled, _) = house.plan("A100,가,b@b.kr\nA200,가,a@b.kr\nA300,가,\n").await;
    assert_eq!(entangled.len(), 2);
    house.write(prove).await;
    let error = house.carry_out(entangled, true).await.expect_err("a conflict");
    assert_eq!(error.code, Code::EmailTaken);
    let emails = [house.row(1).await.email, house.row(2).await.email];
    assert_eq!(emails.map(Option::unwrap_or_default), ["a@b.kr", "b@b.kr"]);
}
