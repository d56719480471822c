//! Noticing 5,000 late rentals among 100,000, and what openings feel of it meanwhile.
//!
//! Site and simulated boards run in this process. A member opens one locker after the other over HTTP, on
//! lines that are polled; quiet stretches alternate with stretches in which the job runs. Then the job
//! runs alone, while urgent writes ask again and again how long the writer keeps them waiting.
//! `docs/guide/benchmarks.md` tells more.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use jiff::{Span, Timestamp};
use lockerd::app::App;
use lockerd::clock::Clock;
use lockerd::config::Config;
use lockerd::domain::id::LockerId;
use lockerd::service::Services;
use lockerd::service::members::RosterRow;
use lockerd::sim::{Direction, Physics, SimBoard, SimBus, SimConfig, Simulator};
use lockerd::store::{Lane, StoreError, Tx};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Serial lines with one board of 16 locks each.
const BUSES: usize = 16;

/// Lockers of each line that are opened in turn.
const LOCKS_IN_TURN: usize = 16;

/// Time from one opening to the next: each lock has its turn three times a minute, six are allowed.
const STEP: Duration = Duration::from_millis(75);

/// Longest wait for the unlock command on the wire.
const WIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often the byte log is looked at; the times come from the log, not from the look.
const LOOK: Duration = Duration::from_millis(2);

/// Time for the boards to be found, and for what a run has left behind.
const SETTLE: Duration = Duration::from_secs(2);

/// The first locker that is late.
const LATE_FROM: usize = 10_001;

/// What is promised.
const LIMIT: Duration = Duration::from_secs(2);
const HOLD_LIMIT: Duration = Duration::from_millis(20);

#[derive(Debug, Parser)]
struct Options {
    /// Late rentals.
    #[arg(long, default_value_t = 5_000)]
    late: usize,
    /// All live rentals.
    #[arg(long, default_value_t = 100_000)]
    rentals: usize,
    /// Quiet and busy stretches, in turns.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Runs of the job in one busy stretch.
    #[arg(long, default_value_t = 4)]
    repeats: usize,
    /// A few of each: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let asked = Options::parse();
    let quick = Options { late: 100, rentals: 1_000, runs: 1, repeats: 1, ..Options::parse() };
    let options = if asked.quick { quick } else { asked };
    let place = env!("CARGO_TARGET_TMPDIR");
    std::fs::create_dir_all(place)?;
    let dir = tempfile::TempDir::with_prefix_in("overdue-", place)?;
    let config = config(dir.path())?;
    // Hardware has its own time: it must not wait for a thread of the server.
    let hardware = runtime(1)?;
    let simulator = {
        let _entered = hardware.enter();
        Simulator::start(simulated(dir.path()))?
    };
    let server = runtime(2)?;
    let tokens = prepare(&server, &config, dir.path(), &options)?;
    let app = server.block_on(App::build(&config, clock(&config)?))?;
    let (address, services) = (app.address()?, Arc::clone(app.services()));
    let stop = CancellationToken::new();
    let running = server.spawn(app.run(stop.clone()));
    std::thread::sleep(SETTLE);
    let bench = Bench { server: &server, services, simulator: &simulator, database: dir.path() };
    bench.run(&options, address, &tokens)?;
    stop.cancel();
    server.block_on(running)??;
    hardware.block_on(simulator.stop());
    anyhow::ensure!(simulator.violations().is_empty(), "{:?}", simulator.violations());
    Ok(())
}

fn runtime(worker_threads: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads).enable_all().build()
}

fn clock(config: &Config) -> anyhow::Result<Clock> {
    Ok(Clock::watched(config.zone()?, true, None))
}

fn simulated(links: &Path) -> SimConfig {
    let line = |bus| {
        let name = format!("bus{bus}");
        let board = SimBoard { power_supply: name.clone(), ..SimBoard::modbus(1, 16) };
        SimBus::new(&name, links.join(&name), 9_600).with(board)
    };
    // Doors shut soon, so that the next opening of the same locker finds it shut.
    let physics = Physics { auto_close_ms: Some(300), ..Physics::default() };
    SimConfig { physics, buses: (0..BUSES).map(line).collect(), ..SimConfig::default() }
}

