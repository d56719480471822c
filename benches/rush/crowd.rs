//! The students: what they ask for, in which order, and what they were answered.
//!
//! All connections share one [`Crowd`] on one thread. A connection takes the next student as soon
//! as the one before is done, so that as many requests are under way as there are connections.
//! What the server acknowledged is kept for `verify.rs`; an answer that fits nothing is kept in
//! words and makes the run fail.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::client::{Connection, Reply, post_json, request};
use crate::figures::{Kind, Timings};
use crate::server::Student;

/// Lockers that one student tries before giving up.
const TRIES_MAX: u32 = 5;

/// Odd answers that are kept in words.
const ODD_MAX: usize = 10;

const FREE: &[u8] = b"\"state\":\"free\"";
const ID: &[u8] = b"{\"locker_id\":";

/// How a student chooses a locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// Any, at random.
    Blind,
    /// One that nobody on this client knows to be taken.
    Known,
    /// One that the list, asked for before each try, shows as free.
    ListFirst,
}

/// An acknowledged rental.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which student, by place in the crowd.
    pub student: usize,
    /// Which locker.
    pub locker: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How long requests took.
    pub timings: Timings,
    /// Rentals that were confirmed, in the order of the answers.
    pub claims: Vec<Claim>,
    /// Rounds of hold, confirm and release that were completed.
    pub cycles: u64,
    /// Holds that were refused because somebody else was faster.
    pub refused: u64,
    /// Holds that were granted and had not expired, and yet were refused at confirm.
    pub lost: u64,
    /// Answers that fit nothing; only the first are kept.
    pub odd: Vec<String>,
}

impl Tally {
    fn note_odd(&mut self, what: &str, reply: &Reply<'_>) {
        if self.odd.len() < ODD_MAX {
            let body = String::from_utf8_lossy(&reply.body[..reply.body.len().min(300)]);
            self.odd.push(format!("{what}: {} {body}", reply.status));
        }
    }
}

/// A small generator of random numbers (xorshift, 64 bits): the same picks for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((self.0 >> 11) % limit).unwrap_or(0)
    }
}

/// The lockers that are not known to be taken.
struct Known {
    left: Vec<usize>,
    /// Where each locker stands in `left`.
    places: Vec<Option<usize>>,
}

impl Known {
    fn new(lockers: usize) -> Self {
        let places = std::iter::once(None).chain((0..lockers).map(Some)).collect();
        Self { left: (1..=lockers).collect(), places }
    }

    fn pick(&self, random: &mut Random) -> Option<usize> {
        self.left.get(random.below(self.left.len())).copied()
    }

    fn strike(&mut self, locker: usize) {
        let Some(place) = self.places.get_mut(locker).and_then(Option::take) else { return };
        self.left.swap_remove(place);
        if let Some(moved) = self.left.get(place) {
            self.places[*moved] = Some(place);
        }
    }
}

/// Everybody who wants a locker.
pub struct Crowd {
    students: Vec<Student>,
    lockers: usize,
    pick: Pick,
    idempotency: bool,
    next: Cell<usize>,
    random: RefCell<Random>,
    known: RefCell<Known>,
    tally: RefCell<Tally>,
}

impl Crowd {
    /// A crowd before the doors open. The seed is any number but 0.
    pub fn new(
        students: Vec<Student>,
        lockers: usize,
        pick: Pick,
        idempotency: bool,
        seed: u64,
    ) -> Rc<Self> {
        Rc::new(Self {
            students,
            lockers,
            pick,
            idempotency,
            next: Cell::new(0),
            random: RefCell::new(Random(seed | 1)),
            known: RefCell::new(Known::new(lockers)),
            tally: RefCell::default(),
        })
    }

