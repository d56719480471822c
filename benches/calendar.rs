//! The calendar of a month of a bank in pool mode, with many reservations behind it.
//!
//! A demo makes the site, SQL adds a bank of 200 lockers with 20,000 reservations over a year and
//! rentals in three of four lockers, then `lockerd serve` is asked for a month again and again on one
//! connection. Beside it the same connection asked for next to nothing, and the database asked for the
//! same counts. `docs/guide/benchmarks.md` tells more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use hdrhistogram::Histogram;
use rusqlite::Connection;

#[path = "rush/process.rs"]
mod process;

use process::Process;

/// What one calendar may take in the server, in milliseconds.
const LIMIT_MS: f64 = 5.0;

/// Lockers of the bank.
const LOCKERS: i64 = 200;

/// People with reservations, ten each.
const RESERVING: i64 = 2_000;
const RESERVATIONS_EACH: i64 = 10;

/// People who rent a locker of the bank now.
const RENTING: i64 = 150;

/// The number of the bank's first locker, beyond those of the demo.
const FIRST_LOCKER: i64 = 100_001;

/// Longest wait for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

const PASSWORD: &str = "demo-admin-password";

#[derive(Debug, Parser)]
struct Options {
    /// How often each question is asked.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    asked: u32,
    /// A few questions: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let asked = if options.quick { 20 } else { options.asked };
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(place)?;
    let dir = tempfile::TempDir::with_prefix_in("calendar-", place)?;
    let (config, database) = prepare(dir.path())?;
    let bank = fill(&database)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.arg("serve").arg("--config").arg(&config);
    let (server, line) = Process::start(&mut command)?;
    let address = line.trim().rsplit_once("http://").context("the ready line has no URL")?.1;
    let mut wire = Wire::log_in(address.parse()?)?;
    let month = month(&database)?;
    let path = format!("/api/v1/banks/{bank}/calendar?month={month}");
    let shown = wire.get(&path, 200)?;
    let full = shown.matches("\"full\":true").count();
    let (calendar, nothing) = (time(asked, || wire.get(&path, 200).map(drop))?, {
        // A token is checked and a route found, and that is all.
        time(asked, || wire.get("/api/v1/auth/me", 200).map(drop))?
    });
    server.stop()?;
    let plain = from_database(&database, bank, &month, asked)?;
    let reservations = RESERVING * RESERVATIONS_EACH;
    say(&format!(
        "{LOCKERS} lockers, {reservations} reservations, {RENTING} rentals; {month}: {full} full days, \
         {asked} times, one connection"
    ))?;
    say_times("calendar of a month", &calendar)?;
    say_times("the account's own page", &nothing)?;
    say_times("the counts from SQLite", &plain)?;
    say(&format!("limit: {LIMIT_MS:.0} ms of server time for one calendar"))
}

/// A site; gives its configuration file and its database.
fn prepare(dir: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let data = dir.join("data");
    let students = (RESERVING + RENTING + 1).to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--lockers", "16"]);
    command.args(["--students", &students]).arg("--data").arg(&data);
    let (demo, _) = Process::start(&mut command)?;
    demo.stop()?;
    let config = dir.join("config.toml");
    let place = toml::Value::from(data.display().to_string());
    let text = format!(
        "data_dir = {place}\n[clock]\nrtc = true\n[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"error\"\n"
    );
    std::fs::write(&config, text)?;
    Ok((config, data.join("lockerd.db")))
}