fn config(dir: &Path) -> anyhow::Result<Config> {
    let mut text = format!(
        "data_dir = '{}'\n[http]\nlisten = '127.0.0.1:0'\n[auth]\nroster_login = 'full'\n",
        dir.display()
    );
    for bus in 0..BUSES {
        write!(
            text,
            "[[bus]]\nname = 'bus{bus}'\nport = '{}'\nbaud = 9600\npoll_interval_ms = 100\n\
             [[bus.board]]\nfamily = 'modbus-relay'\naddress = 1\nlocks = 16\n\
             power_supply = 'bus{bus}'\n",
            dir.join(format!("bus{bus}")).display()
        )?;
    }
    Ok(Config::parse(&text, "the benchmark", [])?)
}

fn wired() -> usize {
    BUSES * LOCKS_IN_TURN
}

/// The site with everybody who rents; gives the tokens of those who open.
fn prepare(
    server: &Runtime,
    config: &Config,
    dir: &Path,
    options: &Options,
) -> anyhow::Result<Vec<String>> {
    let app = server.block_on(App::build(config, clock(config)?))?;
    let services = Arc::clone(app.services());
    let now = services.clock.now();
    let site = toml::from_str(&site(now, services.clock.today(), options.late)?)?;
    server.block_on(services.import_site(site))?;
    let row = |n: usize| {
        let student_id = format!("L{n:07}");
        RosterRow { student_id, name: "학생".to_owned(), phone: None, email: None }
    };
    let people = (0..wired() + options.late).map(|n| (n, row(n))).collect();
    server.block_on(services.import_roster(people))?;
    let mut tokens = Vec::new();
    let issued = server.block_on(services.issue_student_tokens())?;
    for (number, (_, token)) in (1..).zip(issued.into_iter().take(wired())) {
        let caller = services.authenticate_until(&token)?.0;
        server.block_on(services.hold(caller, LockerId(number), None))?;
        server.block_on(services.confirm(caller, LockerId(number), None))?;
        tokens.push(token);
    }
    drop(services);
    app.close();
    add_rentals(&dir.join("lockerd.db"), options)?;
    Ok(tokens)
}

fn site(now: Timestamp, today: jiff::civil::Date, late: usize) -> anyhow::Result<String> {
    let mut text = "[[location]]\nname_ko = '시험'\n[[location.bank]]\nname_ko = '벽'\n".to_owned();
    for number in 0..wired() {
        let (bus, lock) = turn(number);
        write!(
            text,
            "[[location.bank.locker]]\nid = {}\nbus = 'bus{bus}'\nboard = 1\nlock = {}\n",
            number + 1,
            lock + 1
        )?;
    }
    text.push_str("[[location.bank]]\nname_ko = '늦은 벽'\n");
    for number in 0..late {
        writeln!(text, "[[location.bank.locker]]\nid = {}", LATE_FROM + number)?;
    }
    write!(
        text,
        "[[term]]\nname_ko = '시험'\nopens_at = '{}'\ncloses_at = '{}'\nstarts_on = '{today}'\n\
         ends_on = '{}'\n",
        now - Span::new().hours(1),
        now + Span::new().hours(1),
        today.saturating_add(Span::new().days(1))
    )?;
    Ok(text)
}

/// Of each late locker: one rental that is over, and others of later years.
fn add_rentals(database: &Path, options: &Options) -> anyhow::Result<()> {
    let conn = Connection::open(database)?;
    let years = options.rentals / options.late;
    conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1),
           y (j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM y WHERE j + 1 < ?2)
         INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms)
         SELECT (SELECT bank_id FROM locker WHERE id = ?3 + i),
                ?3 + i, (SELECT min(id) FROM member) + ?4 + i, 'active',
                iif(j = 0, '2020-03-01', (2100 + j) || '-03-01'),
                iif(j = 0, '2020-06-30', (2100 + j) || '-06-30'), 1, 1
         FROM n, y",
        [options.late, years, LATE_FROM, wired()].map(number),
    )?;
    let count: i64 = conn.query_row("SELECT count(*) FROM rental", [], |row| row.get(0))?;
    anyhow::ensure!(count == number(options.late * years + wired()), "{count} rentals");
    Ok(())
}

