//! What is soaked: boards of every family, a member for each lock, and the program that serves them.

use std::fmt::Write as _;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use lockerd::sim::{
    DoorAction, DoorPosition, Fault, LockState, Physics, SimBoard, SimBus, SimConfig, SimFamily,
    Simulator,
};
use tokio::runtime::Handle;

use crate::client::{Reply, call};
use crate::process::Process;

/// Boards of each bus, each with a supply of its own.
pub const BOARDS: u8 = 3;
/// Locks of each board.
pub const LOCKS: u8 = 8;
/// How long each pulse is.
const PULSE_MS: u16 = 200;
/// Longest wait for a coil to go off before its door is pushed shut.
const COIL_MAX: Duration = Duration::from_secs(2);

/// One kind of bus.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    simulated: SimFamily,
    configured: &'static str,
    baud: u32,
    tcp: bool,
    answers: bool,
}

/// All of them; their places in this list are the places of the buses.
pub const KINDS: [Kind; 8] = [
    kind("relay", SimFamily::ModbusRelay, "modbus-relay", 9_600, true),
    kind("relay-too", SimFamily::ModbusRelay, "modbus-relay", 9_600, true),
    kind("xor", SimFamily::XorBoard, "xor-board", 9_600, true),
    kind("cu16", SimFamily::KerongCu16, "kerong-cu16", 19_200, false),
    kind("cu48", SimFamily::KerongCu48, "kerong-cu48", 19_200, false),
    kind("cu48-ir", SimFamily::KerongCu48Ir, "kerong-cu48-ir", 19_200, true),
    Kind { tcp: true, ..kind("gateway", SimFamily::KerongCu48, "kerong-cu48", 19_200, false) },
    kind("wkly", SimFamily::Wkly, "wkly", 9_600, true),
];

const fn kind(
    name: &'static str,
    simulated: SimFamily,
    configured: &'static str,
    baud: u32,
    answers: bool,
) -> Kind {
    Kind { name, simulated, configured, baud, tcp: false, answers }
}

/// Where a lock is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The name of its bus.
    pub bus: &'static str,
    /// The address of its board.
    pub board: u8,
    /// Its number.
    pub lock: u8,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.bus, self.board, self.lock)
    }
}

/// Somebody who rents a locker.
pub struct Member {
    /// Its lock.
    pub place: Place,
    /// Its number.
    pub locker: usize,
    /// The line of HTTP that says who asks.
    pub authorization: String,
}

/// See the file's head.
pub struct Site {
    /// The hardware.
    pub simulator: Simulator,
    /// For what the simulator does asynchronously.
    pub runtime: Handle,
    /// Everybody.
    pub members: Vec<Member>,
    dir: PathBuf,
    server: Mutex<Option<Process>>,
    pid: AtomicU32,
    address: Mutex<SocketAddr>,
    generation: AtomicU64,
}

/// A site whose server has ended; what it left.
pub struct Stopped {
    dir: PathBuf,
}

impl Stopped {
    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.dir.join("data/lockerd.db")
    }

    /// Runs a command of the program on what was left.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        run(&self.dir, arguments)
    }
}

impl Site {
    /// Makes everything in `dir` and serves it.
    pub fn start(dir: &Path, seed: u64, runtime: Handle) -> anyhow::Result<Self> {
        let simulator = {
            let _inside = runtime.enter();
            Simulator::start(simulated(dir, seed))?
        };
        std::fs::write(dir.join("config.toml"), configuration(dir, &simulator)?)?;
        std::fs::DirBuilder::new().mode(0o700).create(dir.join("data"))?;
        std::fs::write(dir.join("site.toml"), lockers())?;
        std::fs::write(dir.join("roster.csv"), roster())?;
        run(dir, &["bank", "import", &dir.join("site.toml").display().to_string()])?;
        run(dir, &["member", "import", &dir.join("roster.csv").display().to_string()])?;
        let (process, address) = serve(dir)?;
        let mut site = Self {
            simulator,
            runtime,
            members: Vec::new(),
            dir: dir.to_path_buf(),
            pid: AtomicU32::new(process.0.id()),
            server: Mutex::new(Some(process)),
            address: Mutex::new(address),
            generation: AtomicU64::new(0),
        };
        site.members = places()
            .enumerate()
            .map(|(number, place)| join(address, number, place))
            .collect::<anyhow::Result<_>>()?;
        Ok(site)
    }

    /// Where it listens, or did until a moment ago.
    pub fn address(&self) -> SocketAddr {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// How often the server was killed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Kills the server and starts it again after a while.
    pub fn kill(&self, away: Duration) -> anyhow::Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        // Dropping a process kills it without warning and waits until it is gone.
        drop(server.take());
        std::thread::sleep(away);
        let (process, address) = serve(&self.dir)?;
        self.pid.store(process.0.id(), Ordering::Relaxed);
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
        *server = Some(process);
        Ok(())
    }

    /// Ends the server in order.
    pub fn stop(self) -> anyhow::Result<Stopped> {
        let server = self.server.into_inner().unwrap_or_else(PoisonError::into_inner);
        server.context("no server")?.stop()?;
        Ok(Stopped { dir: self.dir })
    }

    /// A lock as it is now.
    pub fn lock(&self, place: Place) -> anyhow::Result<LockState> {
        let state = self.simulator.state();
        state.lock(place.bus, place.board, place.lock).cloned().context("a lock of this site")
    }

