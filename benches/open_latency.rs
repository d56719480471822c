//! From the request to the wire: how long an opening takes until its first byte is on the bus.
//!
//! Site and simulated boards run in this process, so one monotonic clock serves both: the client
//! notes the simulator's time just before it writes `POST /lockers/{id}/open`, the simulator notes
//! when the unlock command arrives. Once with idle buses, once with polling going on; in the
//! second case one transaction and one gap may come first. `docs/guide/benchmarks.md` tells more.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use hdrhistogram::Histogram;
use jiff::Span;
use lockerd::app::App;
use lockerd::bus::config::PortAddress;
use lockerd::clock::Clock;
use lockerd::config::{
    AuthConfig, BoardEntry, BusEntry, ClockConfig, Config, HttpConfig, KioskConfig, LimitsConfig,
    LogConfig, PrivacyConfig, RetentionConfig, SiteConfig,
};
use lockerd::domain::channel::Family;
use lockerd::domain::id::LockerId;
use lockerd::service::Services;
use lockerd::service::members::RosterRow;
use lockerd::service::site::{BankEntry, LocationEntry, LockerEntry, SiteFile, TermEntry};
use lockerd::sim::{ByteRecord, Direction, Physics, SimBoard, SimBus, SimConfig, Simulator};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Serial lines, half of them of each family.
const BUSES: usize = 16;

/// Lockers of each line that are opened in turn, all on its first board.
const LOCKS_IN_TURN: usize = 4;

/// Boards of a line when its doors are polled.
const POLLED_BOARDS: u8 = 4;

/// Time from one opening to the next. With all lines in turn each rests for 1.2 s, and each lock
/// for 4.8 s: longer than pulse, door and the two seconds that a coil must cool down.
const STEP: Duration = Duration::from_millis(75);

/// A line that was quiet for so long before a request counts as idle, in microseconds.
const QUIET_US: u64 = 40_000;

/// Longest wait for the unlock command on the wire.
const WIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often the byte log is looked at; the times come from the log, not from the look.
const LOOK: Duration = Duration::from_millis(2);

/// Time for the boards to be found and all coils to be switched off at the start.
const SETTLE: Duration = Duration::from_secs(2);

/// Bits of a byte on the wire: start, eight, stop.
const BITS_PER_BYTE: u64 = 10;

#[derive(Debug, Parser)]
struct Options {
    /// Openings in each mode.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    openings: u32,
    /// Pause between two looks at a board's doors while polling goes on, in milliseconds.
    #[arg(long, default_value_t = 100)]
    poll_interval_ms: u32,
    /// A few openings: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the buses do besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mode {
    name: &'static str,
    boards: u8,
    poll_interval_ms: u32,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let openings = if options.quick { 16 } else { options.openings };
    let idle = Mode { name: "idle", boards: 1, poll_interval_ms: 10_000 };
    let poll_interval_ms = options.poll_interval_ms;
    let polled = Mode { name: "polling", boards: POLLED_BOARDS, poll_interval_ms };
    for mode in [idle, polled] {
        measure(mode, openings)?;
    }
    Ok(())
}

fn family(bus: usize) -> Family {
    if bus.is_multiple_of(2) { Family::KerongCu16 } else { Family::ModbusRelay }
}

fn baud(family: Family) -> u32 {
    if family == Family::KerongCu16 { 19_200 } else { 9_600 }
}

fn bus_name(bus: usize) -> String {
    format!("bus{bus}")
}

fn supply(bus: usize, address: u8) -> String {
    format!("{bus}-{address}")
}

fn simulated(mode: Mode, links: &Path) -> SimConfig {
    let buses = (0..BUSES).map(|bus| {
        let line = SimBus::new(&bus_name(bus), links.join(bus_name(bus)), baud(family(bus)));
        (1..=mode.boards).fold(line, |line, address| {
            let board = match family(bus) {
                Family::KerongCu16 => SimBoard::cu16(address),
                _ => SimBoard::modbus(address, 16),
            };
            line.with(SimBoard { power_supply: supply(bus, address), ..board })
        })
    });
    // Doors shut soon, so that the next opening of the same locker finds it shut.
    let physics = Physics { auto_close_ms: Some(300), ..Physics::default() };
    SimConfig { physics, buses: buses.collect(), ..SimConfig::default() }
}