/// Adds the bank with its reservations and rentals; gives its number.
fn fill(database: &Path) -> anyhow::Result<i64> {
    let conn = Connection::open(database)?;
    conn.execute(
        "INSERT INTO bank (location_id, name_ko, name_en, mode, hold_seconds, pool_days_max,
                           pool_advance_days)
         VALUES ((SELECT min(id) FROM location), '예약', 'Pool', 'pool', 60, 7, 366)",
        [],
    )?;
    let bank = conn.last_insert_rowid();
    let numbers =
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1),
                     someone (first) AS (SELECT min(id) FROM member WHERE role = 'student')";
    let add = |sql: &str, count: i64, by: i64, wanted: i64| {
        let added = conn.execute(&format!("{numbers} {sql}"), [count, bank, by])?;
        anyhow::ensure!(i64::try_from(added)? == wanted, "{added} rows were added: {sql}");
        Ok(())
    };
    add(
        "INSERT INTO locker (id, bank_id) SELECT ?3 + i, ?2 FROM n",
        LOCKERS,
        FIRST_LOCKER,
        LOCKERS,
    )?;
    // Of three days each, spread over the year.
    add(
        "INSERT INTO rental (bank_id, member_id, state, starts_on, ends_on, held_ms)
         SELECT ?2, first + i % ?3, 'reserved',
                date('now', '+9 hours', '+' || (1 + i / ?3 * 33 + i % 30) || ' days'),
                date('now', '+9 hours', '+' || (3 + i / ?3 * 33 + i % 30) || ' days'), i
         FROM n, someone",
        RESERVING * RESERVATIONS_EACH,
        RESERVING,
        RESERVING * RESERVATIONS_EACH,
    )?;
    let rental = format!(
        "INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms)
         SELECT ?2, {FIRST_LOCKER} + i, first + ?3 + i, 'active', date('now', '+9 hours', '-1 days'),
                date('now', '+9 hours', '+' || (i % 6) || ' days'), 1, 1
         FROM n, someone"
    );
    add(&rental, RENTING, RESERVING, RENTING)?;
    Ok(bank)
}

/// The next month: all of its days are still to come.
fn month(database: &Path) -> anyhow::Result<String> {
    let sql = "SELECT strftime('%Y-%m', 'now', '+9 hours', 'start of month', '+1 month')";
    Ok(Connection::open(database)?.query_row(sql, [], |row| row.get(0))?)
}

/// The same counts as a program would ask a database for that keeps none.
fn from_database(
    database: &Path,
    bank: i64,
    month: &str,
    asked: u32,
) -> anyhow::Result<Histogram<u64>> {
    let conn = Connection::open(database)?;
    let sql = "WITH RECURSIVE day (at) AS (
                 SELECT ?2 || '-01' UNION ALL
                 SELECT date(at, '+1 days') FROM day WHERE at < date(?2 || '-01', '+1 month', '-1 days'))
               SELECT at, (SELECT count(*) FROM rental WHERE state = 'reserved' AND bank_id = ?1
                             AND starts_on BETWEEN date(at, '-366 days') AND at AND ends_on >= at)
               FROM day";
    let mut statement = conn.prepare(sql)?;
    time(asked, || {
        let mut rows = statement.query((bank, month))?;
        let mut days = 0;
        while rows.next()?.is_some() {
            days += 1;
        }
        anyhow::ensure!(days >= 28, "{days} days");
        Ok(())
    })
}

fn time(
    asked: u32,
    mut once: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Histogram<u64>> {
    let mut times = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    for _ in 0..asked {
        let began = Instant::now();
        once()?;
        times.record(u64::try_from(began.elapsed().as_micros())?.max(1))?;
    }
    Ok(times)
}

/// A keep-alive connection of somebody who is logged in.
struct Wire {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    token: String,
}

impl Wire {
    fn log_in(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut wire = Self { stream: BufReader::new(stream), address, token: String::new() };
        let body = serde_json::json!({ "id": "ADMIN", "password": PASSWORD }).to_string();
        let length = body.len();
        let headers = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let answer = wire.ask("POST /api/v1/auth/login", &headers, &body, 200)?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        answer["access_token"].as_str().context("no token")?.clone_into(&mut wire.token);
        Ok(wire)
    }

    fn get(&mut self, path: &str, wanted: u16) -> anyhow::Result<String> {
        let headers = format!("Authorization: Bearer {}\r\n", self.token);
        self.ask(&format!("GET {path}"), &headers, "", wanted)
    }

    fn ask(
        &mut self,
        what: &str,
        headers: &str,
        body: &str,
        wanted: u16,
    ) -> anyhow::Result<String> {
        let address = self.address;
        let request = format!("{what} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status: u16 = line.split(' ').nth(1).context("no status")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name == "content-length" {
                length = value.parse()?;
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        let text = String::from_utf8(bytes)?;
        anyhow::ensure!(status == wanted, "{what}: {status} {text}");
        Ok(text)
    }
}

fn say_times(what: &str, times: &Histogram<u64>) -> anyhow::Result<()> {
    let ms = |part: f64| Duration::from_micros(times.value_at_quantile(part)).as_secs_f64() * 1e3;
    say(&format!(
        "{what:24} median {:.3} ms, p99 {:.3} ms, at most {:.3} ms",
        ms(0.5),
        ms(0.99),
        ms(1.0)
    ))
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
