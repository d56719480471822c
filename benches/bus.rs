//! How near the wire's limit the polls of a whole bus are, and how soon a closed door is known.
//!
//! The real port task polls simulated boards that take their bytes' time on the line. Beside each
//! measured cycle stands what the wire and the prescribed gaps alone would take; beside each latency,
//! two cycles and 20 ms. Run with `cargo bench --bench bus`.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use lockerd::bus::codec::StatusOrder;
use lockerd::bus::config::{EchoSetting, PortAddress};
use lockerd::bus::{BoardConfig, Bus, BusConfig};
use lockerd::domain::channel::{BusName, Channel, DoorState, Family};
use lockerd::sim::{DoorAction, Physics, SimBoard, SimBus, SimConfig, Simulator};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const BOARDS: u8 = 8;
const LOCKS: u8 = 16;
/// How long polls are counted.
const POLLING: Duration = Duration::from_secs(20);
/// How often a door is closed.
const CLOSINGS: usize = 60;
/// The limits.
const CYCLE_LIMIT: f64 = 1.25;
const LATENCY_EXTRA: Duration = Duration::from_millis(20);
/// Longest wait for a door.
const PATIENCE: Duration = Duration::from_secs(5);

/// One kind of bus.
struct Line {
    name: &'static str,
    family: Family,
    baud: u32,
    first_address: u8,
    /// Bytes of a status request and its reply for 16 locks.
    request_bytes: u32,
    reply_bytes: u32,
    /// The gap that the protocol notes prescribe.
    gap: Duration,
}

const LINES: [Line; 2] = [
    Line {
        name: "8 CU16 at 19200",
        family: Family::KerongCu16,
        baud: 19_200,
        first_address: 0,
        request_bytes: 5,
        reply_bytes: 9,
        gap: Duration::from_millis(25),
    },
    Line {
        name: "8 Modbus at 9600",
        family: Family::ModbusRelay,
        baud: 9_600,
        first_address: 1,
        request_bytes: 8,
        reply_bytes: 7,
        gap: Duration::from_millis(5),
    },
];

impl Line {
    /// Wire time and gaps of one cycle over all boards.
    fn limit(&self) -> Duration {
        let bits = 10 * (self.request_bytes + self.reply_bytes);
        let wire = Duration::from_secs_f64(f64::from(bits) / f64::from(self.baud));
        (wire + self.gap) * u32::from(BOARDS)
    }

    fn addresses(&self) -> impl Iterator<Item = u8> {
        self.first_address..self.first_address + BOARDS
    }

    fn simulator(&self, link: &Path, turnaround_ms: u32) -> SimConfig {
        let bus = self.addresses().fold(SimBus::new("line", link, self.baud), |bus, address| {
            let board = match self.family {
                Family::KerongCu16 => SimBoard::cu16(address),
                _ => SimBoard::modbus(address, LOCKS),
            };
            bus.with(SimBoard { turnaround_ms, ..board })
        });
        let physics = Physics { bounce_ms: 0, ..Physics::default() };
        SimConfig { physics, buses: vec![bus], ..SimConfig::default() }
    }

    fn bus(&self, link: &Path) -> BusConfig {
        let board = |address| BoardConfig {
            address,
            family: self.family,
            locks: LOCKS,
            doors: true,
            closed_bit: true,
            status_order: StatusOrder::default(),
            power_supply: "main".to_owned(),
            pulse_ms: 400,
            answers_unlock: None,
            timed_pulse: true,
            off_ms: 2_000,
            pulses_per_minute: None,
            retry_pulse: true,
        };
        BusConfig {
            name: BusName::parse("line").expect("valid"),
            port: PortAddress::Device(link.to_path_buf()),
            baud: self.baud,
            gap_ms: None,
            reply_timeout_ms: 100,
            poll_interval_ms: 1,
            echo: EchoSetting::Auto,
            allow_software_pulse: false,
            boards: self.addresses().map(board).collect(),
        }
    }
}

fn main() {
    // Cargo's test runner builds benches too; there they have nothing to do.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    for turnaround_ms in [0, 2] {
        for line in &LINES {
            runtime.block_on(measure(line, turnaround_ms));
        }
    }
}

async fn measure(line: &Line, turnaround_ms: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let port = directory.path().join("line");
    let simulator = Simulator::start(line.simulator(&port, turnaround_ms)).expect("boards");
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let bus = Bus::start(vec![line.bus(&port)], &tracker, &stop);
    let last = line.addresses().last().expect("boards");
    until(&bus, &channel(last, LOCKS), DoorState::Closed).await;

    say(format_args!("{}, boards answer after {turnaround_ms} ms", line.name));
    let cycle = cycle(&bus).await;
    let limit = line.limit();
    say(format_args!(
        "  poll cycle      {:7.1} ms   wire and gaps {:7.1} ms   {:.2} times (limit {CYCLE_LIMIT})",
        ms(cycle),
        ms(limit),
        cycle.as_secs_f64() / limit.as_secs_f64(),
    ));
    let mut latencies = closings(line, &simulator, &bus).await;
    latencies.sort();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
    say(format_args!(
        "  closed to known {:7.1} ms median {:7.1} p95 {:7.1} max   limit {:7.1} (two cycles + 20 ms)",
        ms(at(50)),
        ms(at(95)),
        ms(at(100)),
        ms(cycle * 2 + LATENCY_EXTRA),
    ));
    assert!(simulator.violations().is_empty(), "{:?}", simulator.violations());
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    simulator.stop().await;
}

/// Mean time of one poll of every board.
async fn cycle(bus: &Bus) -> Duration {
    let answered = || bus.health()[0].boards.iter().map(|it| it.counters.answered).sum::<u64>();
    let (start, before) = (Instant::now(), answered());
    tokio::time::sleep(POLLING).await;
    let polls = answered() - before;
    start.elapsed() * u32::from(BOARDS) / u32::try_from(polls).expect("a count")
}

/// From the moment a door falls shut to the moment everybody knows.
async fn closings(line: &Line, simulator: &Simulator, bus: &Bus) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(CLOSINGS);
    for number in 0..CLOSINGS {
        let address = line.first_address + u8::try_from(number % usize::from(BOARDS)).expect("few");
        let lock = u8::try_from(number % usize::from(LOCKS)).expect("few") + 1;
        let act = |action| simulator.door("line", address, lock, action).expect("a door");
        let door = channel(address, lock);
        act(DoorAction::Open);
        until(bus, &door, DoorState::Open).await;
        // Anywhere in the cycle.
        tokio::time::sleep(Duration::from_millis(u64::try_from(number * 37 % 300).expect("few")))
            .await;
        let start = Instant::now();
        act(DoorAction::Close);
        until(bus, &door, DoorState::Closed).await;
        latencies.push(start.elapsed());
    }
    latencies
}

async fn until(bus: &Bus, door: &Channel, state: DoorState) {
    let mut changes = bus.subscribe();
    let seen = async {
        while bus.door(door).state != state {
            changes.changed().await.expect("the bus runs");
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("the door is seen");
}

fn channel(board: u8, lock: u8) -> Channel {
    Channel::new(BusName::parse("line").expect("valid"), board, lock).expect("valid")
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn say(line: std::fmt::Arguments<'_>) {
    writeln!(std::io::stdout(), "{line}").expect("a terminal or a file");
}