/// A number as SQLite has it.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The n-th opening in turn goes to this bus and this lock of its board.
fn turn(number: usize) -> (usize, usize) {
    (number % BUSES, number / BUSES % LOCKS_IN_TURN)
}

/// Latencies of one kind of stretch, microseconds.
struct Seen {
    /// From the request to the stored intent.
    answered: Histogram<u64>,
    /// From the request to the unlock command at the board.
    at_board: Histogram<u64>,
}

impl Seen {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { answered: Histogram::new(3)?, at_board: Histogram::new(3)? })
    }
}

struct Bench<'a> {
    server: &'a Runtime,
    services: Arc<Services>,
    simulator: &'a Simulator,
    database: &'a Path,
}

impl Bench<'_> {
    fn run(&self, options: &Options, address: SocketAddr, tokens: &[String]) -> anyhow::Result<()> {
        let (mut quiet, mut busy) = (Seen::new()?, Seen::new()?);
        let mut client = Client { stream: TcpStream::connect(address)?, number: 0, seq: 0 };
        client.stream.set_nodelay(true)?;
        for _ in 0..options.runs {
            let mut openings = 0;
            for _ in 0..options.repeats {
                self.forget()?;
                let done = Arc::new(AtomicBool::new(false));
                let (services, said) = (Arc::clone(&self.services), Arc::clone(&done));
                let work = self.server.spawn(async move {
                    let count = services.detect_overdue().await;
                    said.store(true, Ordering::Relaxed);
                    count
                });
                while !done.load(Ordering::Relaxed) {
                    client.open(self.simulator, tokens, &mut busy)?;
                    openings += 1;
                }
                self.server.block_on(work)??;
                self.all_noticed(options)?;
            }
            self.forget_mails()?;
            std::thread::sleep(SETTLE);
            for _ in 0..openings {
                client.open(self.simulator, tokens, &mut quiet)?;
            }
        }
        let alone = self.alone(options)?;
        let idle = self.idle()?;
        say(options, &quiet, &busy, &alone, idle)
    }

    /// The server's own job may have taken a few of them: what counts is that each was noticed, once.
    fn all_noticed(&self, options: &Options) -> anyhow::Result<()> {
        let count: i64 =
            self.sql()?.query_row("SELECT count(*) FROM overdue_case", [], |row| row.get(0))?;
        anyhow::ensure!(
            usize::try_from(count)? == options.late,
            "{count} of {} were noticed",
            options.late
        );
        Ok(())
    }

    /// Makes the job notice everybody anew.
    fn forget(&self) -> anyhow::Result<()> {
        let conn = self.sql()?;
        conn.execute_batch("DELETE FROM overdue_step; DELETE FROM overdue_case;")?;
        drop(conn);
        self.forget_mails()?;
        std::thread::sleep(SETTLE);
        Ok(())
    }

    /// Mails are somebody else's figure.
    fn forget_mails(&self) -> anyhow::Result<()> {
        Ok(self.sql()?.execute_batch("DELETE FROM outbox")?)
    }

    fn sql(&self) -> anyhow::Result<Connection> {
        let conn = Connection::open(self.database.join("lockerd.db"))?;
        conn.busy_timeout(Duration::from_secs(5))?;
        Ok(conn)
    }

    /// The job alone: how long each run took, and the longest that an urgent write waited in it.
    fn alone(&self, options: &Options) -> anyhow::Result<Vec<(Duration, Duration)>> {
        let mut runs = Vec::new();
        for _ in 0..options.runs {
            self.forget()?;
            let services = Arc::clone(&self.services);
            let took = self.server.block_on(async move {
                let began = Instant::now();
                let own = Arc::clone(&services);
                let work = tokio::spawn(async move {
                    let count = own.detect_overdue().await;
                    (count, began.elapsed())
                });
                let mut longest = Duration::ZERO;
                while !work.is_finished() {
                    let asked = Instant::now();
                    let nothing = |_: &mut Tx<'_>| Ok::<_, StoreError>(());
                    services.store.write(Lane::Opening, nothing).await?;
                    longest = longest.max(asked.elapsed());
                    tokio::time::sleep(Duration::from_micros(200)).await;
                }
                let (count, took) = work.await?;
                count?;
                anyhow::Ok((took, longest))
            })?;
            self.all_noticed(options)?;
            runs.push(took);
        }
        Ok(runs)
    }

    /// A run that finds nothing to do.
    fn idle(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let count = self.server.block_on(self.services.detect_overdue())?;
        anyhow::ensure!(count == 0, "{count} were noticed twice");
        Ok(began.elapsed())
    }
}

