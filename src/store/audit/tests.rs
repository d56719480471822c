//! The chain, ten thousand ways to tamper with it, and looking things up in it.

use super::*;
use crate::store::open::memory;

/// Rows of the chain that is tampered with.
const ROWS: i64 = 12;

/// How often it is tampered with.
const TAMPERINGS: usize = 10_000;

fn entry(detail: &str) -> AuditEntry<'_> {
    AuditEntry { actor: Some(MemberId(7)), action: "rental.hold", subject: "locker:1", detail }
}

fn intact(conn: &Connection) -> AuditHead {
    match verify(conn, None).expect("readable") {
        Verdict::Intact(head) => head,
        Verdict::Broken(bad) => panic!("{bad:?}"),
    }
}

fn broken(conn: &Connection, known: Option<&AuditHead>) -> BadRow {
    match verify(conn, known).expect("readable") {
        Verdict::Broken(bad) => bad,
        Verdict::Intact(head) => panic!("found nothing wrong: {head:?}"),
    }
}

fn chain(conn: &Connection, rows: i64) -> AuditHead {
    let mut head = AuditHead::load(conn).expect("readable");
    for n in 0..rows {
        let actor = (n % 3 != 0).then_some(MemberId(n));
        let detail = format!("{{\"n\":{n}}}");
        let entry = AuditEntry { actor, ..entry(&detail) };
        head.append(conn, 1_000 + n, &entry).expect("appended");
    }
    head
}

#[test]
fn a_chain_holds_and_a_changed_row_is_named() {
    let conn = memory();
    let head = chain(&conn, 3);
    assert_eq!(AuditHead::load(&conn).expect("readable"), head);
    assert_eq!((intact(&conn), head.rows), (head, 3));
    conn.execute_batch(
        "DROP TRIGGER audit_no_update; UPDATE audit SET detail = '{\"x\":1}' WHERE id = 2",
    )
    .expect("tampered");
    let bad = broken(&conn, None);
    assert_eq!((bad.id, bad.at_ms, bad.flaw), (2, Some(1_001), Flaw::HashDoesNotFit));
    assert_eq!(bad.action.as_deref(), Some("rental.hold"));
}

#[test]
fn rows_can_be_neither_changed_nor_deleted() {
    let conn = memory();
    chain(&conn, 1);
    for sql in ["UPDATE audit SET at_ms = 0", "DELETE FROM audit"] {
        let error = conn.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains("append_only"), "{error}");
    }
}

#[test]
fn nobody_and_number_0_are_not_the_same() {
    let conn = unguarded(1);
    conn.execute_batch("UPDATE audit SET actor_id = 0").expect("tampered");
    assert_eq!(broken(&conn, None).flaw, Flaw::NotARow);
}

#[test]
fn a_cut_or_rewritten_end_shows_against_a_kept_head_only() {
    let conn = unguarded(ROWS);
    let head = AuditHead::load(&conn).expect("readable");
    conn.execute("DELETE FROM audit WHERE id > ?1", [ROWS - 2]).expect("tampered");
    assert_eq!(intact(&conn).rows, ROWS - 2, "the chain alone cannot tell");
    let bad = broken(&conn, Some(&head));
    assert_eq!((bad.id, bad.flaw), (ROWS - 1, Flaw::EndsBeforeHead { rows: ROWS }));
    chain(&conn, 2);
    let bad = broken(&conn, Some(&head));
    assert_eq!((bad.id, bad.flaw), (ROWS, Flaw::NotTheHead));
}

#[test]
fn rows_after_a_kept_head_are_no_flaw() {
    let conn = memory();
    let head = chain(&conn, 4);
    let newer = chain(&conn, 3);
    assert_eq!(verify(&conn, Some(&head)).expect("readable"), Verdict::Intact(newer));
}

#[test]
fn a_walk_in_steps_finds_what_a_walk_in_one_finds() {
    let conn = unguarded(ROWS);
    for limit in [1, 3, 12, 100] {
        let mut walk = Walk::new(None);
        let mut steps = 1;
        while walk.step(&conn, limit).expect("readable") {
            steps += 1;
        }
        assert!(steps >= ROWS / i64::from(limit), "{limit}");
        assert_eq!(walk.verdict(), Verdict::Intact(intact(&conn)));
    }
}