fn config(mode: Mode, dir: &Path) -> Config {
    let boards = |bus: usize| {
        (1..=mode.boards).map(move |address| BoardEntry {
            power_supply: supply(bus, address),
            pulse_ms: if family(bus) == Family::KerongCu16 { 550 } else { 400 },
            ..BoardEntry::new(family(bus), address, 16)
        })
    };
    let buses = (0..BUSES).map(|bus| {
        let port = PortAddress::Device(dir.join(bus_name(bus)));
        let boards = boards(bus).collect();
        BusEntry {
            poll_interval_ms: mode.poll_interval_ms,
            ..BusEntry::new(&bus_name(bus), port, baud(family(bus)), boards)
        }
    });
    Config {
        data_dir: dir.to_path_buf(),
        time_zone: "Asia/Seoul".to_owned(),
        http: HttpConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..HttpConfig::default() },
        site: SiteConfig::default(),
        clock: ClockConfig::default(),
        kiosk: KioskConfig::default(),
        limits: LimitsConfig::default(),
        privacy: PrivacyConfig::default(),
        retention: RetentionConfig::default(),
        mail: lockerd::config::MailConfig::default(),
        auth: AuthConfig::default(),
        alarms: lockerd::config::AlarmsConfig::default(),
        log: LogConfig::default(),
        buses: buses.collect(),
    }
}

/// The n-th opening in turn goes to this bus and this lock of its first board.
fn turn(number: usize) -> (usize, usize) {
    (number % BUSES, number / BUSES % LOCKS_IN_TURN)
}

fn lockers() -> usize {
    BUSES * LOCKS_IN_TURN
}

/// Every locker, and a student who rents it; gives the students' tokens.
async fn fill(services: &Services) -> anyhow::Result<Vec<String>> {
    let lockers = (0..lockers()).map(|number| {
        let (bus, lock) = turn(number);
        Ok(LockerEntry {
            id: i64::try_from(number + 1)?,
            bus: Some(bus_name(bus)),
            board: Some(1),
            lock: Some(u8::try_from(lock + 1)?),
            ..LockerEntry::default()
        })
    });
    let bank = BankEntry {
        name_ko: "시험".to_owned(),
        name_en: None,
        lockers: lockers.collect::<anyhow::Result<_>>()?,
        ..BankEntry::default()
    };
    let location = LocationEntry {
        name_ko: "시험".to_owned(),
        name_en: None,
        banks: vec![bank],
        terms: Vec::new(),
    };
    let (now, today) = (services.clock.now(), services.clock.today());
    let term = TermEntry {
        name_ko: "시험".to_owned(),
        name_en: None,
        opens_at: (now - Span::new().hours(1)).to_string(),
        closes_at: (now + Span::new().hours(1)).to_string(),
        starts_on: today.to_string(),
        ends_on: today.saturating_add(Span::new().days(1)).to_string(),
    };
    services.import_site(SiteFile { locations: vec![location], terms: vec![term] }).await?;
    let people = (0..self::lockers()).map(|number| {
        let student_id = format!("L{number:07}");
        (number, RosterRow { student_id, name: "학생".to_owned(), phone: None, email: None })
    });
    services.import_roster(people.collect()).await?;
    let mut tokens = Vec::new();
    for (number, (_, token)) in (1..).zip(services.issue_student_tokens().await?) {
        let caller = services.authenticate_until(&token)?.0;
        services.hold(caller, LockerId(number), None).await?;
        services.confirm(caller, LockerId(number), None).await?;
        tokens.push(token);
    }
    Ok(tokens)
}

fn runtime(worker_threads: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads).enable_all().build()
}