    /// Pushes a door shut if it is open, as a person does: not while the coil holds the latch back.
    pub fn shut(&self, place: Place) -> anyhow::Result<()> {
        let give_up = Instant::now() + COIL_MAX;
        let mut lock = self.lock(place)?;
        while lock.coil_on && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(20));
            lock = self.lock(place)?;
        }
        if lock.door == DoorPosition::Open {
            self.simulator.door(place.bus, place.board, place.lock, DoorAction::Close)?;
        }
        Ok(())
    }

    /// Puts a fault in force.
    pub fn fault(&self, fault: Fault) -> anyhow::Result<()> {
        self.simulator.fault(fault)?;
        Ok(())
    }
}

/// Every lock, in the order of the lockers.
fn places() -> impl Iterator<Item = Place> {
    KINDS.iter().flat_map(|kind| {
        (1..=BOARDS).flat_map(move |board| {
            (1..=LOCKS).map(move |lock| Place { bus: kind.name, board, lock })
        })
    })
}

fn supply(kind: &Kind, board: u8) -> String {
    format!("{}-{board}", kind.name)
}

fn simulated(dir: &Path, seed: u64) -> SimConfig {
    let buses = KINDS.iter().map(|kind| {
        let bus = if kind.tcp {
            SimBus::tcp(kind.name, SocketAddr::from(([127, 0, 0, 1], 0)), kind.baud)
        } else {
            SimBus::new(kind.name, dir.join(kind.name), kind.baud)
        };
        (1..=BOARDS).fold(bus, |bus, board| {
            bus.with(SimBoard {
                power_supply: supply(kind, board),
                pulse_ms: Some(PULSE_MS),
                answers_unlock: Some(kind.answers),
                ..SimBoard::new(kind.simulated, board, LOCKS)
            })
        })
    });
    let physics = Physics { release_ms: 20, opens_after_ms: 40, bounce_ms: 5, auto_close_ms: None };
    let buses = buses.collect();
    SimConfig { seed, pacing: false, physics, buses, ..SimConfig::default() }
}

fn configuration(dir: &Path, simulator: &Simulator) -> anyhow::Result<String> {
    let mut text = format!(
        "data_dir = '{}'\n[clock]\nrtc = true\n[http]\nlisten = '127.0.0.1:0'\n[auth]\nroster_login = 'full'\n\
         access_minutes = 720\n[log]\nfilter = 'warn'\n",
        dir.join("data").display()
    );
    let state = simulator.state();
    for kind in &KINDS {
        let port = match state.bus(kind.name).and_then(|bus| bus.tcp) {
            Some(gateway) => format!("tcp://{gateway}"),
            None => dir.join(kind.name).display().to_string(),
        };
        write!(
            text,
            "[[bus]]\nname = '{}'\nport = '{port}'\nbaud = {}\nreply_timeout_ms = 50\n\
             poll_interval_ms = 100\n",
            kind.name, kind.baud
        )?;
        for board in 1..=BOARDS {
            write!(
                text,
                "[[bus.board]]\naddress = {board}\nfamily = '{}'\nlocks = {LOCKS}\n\
                 pulse_ms = {PULSE_MS}\npulses_per_minute = 20\npower_supply = '{}'\n\
                 answers_unlock = {}\n",
                kind.configured,
                supply(kind, board),
                kind.answers
            )?;
        }
    }
    Ok(text)
}

fn lockers() -> String {
    let mut text =
        "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\n".to_owned();
    for (number, Place { bus, board, lock }) in places().enumerate() {
        let id = number + 1;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[location.bank.locker]]\nid = {id}\nbus = '{bus}'\nboard = {board}\nlock = {lock}\n"
        );
    }
    text + "[[term]]\nname_ko = '학기'\nopens_at = '2020-01-01T00:00:00'\n\
            closes_at = '2090-01-01T00:00:00'\nstarts_on = '2020-01-01'\nends_on = '2090-12-31'\n"
}

fn student(number: usize) -> (String, String, String) {
    (format!("2024{number:06}"), "김학생".to_owned(), format!("0107{number:07}"))
}

fn roster() -> String {
    let rows = (0..places().count()).map(student);
    rows.fold("student_id,name,phone\n".to_owned(), |text, (id, name, phone)| {
        text + &format!("{id},{name},{phone}\n")
    })
}

/// Logs a member in and rents the locker.
fn join(address: SocketAddr, number: usize, place: Place) -> anyhow::Result<Member> {
    let (student_id, name, phone_number) = student(number);
    let body = serde_json::json!({
        "student_id": student_id, "name": name, "phone_number": phone_number
    });
    let json = "Content-Type: application/json\r\n";
    let log_in = call(address, ("POST", "/api/v1/auth/login"), json, &body.to_string())?;
    let token = wanted(&log_in, 200)?.text("access_token");
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let locker = number + 1;
    for (what, status) in [("hold", 201), ("confirm", 200)] {
        let path = format!("/api/v1/lockers/{locker}/{what}");
        wanted(&call(address, ("POST", &path), &authorization, "")?, status)?;
    }
    Ok(Member { place, locker, authorization })
}

fn wanted(reply: &Reply, status: u16) -> anyhow::Result<&Reply> {
    anyhow::ensure!(reply.status == status, "{}: {}", reply.status, reply.body);
    Ok(reply)
}

fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.current_dir(dir);
    command
}

fn run(dir: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = program(dir).args(arguments).arg("--config").arg("config.toml").output()?;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    anyhow::ensure!(output.status.success(), "{arguments:?}: {told}");
    Ok(())
}

fn serve(dir: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    let mut command = program(dir);
    command.args(["serve", "--config", "config.toml"]).stderr(log);
    let (process, line) = Process::start(&mut command)?;
    let url = line.split_whitespace().last().context("an empty line")?;
    let address = url.strip_prefix("http://").context("no URL")?.parse()?;
    Ok((process, address))
}