/// A chain in a table that refuses nothing: whoever writes to the file can make it so.
fn unguarded(rows: i64) -> Connection {
    let conn = memory();
    chain(&conn, rows);
    conn.execute_batch(
        "CREATE TEMP TABLE kept AS SELECT * FROM audit;
         DROP TABLE audit;
         CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ms, actor_id, action, subject, detail, hash);
         INSERT INTO audit SELECT * FROM kept;",
    )
    .expect("made");
    conn
}

/// splitmix64: the same seed makes the same ten thousand.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let limit = u64::try_from(limit).expect("positive");
        i64::try_from((mixed ^ (mixed >> 31)) % limit).expect("small")
    }

    fn row(&mut self) -> i64 {
        self.below(ROWS) + 1
    }
}

/// Everything in the table, with the kind of each value.
fn dump(conn: &Connection) -> Vec<String> {
    let sql = "SELECT id || typeof(at_ms) || hex(coalesce(at_ms, '')) || typeof(actor_id)
                 || hex(coalesce(actor_id, '')) || typeof(action) || hex(coalesce(action, ''))
                 || typeof(subject) || hex(coalesce(subject, '')) || typeof(detail)
                 || hex(coalesce(detail, '')) || typeof(hash) || hex(coalesce(hash, ''))
               FROM audit ORDER BY id";
    let mut statement = conn.prepare_cached(sql).expect("good SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

/// Does something to the table that somebody with the file could do.
fn tamper(conn: &Connection, dice: &mut Dice) -> String {
    let sql = match dice.below(10) {
        0..=3 => change_a_value(dice),
        4 => format!("DELETE FROM audit WHERE id <= {}", dice.row()),
        5 => format!("DELETE FROM audit WHERE id = {}", dice.row()),
        6 => format!("DELETE FROM audit WHERE id >= {}", dice.row()),
        7 => {
            let (a, b) = (dice.row(), dice.row());
            format!(
                "UPDATE audit SET id = -1 WHERE id = {a}; UPDATE audit SET id = {a} WHERE id = {b};
                 UPDATE audit SET id = {b} WHERE id = -1;"
            )
        }
        8 => {
            let (from, to) = (dice.row(), dice.row());
            let to = if dice.below(4) == 0 { ROWS + dice.row() } else { to };
            format!(
                "UPDATE audit SET id = id + 1000 WHERE id >= {to};
                 UPDATE audit SET id = id - 999 WHERE id >= 1000;
                 INSERT INTO audit SELECT {to}, at_ms, actor_id, action, subject, detail, hash
                   FROM audit WHERE id = {from};"
            )
        }
        _ => return rewrite_the_end(conn, dice),
    };
    conn.execute_batch(&sql).expect("whoever has the file may");
    sql
}

fn change_a_value(dice: &mut Dice) -> String {
    const COLUMNS: [&str; 7] = ["id", "at_ms", "actor_id", "action", "subject", "detail", "hash"];
    let column = COLUMNS[usize::try_from(dice.below(7)).expect("small")];
    let value = match (column, dice.below(8)) {
        ("id", _) => (dice.below(4 * ROWS) - ROWS).to_string(),
        (_, 0) => "NULL".to_owned(),
        (_, 1) => "0".to_owned(),
        (_, 2) => "''".to_owned(),
        (_, 3) => "zeroblob(32)".to_owned(),
        (_, 4) => "randomblob(32)".to_owned(),
        (_, 5) => format!("CAST({column} AS BLOB)"),
        (_, 6) => format!("CAST({column} AS TEXT) || ' '"),
        (_, _) => format!("coalesce({column}, 0) + 1"),
    };
    format!("UPDATE OR IGNORE audit SET {column} = {value} WHERE id = {}", dice.row())
}

/// Changes a row and makes every hash behind it fit again.
fn rewrite_the_end(conn: &Connection, dice: &mut Dice) -> String {
    let first = dice.row();
    let end = format!("SELECT id, at_ms, actor_id FROM audit WHERE id >= {first} ORDER BY id");
    let rows: Vec<(i64, i64, Option<i64>)> = conn
        .prepare(&end)
        .and_then(|mut it| {
            it.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .expect("readable");
    conn.execute("DELETE FROM audit WHERE id >= ?1", [first]).expect("deleted");
    let mut head = AuditHead::load(conn).expect("readable");
    for (id, at_ms, actor) in rows {
        let detail =
            if id == first { "{\"forged\":1}".to_owned() } else { format!("{{\"n\":{}}}", id - 1) };
        let entry = AuditEntry { actor: actor.map(MemberId), ..entry(&detail) };
        head.append(conn, at_ms, &entry).expect("appended");
    }
    assert!(matches!(verify(conn, None), Ok(Verdict::Intact(_))), "a good forgery");
    format!("the end from {first} was written anew")
}

#[test]
fn ten_thousand_tamperings_are_all_found() {
    let conn = unguarded(ROWS);
    let head = AuditHead::load(&conn).expect("readable");
    assert_eq!(verify(&conn, Some(&head)).expect("readable"), Verdict::Intact(head));
    let before = dump(&conn);
    let mut dice = Dice(20_260_303);
    let (mut done, mut flaws) = (0, std::collections::BTreeMap::<String, usize>::new());
    while done < TAMPERINGS {
        conn.execute_batch("SAVEPOINT tampering").expect("begun");
        let how = tamper(&conn, &mut dice);
        // What changed nothing (a row put in its own place) is no tampering.
        if dump(&conn) != before {
            done += 1;
            match verify(&conn, Some(&head)).expect("a damaged table is a finding, not an error") {
                Verdict::Broken(bad) => {
                    let name = format!("{:?}", bad.flaw);
                    let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
                    *flaws.entry(name).or_default() += 1;
                }
                Verdict::Intact(_) => panic!("not found: {how}"),
            }
        }
        conn.execute_batch("ROLLBACK TO tampering; RELEASE tampering").expect("undone");
    }
    assert_eq!(flaws.values().sum::<usize>(), TAMPERINGS);
    assert_eq!(flaws.len(), 5, "every kind of flaw was met: {flaws:?}");
}

#[test]
fn filters_fit_together_and_pages_follow_on_each_other() {
    let conn = memory();
    let mut head = AuditHead::default();
    conn.execute_batch(
        "INSERT INTO member (id, student_id, name, role, joined_ms)
           VALUES (7, 'A7', '가', 'staff', 1);",
    )
    .expect("stored");
    for n in 0..9 {
        let (actor, action) =
            if n % 3 == 0 { (None, "mail.drop") } else { (Some(MemberId(7)), "rental.hold") };
        let entry = AuditEntry { actor, action, ..entry("{}") };
        head.append(&conn, 100 + n, &entry).expect("appended");
    }
    let ids = |filter: &AuditFilter, from, limit| -> (Vec<i64>, Option<i64>) {
        let found = list(&conn, filter, from, limit).expect("readable");
        (found.rows.iter().map(|row| row.id).collect(), found.reached)
    };
    let all = AuditFilter::default();
    assert_eq!(ids(&all, From::Before(i64::MAX), 4), (vec![9, 8, 7, 6], Some(6)));
    assert_eq!(ids(&all, From::Before(6), 100), (vec![5, 4, 3, 2, 1], None));
    assert_eq!(ids(&all, From::After(7), 100), (vec![8, 9], None));
    let by_seven = AuditFilter { actor: Some(MemberId(7)), ..AuditFilter::default() };
    assert_eq!(ids(&by_seven, From::Before(i64::MAX), 100).0, [9, 8, 6, 5, 3, 2]);
    let mails = AuditFilter { action: Some("mail.".to_owned()), ..AuditFilter::default() };
    assert_eq!(ids(&mails, From::Before(i64::MAX), 100).0, [7, 4, 1]);
    let between = AuditFilter { from_ms: Some(102), to_ms: Some(104), ..AuditFilter::default() };
    assert_eq!(ids(&between, From::After(0), 100).0, [3, 4]);
    let subject = AuditFilter { subject: Some("locker:2".to_owned()), ..AuditFilter::default() };
    assert_eq!(ids(&subject, From::Before(i64::MAX), 100), (vec![], None));
    let named = find(&conn, 2).expect("readable").expect("there");
    assert_eq!(named.actor_name, Some(("가".to_owned(), "A7".to_owned())));
    assert!(find(&conn, 10).expect("readable").is_none());
}

#[test]
fn a_search_that_fits_nothing_stops_and_says_where() {
    let conn = memory();
    conn.execute_batch(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT INTO audit (id, at_ms, action, subject, detail, hash)
           SELECT i, i, 'x', 'y', '{{}}', zeroblob(32) FROM n;",
        SEARCH_MAX + 10
    ))
    .expect("stored");
    let filter = AuditFilter { subject: Some("nothing".to_owned()), ..AuditFilter::default() };
    let found = list(&conn, &filter, From::Before(i64::MAX), 10).expect("readable");
    assert_eq!((found.rows.len(), found.reached), (0, Some(11)));
    let found = list(&conn, &filter, From::Before(11), 10).expect("readable");
    assert_eq!((found.rows.len(), found.reached), (0, None));
}