    /// What came of it so far.
    pub fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }

    /// One connection of the rush: student after student, until all have had their turn.
    pub async fn rush(self: Rc<Self>, mut connection: Connection) -> anyhow::Result<()> {
        while let Some(student) = self.next_student() {
            for attempt in 0..TRIES_MAX {
                let Some(locker) = self.choose(&mut connection, student).await? else { break };
                if self.claim(&mut connection, student, locker, attempt).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One connection of the cycles: its own students hold, confirm and release their own lockers.
    pub async fn cycle(
        self: Rc<Self>,
        mut connection: Connection,
        (number, connections): (usize, usize),
        until: Instant,
    ) -> anyhow::Result<()> {
        let people = self.students.len().min(self.lockers);
        let own: Vec<usize> = (number..people).step_by(connections).collect();
        for (turn, student) in (0_u32..).zip(own.iter().copied().cycle()) {
            if Instant::now() >= until {
                break;
            }
            let locker = student + 1;
            if self.claim(&mut connection, student, locker, turn).await? {
                self.release(&mut connection, student, locker, turn).await?;
            }
        }
        Ok(())
    }

    /// One connection that asks for the list again and again; `unchanged` sends the newest tag.
    pub async fn list(
        self: Rc<Self>,
        mut connection: Connection,
        number: usize,
        unchanged: bool,
        until: Instant,
    ) -> anyhow::Result<()> {
        let mut headers = self.authorization(number % self.students.len());
        let reply = connection.call(&request("GET", "/api/v1/lockers", &headers)).await?;
        let tag = reply.header("etag").context("the list has no ETag")?;
        if unchanged {
            let _ = write!(headers, "if-none-match: {tag}\r\n");
        }
        let list = request("GET", "/api/v1/lockers", &headers);
        let (kind, wanted) = if unchanged { (Kind::ListUnchanged, 304) } else { (Kind::List, 200) };
        while Instant::now() < until {
            let reply = self.timed(kind, &mut connection, &list).await?;
            if reply.status != wanted {
                self.tally.borrow_mut().note_odd("list", &reply);
            }
        }
        Ok(())
    }

    fn next_student(&self) -> Option<usize> {
        let student = self.next.get();
        self.next.set(student + 1);
        (student < self.students.len()).then_some(student)
    }

    fn authorization(&self, student: usize) -> String {
        format!("authorization: Bearer {}\r\n", self.students[student].token)
    }

    async fn timed<'a>(
        &self,
        kind: Kind,
        connection: &'a mut Connection,
        request: &[u8],
    ) -> anyhow::Result<Reply<'a>> {
        let asked = Instant::now();
        let reply = connection.call(request).await.with_context(|| format!("{kind:?}"))?;
        self.tally.borrow_mut().timings.record(kind, asked.elapsed());
        Ok(reply)
    }

    /// `None`: the student sees that nothing is left.
    async fn choose(
        &self,
        connection: &mut Connection,
        student: usize,
    ) -> anyhow::Result<Option<usize>> {
        match self.pick {
            Pick::Blind => Ok(Some(1 + self.random.borrow_mut().below(self.lockers))),
            Pick::Known => Ok(self.known.borrow().pick(&mut self.random.borrow_mut())),
            Pick::ListFirst => {
                let list = request("GET", "/api/v1/lockers", &self.authorization(student));
                let reply = self.timed(Kind::List, connection, &list).await?;
                let free = free_lockers(reply.body);
                let place = self.random.borrow_mut().below(free.len());
                Ok(free.get(place).copied())
            }
        }
    }

    async fn post(
        &self,
        kind: Kind,
        connection: &mut Connection,
        (student, locker, attempt): (usize, usize, u32),
    ) -> anyhow::Result<(u16, Option<u64>)> {
        let verb = match kind {
            Kind::Confirm => "confirm",
            Kind::Release => "release",
            _ => "hold",
        };
        let mut headers = self.authorization(student);
        if self.idempotency {
            // Writing to a String cannot fail.
            let _ = write!(headers, "idempotency-key: {verb}-{locker}-{attempt}\r\n");
        }
        let path = format!("/api/v1/lockers/{locker}/{verb}");
        let request = match kind {
            // These lockers have no sensors: the student's word makes them free.
            Kind::Release => post_json(&path, &headers, r#"{"emptied":true}"#),
            _ => request("POST", &path, &headers),
        };
        let reply = self.timed(kind, connection, &request).await?;
        if !matches!(reply.status, 200 | 201 | 409) {
            self.tally.borrow_mut().note_odd(verb, &reply);
        }
        let expires_in_ms = if kind == Kind::Hold { reply.number("expires_in_ms") } else { None };
        Ok((reply.status, expires_in_ms))
    }

    /// Hold and confirm; true when the locker is the student's.
    async fn claim(
        &self,
        connection: &mut Connection,
        student: usize,
        locker: usize,
        attempt: u32,
    ) -> anyhow::Result<bool> {
        let asked = Instant::now();
        let what = (student, locker, attempt);
        let (status, expires_in_ms) = self.post(Kind::Hold, connection, what).await?;
        self.known.borrow_mut().strike(locker);
        if status != 201 {
            self.tally.borrow_mut().refused += 1;
            return Ok(false);
        }
        let (status, _) = self.post(Kind::Confirm, connection, what).await?;
        let mut tally = self.tally.borrow_mut();
        if status == 200 {
            tally.claims.push(Claim { student, locker });
            return Ok(true);
        }
        // It was granted after it was asked for, so this counts no hold that had expired.
        if asked.elapsed() < Duration::from_millis(expires_in_ms.unwrap_or(0)) {
            tally.lost += 1;
        }
        Ok(false)
    }

    async fn release(
        &self,
        connection: &mut Connection,
        student: usize,
        locker: usize,
        attempt: u32,
    ) -> anyhow::Result<()> {
        let what = (student, locker, attempt);
        let (status, _) = self.post(Kind::Release, connection, what).await?;
        let mut tally = self.tally.borrow_mut();
        if status == 200 {
            tally.cycles += 1;
            let claim = Claim { student, locker };
            if let Some(place) = tally.claims.iter().rposition(|it| *it == claim) {
                tally.claims.swap_remove(place);
            }
        } else if tally.odd.len() < ODD_MAX {
            tally.odd.push(format!("release: {status}"));
        }
        Ok(())
    }
}

/// The free lockers of a list. Reads the rows as the server writes them, and no more of JSON than
/// that: a full parser would cost more than the server spends on the answer.
fn free_lockers(body: &[u8]) -> Vec<usize> {
    let rows = body.split(|byte| *byte == b'}').filter(|row| row.ends_with(FREE));
    rows.filter_map(|row| {
        let start = row.windows(ID.len()).position(|part| part == ID)? + ID.len();
        let digits = row[start..].split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
    .collect()
}