fn measure(mode: Mode, openings: u32) -> anyhow::Result<()> {
    let place = env!("CARGO_TARGET_TMPDIR");
    std::fs::create_dir_all(place)?;
    let dir = tempfile::TempDir::with_prefix_in("open-", place)?;
    let config = config(mode, dir.path());
    // Hardware has its own time: it must not wait for a thread of the server.
    let hardware = runtime(1)?;
    let simulator = {
        let _entered = hardware.enter();
        Simulator::start(simulated(mode, dir.path()))?
    };
    let server = runtime(2)?;
    let app = server.block_on(App::build(&config, Clock::watched(config.zone()?, true, None)))?;
    let (address, stop) = (app.address()?, CancellationToken::new());
    let tokens = server.block_on(fill(app.services()))?;
    let running = server.spawn(app.run(stop.clone()));
    std::thread::sleep(SETTLE);
    let mut seen = Seen::new()?;
    let mut client = Client(TcpStream::connect(address)?);
    client.0.set_nodelay(true)?;
    for number in 0..usize::try_from(openings)? {
        let due_us = simulator.now_us() + u64::try_from(STEP.as_micros())?;
        let locker = number % lockers();
        let (asked_us, answered_us) = client.open(&simulator, locker + 1, &tokens[locker])?;
        seen.answered_us.record(answered_us - asked_us)?;
        seen.note(&simulator, turn(locker), asked_us)?;
        let left_us = due_us.saturating_sub(simulator.now_us());
        std::thread::sleep(Duration::from_micros(left_us));
    }
    drop(client);
    stop.cancel();
    server.block_on(running)??;
    hardware.block_on(simulator.stop());
    let gaps: Vec<(Family, Duration)> =
        config.buses()?.iter().enumerate().map(|(bus, line)| (family(bus), line.gap())).collect();
    seen.say(mode, &gaps)?;
    anyhow::ensure!(simulator.violations().is_empty(), "{:?}", simulator.violations());
    Ok(())
}

/// A keep-alive connection that waits for each answer.
struct Client(TcpStream);

impl Client {
    /// Asks for an opening; gives the simulator's time just before the request was written and
    /// just after the answer came, which is when the intent is stored.
    fn open(
        &mut self,
        clock: &Simulator,
        locker: usize,
        token: &str,
    ) -> anyhow::Result<(u64, u64)> {
        let request = format!(
            "POST /api/v1/lockers/{locker}/open HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
        );
        let asked_us = clock.now_us();
        self.0.write_all(request.as_bytes())?;
        let mut answer = [0; 4 << 10];
        // The answer is small and leaves the server whole.
        let count = self.0.read(&mut answer)?;
        let answered_us = clock.now_us();
        let answer = String::from_utf8_lossy(&answer[..count]);
        anyhow::ensure!(answer.starts_with("HTTP/1.1 202"), "locker {locker}: {answer}");
        Ok((asked_us, answered_us))
    }
}

/// What one family has shown.
struct Figures {
    family: Family,
    /// Request to first byte, microseconds.
    latency_us: Histogram<u64>,
    /// Openings that found their line busy or just used.
    not_idle: u32,
    /// The longest transaction of polling, first byte of the request to last of the answer.
    transaction_us_max: u64,
}

/// The wire as far as it has been looked at.
struct Seen {
    figures: [Figures; 2],
    /// Request to answer over HTTP, microseconds.
    answered_us: Histogram<u64>,
    last_seq: u64,
    /// Of each bus: when its last byte had passed.
    last_end_us: [u64; BUSES],
    /// Of each bus: when the request began that was sent last.
    request_us: [u64; BUSES],
}

impl Seen {
    fn new() -> anyhow::Result<Self> {
        let figures = |family| -> anyhow::Result<Figures> {
            let latency_us = Histogram::new(3)?;
            Ok(Figures { family, latency_us, not_idle: 0, transaction_us_max: 0 })
        };
        Ok(Self {
            figures: [figures(Family::KerongCu16)?, figures(Family::ModbusRelay)?],
            answered_us: Histogram::new(3)?,
            last_seq: 0,
            last_end_us: [0; BUSES],
            request_us: [0; BUSES],
        })
    }

