//! Proof that nothing was lost or given twice, over the API and in the database itself.
//!
//! Each check adds words to a list; an empty list is a clean run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection as Database, OpenFlags};
use serde::Deserialize;

use crate::client::request;
use crate::crowd::{Claim, Tally};
use crate::run::drive;
use crate::server::{Data, Site, Student};

/// Connections that ask for everybody's locker.
const CONNECTIONS: usize = 16;

/// Problems that are told in words.
const WORDS_MAX: usize = 10;

/// What was found; only the first problems are kept.
#[derive(Debug, Default)]
pub struct Findings(Vec<String>);

impl Findings {
    /// The problems in words.
    pub fn into_words(self) -> Vec<String> {
        self.0
    }

    fn note(&mut self, words: impl FnOnce() -> String) {
        if self.0.len() < WORDS_MAX {
            self.0.push(words());
        }
    }

    fn expect(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.note(words);
        }
    }
}

#[derive(Deserialize)]
struct Mine {
    locker: Option<MyLocker>,
}

#[derive(Deserialize)]
struct MyLocker {
    locker_id: usize,
    state: String,
}

/// What the client itself has noticed.
pub fn answers(tally: &Tally, findings: &mut Findings) {
    findings.expect(tally.lost == 0, || {
        format!("{} granted, unexpired holds were refused at confirm", tally.lost)
    });
    for odd in &tally.odd {
        findings.note(|| odd.clone());
    }
    let mut lockers: Vec<usize> = tally.claims.iter().map(|claim| claim.locker).collect();
    lockers.sort_unstable();
    let twice = lockers.windows(2).filter(|pair| pair[0] == pair[1]).count();
    findings.expect(twice == 0, || format!("{twice} lockers were acknowledged twice"));
}

/// Asks for everybody's own locker: whoever was told so has it, and nobody else has one.
pub fn over_the_api(site: &Site, claims: &[Claim], findings: &mut Findings) -> anyhow::Result<()> {
    let answers = Rc::new(RefCell::new(HashMap::new()));
    let students: Rc<[Student]> = site.students.clone().into();
    drive(site.pid(), site.address, CONNECTIONS, |number, mut connection| {
        let (answers, students) = (Rc::clone(&answers), Rc::clone(&students));
        async move {
            for student in (number..students.len()).step_by(CONNECTIONS) {
                let headers = format!("authorization: Bearer {}\r\n", students[student].token);
                let mine = request("GET", "/api/v1/lockers/me", &headers);
                let reply = connection.call(&mine).await?;
                anyhow::ensure!(reply.status == 200, "lockers/me: {}", reply.status);
                let mine: Mine = serde_json::from_slice(reply.body)?;
                answers.borrow_mut().insert(student, mine.locker);
            }
            Ok(())
        }
    })?;
    let mut expected: HashMap<usize, usize> =
        claims.iter().map(|claim| (claim.student, claim.locker)).collect();
    for (student, found) in answers.borrow().iter() {
        let wanted = expected.remove(student);
        let found = found.as_ref().map(|mine| (mine.locker_id, mine.state.as_str()));
        findings.expect(found == wanted.map(|locker| (locker, "active")), || {
            format!("API: student {student} was told {wanted:?} and has {found:?}")
        });
    }
    findings.expect(expected.is_empty(), || format!("API: {} were not asked", expected.len()));
    Ok(())
}

/// Looks into the database of a site that has ended.
pub fn in_the_database(
    data: &Data,
    students: &[Student],
    tally: &Tally,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let database = Database::open_with_flags(data.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count = |sql: &str| -> anyhow::Result<u64> {
        let count: i64 = database.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    };
    for owner in ["locker_id", "member_id"] {
        let twice = count(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM rental WHERE ended_ms IS NULL
             GROUP BY {owner} HAVING count(*) > 1)"
        ))?;
        findings.expect(twice == 0, || format!("database: {twice} times two rentals by {owner}"));
    }
    let mut statement = database.prepare(
        "SELECT m.student_id, r.locker_id FROM rental r JOIN member m ON m.id = r.member_id
         WHERE r.state = 'active'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let active: HashMap<String, i64> = rows.collect::<Result<_, _>>()?;
    for claim in &tally.claims {
        let found = active.get(&students[claim.student].student_id);
        let locker = i64::try_from(claim.locker)?;
        findings.expect(found == Some(&locker), || {
            format!("database: claim {claim:?} was acknowledged, found {found:?}")
        });
    }
    findings.expect(active.len() == tally.claims.len(), || {
        format!("database: {} rentals, {} acknowledged", active.len(), tally.claims.len())
    });
    let returned = count("SELECT count(*) FROM rental WHERE end_reason = 'returned'")?;
    findings.expect(returned == tally.cycles, || {
        format!("database: {returned} returned, {} acknowledged", tally.cycles)
    });
    let confirmed = count("SELECT count(*) FROM audit WHERE action = 'rental.confirm'")?;
    let acknowledged = u64::try_from(tally.claims.len())? + tally.cycles;
    findings.expect(confirmed == acknowledged, || {
        format!("audit: {confirmed} confirms, {acknowledged} acknowledged")
    });
    Ok(())
}