/// A keep-alive connection that waits for each answer.
struct Client {
    stream: TcpStream,
    number: usize,
    seq: u64,
}

impl Client {
    /// Opens the next locker in turn, and waits for the command on the wire and for the next turn.
    fn open(&mut self, wire: &Simulator, tokens: &[String], seen: &mut Seen) -> anyhow::Result<()> {
        let locker = self.number % wired();
        self.number += 1;
        let due_us = wire.now_us() + u64::try_from(STEP.as_micros())?;
        let request = format!(
            "POST /api/v1/lockers/{}/open HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
            locker + 1,
            tokens[locker]
        );
        let asked_us = wire.now_us();
        self.stream.write_all(request.as_bytes())?;
        let mut answer = [0; 4 << 10];
        // The answer is small and leaves the server whole.
        let count = self.stream.read(&mut answer)?;
        let answered_us = wire.now_us();
        let answer = String::from_utf8_lossy(&answer[..count]);
        anyhow::ensure!(answer.starts_with("HTTP/1.1 202"), "locker {locker}: {answer}");
        seen.answered.record(answered_us - asked_us)?;
        seen.at_board.record(self.command(wire, turn(locker), asked_us)? - asked_us)?;
        std::thread::sleep(Duration::from_micros(due_us.saturating_sub(wire.now_us())));
        Ok(())
    }

    /// When the unlock command that a request led to arrived.
    fn command(
        &mut self,
        wire: &Simulator,
        (bus, lock): (usize, usize),
        asked_us: u64,
    ) -> anyhow::Result<u64> {
        let (name, until_us) =
            (format!("bus{bus}"), asked_us + u64::try_from(WIRE_TIMEOUT.as_micros())?);
        // Address 1, write coil, flash on, relay.
        let command = format!("01 05 02 {lock:02x}");
        while wire.now_us() < until_us {
            for record in wire.bytes(self.seq) {
                self.seq = record.seq;
                let ours = record.bus == name
                    && record.direction == Direction::Rx
                    && record.at_us >= asked_us;
                if ours && record.hex.to_lowercase().starts_with(&command) {
                    return Ok(record.at_us);
                }
            }
            std::thread::sleep(LOOK);
        }
        anyhow::bail!("{name}, lock {lock}: no unlock command within {WIRE_TIMEOUT:?}")
    }
}

fn say(
    options: &Options,
    quiet: &Seen,
    busy: &Seen,
    alone: &[(Duration, Duration)],
    idle: Duration,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let longest = alone.iter().map(|run| run.0).max().unwrap_or_default();
    let hold = alone.iter().map(|run| run.1).max().unwrap_or_default();
    writeln!(
        out,
        "{} late of {} rentals: noticed in {:.0} ms at most of {} runs (limit {:.0}); a run that finds \
         nothing: {:.1} ms",
        options.late,
        options.rentals,
        ms(longest),
        alone.len(),
        ms(LIMIT),
        ms(idle)
    )?;
    writeln!(
        out,
        "  an urgent write waited {:.1} ms at most (limit {:.0})",
        ms(hold),
        ms(HOLD_LIMIT)
    )?;
    for (name, quiet, busy) in [
        ("request to 202", &quiet.answered, &busy.answered),
        ("request to board", &quiet.at_board, &busy.at_board),
    ] {
        let at = |seen: &Histogram<u64>, q| ms(Duration::from_micros(seen.value_at_quantile(q)));
        writeln!(
            out,
            "  {name:<17} {:>4} openings: p50 {:>6.2} ms, quiet {:>6.2} (x {:.2}); p95 {:>6.2} ms, \
             quiet {:>6.2} (x {:.2}; limit 1.2)",
            busy.len(),
            at(busy, 0.5),
            at(quiet, 0.5),
            at(busy, 0.5) / at(quiet, 0.5),
            at(busy, 0.95),
            at(quiet, 0.95),
            at(busy, 0.95) / at(quiet, 0.95)
        )?;
    }
    Ok(())
}