    /// Waits for the unlock command that a request has led to.
    fn note(
        &mut self,
        simulator: &Simulator,
        (bus, lock): (usize, usize),
        asked_us: u64,
    ) -> anyhow::Result<()> {
        let until_us = asked_us + u64::try_from(WIRE_TIMEOUT.as_micros())?;
        while simulator.now_us() < until_us {
            for record in simulator.bytes(self.last_seq) {
                self.last_seq = record.seq;
                let found = self.follow(&record, asked_us, bus, lock)?;
                if found {
                    return Ok(());
                }
            }
            std::thread::sleep(LOOK);
        }
        anyhow::bail!("bus {bus} lock {lock}: no unlock command within {WIRE_TIMEOUT:?}")
    }

    /// Takes one record; true when it is the command that was waited for.
    fn follow(
        &mut self,
        record: &ByteRecord,
        asked_us: u64,
        bus: usize,
        lock: usize,
    ) -> anyhow::Result<bool> {
        let on: usize = record.bus.trim_start_matches("bus").parse()?;
        let bytes: Vec<&str> = record.hex.split(' ').collect();
        let byte_us = BITS_PER_BYTE * 1_000_000 / u64::from(baud(family(on)));
        let end_us = record.at_us + u64::try_from(bytes.len())? * byte_us;
        let quiet_us = asked_us.saturating_sub(self.last_end_us[on]);
        let figures = &mut self.figures[on % 2];
        if record.direction == Direction::Tx {
            let took_us = end_us.saturating_sub(self.request_us[on]);
            figures.transaction_us_max = figures.transaction_us_max.max(took_us);
        } else {
            self.request_us[on] = record.at_us;
        }
        self.last_end_us[on] = end_us;
        let wanted = on == bus && record.at_us >= asked_us && record.direction == Direction::Rx;
        if !wanted || !unlocks(family(on), &bytes, lock)? {
            return Ok(false);
        }
        figures.latency_us.record(record.at_us - asked_us)?;
        figures.not_idle += u32::from(quiet_us < QUIET_US);
        Ok(true)
    }

    fn say(&self, mode: Mode, gaps: &[(Family, Duration)]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{}: {} boards a bus, a look at each every {} ms",
            mode.name, mode.boards, mode.poll_interval_ms
        )?;
        let ms = |us: u64| Duration::from_micros(us).as_secs_f64() * 1e3;
        writeln!(
            out,
            "  {:<13} {:>4} answers:  p50 {:>6.2}   p99 {:>6.2}   max {:>6.2} ms",
            "202",
            self.answered_us.len(),
            ms(self.answered_us.value_at_quantile(0.5)),
            ms(self.answered_us.value_at_quantile(0.99)),
            ms(self.answered_us.max())
        )?;
        for figures in &self.figures {
            let gap = gaps.iter().find(|(family, _)| *family == figures.family);
            let (_, gap) = gap.context("every family has a bus")?;
            let latency = &figures.latency_us;
            writeln!(
                out,
                "  {:<13} {:>4} openings: p50 {:>6.2}   p99 {:>6.2}   max {:>6.2} ms   \
                 ({} found the line in use)",
                figures.family.name(),
                latency.len(),
                ms(latency.value_at_quantile(0.5)),
                ms(latency.value_at_quantile(0.99)),
                ms(latency.max()),
                figures.not_idle
            )?;
            writeln!(
                out,
                "                one transaction and one gap: {:.2} + {:.2} ms",
                ms(figures.transaction_us_max),
                gap.as_secs_f64() * 1e3
            )?;
        }
        Ok(())
    }
}

/// Whether a frame is the unlock command of a lock (from 0) on the first board.
fn unlocks(family: Family, bytes: &[&str], lock: usize) -> anyhow::Result<bool> {
    let byte = |place: usize| bytes.get(place).map_or(Ok(0), |hex| usize::from_str_radix(hex, 16));
    Ok(match family {
        // 02, board and lock as nibbles, 31, …
        Family::KerongCu16 => byte(2)? == 0x31 && byte(1)? & 0x0F == lock,
        // address, 05, 02 (flash on), relay, …
        _ => byte(1)? == 0x05 && byte(2)? == 0x02 && byte(3)? == lock,
    })
}
