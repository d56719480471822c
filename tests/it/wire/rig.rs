//! A served site whose every bus is one kind of line, with its boards in the test's own process.

use std::time::{Duration, Instant};

use lockerd::sim::{
    Direction, DoorAction, DoorPosition, Fault, FaultKind, Physics, Pulse, Violation, ViolationKind,
};
use serde_json::Value;

use super::lines::{ALL, Line};
use crate::support::boards::Boards;
use crate::support::http::Client;
use crate::support::site::{Plan, Site, student};
use crate::support::until;

/// The boards of each line.
pub const FIRST_BOARD: u8 = 1;
pub const SECOND_BOARD: u8 = 2;
/// Locks of each board that have a locker.
pub const LOCKS: u8 = 8;
/// How long each pulse is.
pub const PULSE_MS: u16 = 200;
/// Students of the site: one for each line.
const STUDENTS: usize = ALL.len();

/// Everything under test.
pub struct Rig {
    pub site: Site,
    pub boards: Boards,
    /// Sees and opens everything.
    pub admin: Client,
    /// When all lines worked, by the simulator's clock. Before that the machine is busy with the start,
    /// and on a line whose echo is not known yet the first answer may be taken for the echo.
    pub ready_us: u64,
}

/// One line of the rig, for the thread that works on it.
pub struct On<'a> {
    pub boards: &'a Boards,
    /// Sees and opens everything.
    pub admin: &'a Client,
    pub line: &'a Line,
    /// Its place in [`ALL`], and its student's number.
    pub number: usize,
}

impl Rig {
    /// Serves all lines and waits until every door is known.
    pub fn start() -> Self {
        Self::start_with(|_| {}).ready()
    }

    /// Serves all lines; `before` may spoil the boards first. Waits for nothing.
    pub fn start_with(before: impl FnOnce(&Boards)) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let physics =
            Physics { release_ms: 20, opens_after_ms: 40, bounce_ms: 5, auto_close_ms: None };
        let buses = ALL.iter().map(|line| line.simulated(&place)).collect();
        let boards = Boards::with(buses, physics);
        before(&boards);
        let mut site = Site::prepare_in(place, &plan(&boards));
        site.serve();
        let admin = site.account("ADMIN");
        Self { site, boards, admin, ready_us: 0 }
    }

    /// The same when every door is known.
    pub fn ready(mut self) -> Self {
        self.each(|on| on.demand_ready());
        self.ready_us = self.boards.simulator.now_us();
        self
    }

    /// Works on all lines at the same time; fails when one of them does.
    pub fn each(&self, work: impl Fn(&On<'_>) + Sync) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = ALL
                .iter()
                .enumerate()
                .map(|(number, line)| {
                    let on = On { boards: &self.boards, admin: &self.admin, line, number };
                    let work = &work;
                    let named = std::thread::Builder::new().name(line.name.to_owned());
                    named.spawn_scoped(scope, move || work(&on)).expect("a thread")
                })
                .collect();
            let failed: Vec<_> = threads
                .into_iter()
                .zip(&ALL)
                .filter_map(|(thread, line)| thread.join().is_err().then_some(line.name))
                .collect();
            assert!(failed.is_empty(), "failed on {failed:?}, see above");
        });
    }

    /// Demands that no rule of the hardware was broken since all lines worked.
    #[track_caller]
    pub fn demand_no_violations(&self) {
        for (number, line) in ALL.iter().enumerate() {
            let on = On { boards: &self.boards, admin: &self.admin, line, number };
            on.demand_no_violations_since(self.ready_us, &[], "all");
        }
    }
}

/// The configuration and the lockers of all lines.
fn plan(boards: &Boards) -> Plan {
    let state = boards.simulator.state();
    let plan = Plan::default().admin().students(STUDENTS);
    ALL.iter().enumerate().fold(plan, |plan, (number, line)| {
        let gateway = state.bus(line.name).and_then(|bus| bus.tcp);
        let port = gateway.map_or_else(|| line.name.to_owned(), |it| format!("tcp://{it}"));
        let channels = [FIRST_BOARD, SECOND_BOARD]
            .into_iter()
            .flat_map(|board| (1..=LOCKS).map(move |lock| (board, lock)));
        channels.fold(plan.bus(&line.configured(&port)), |plan, (board, lock)| {
            plan.wired(1, locker(number, board, lock), (line.name, board, lock))
        })
    })
}

/// The locker on a lock of the n-th line.
fn locker(number: usize, board: u8, lock: u8) -> i64 {
    let number = i64::try_from(number).expect("small");
    number * 100 + i64::from(board) * 10 + i64::from(lock)
}

impl On<'_> {
    /// The locker on a lock of this line.
    pub fn locker(&self, board: u8, lock: u8) -> i64 {
        locker(self.number, board, lock)
    }

    /// This line's student, logged in at the server that runs now.
    pub fn student(&self) -> Client {
        self.nobody().log_in(&student(self.number))
    }

    fn nobody(&self) -> Client {
        Client::nobody(self.admin.address)
    }

    /// What is published of a door.
    #[track_caller]
    pub fn door(&self, board: u8, lock: u8) -> String {
        let path = format!("/api/v1/lockers/{}", self.locker(board, lock));
        let reply = self.admin.get(&path).expect(200).json();
        reply["door"].as_str().expect("staff are told").to_owned()
    }

    /// Waits until a door is published so.
    #[track_caller]
    pub fn until_door(&self, board: u8, lock: u8, wanted: &str) {
        let what = format!("{}: door {board}/{lock} is {wanted}", self.line.name);
        until(&what, || (self.door(board, lock) == wanted).then_some(()));
    }

    /// Waits until the first and the last door of each board are known.
    #[track_caller]
    pub fn demand_ready(&self) {
        for board in [FIRST_BOARD, SECOND_BOARD] {
            self.until_door(board, LOCKS, "closed");
        }
    }

    /// Asks for an opening as staff.
    #[track_caller]
    pub fn open(&self, board: u8, lock: u8) -> String {
        let opened = self.admin.locker(self.locker(board, lock), "open").expect(202).json();
        opened["operation_id"].as_str().expect("an id").to_owned()
    }

    /// Opens and waits for the outcome.
    #[track_caller]
    pub fn opened(&self, board: u8, lock: u8) -> Seen {
        Seen(self.admin.outcome(&self.open(board, lock)))
    }

    /// The outcome of an opening.
    #[track_caller]
    pub fn outcome(&self, id: &str) -> Seen {
        Seen(self.admin.outcome(id))
    }

    /// A fault on this line.
    pub fn fault(&self, kind: FaultKind) -> Fault {
        Fault::new(self.line.name, kind)
    }

    /// Puts a fault in force; its number.
    pub fn set(&self, fault: Fault) -> u64 {
        self.boards.simulator.fault(fault).expect("a sound fault")
    }

    /// Whether a fault of this number is in force.
    pub fn is_set(&self, id: u64) -> bool {
        self.boards.simulator.state().faults.iter().any(|it| it.id == id)
    }

    /// Acts on a door by hand.
    pub fn hand(&self, board: u8, lock: u8, action: DoorAction) {
        self.boards.door(self.line.name, board, lock, action);
    }

    /// Closes a door that was opened, and waits until that is known.
    #[track_caller]
    pub fn close(&self, board: u8, lock: u8) {
        self.boards.close(self.line.name, board, lock);
        self.until_door(board, lock, "closed");
    }

    /// Where a door really stands.
    pub fn stands_open(&self, board: u8, lock: u8) -> bool {
        self.boards.lock(self.line.name, board, lock).door == DoorPosition::Open
    }

    /// The pulses that reached a lock.
    pub fn pulses(&self, board: u8, lock: u8) -> Vec<Pulse> {
        self.boards.pulses(self.line.name, board, lock)
    }

    /// What the boards of this line have heard after byte record `after`, oldest first.
    pub fn heard(&self, after: u64) -> Vec<String> {
        let records = self.boards.simulator.bytes(after).into_iter();
        let here = |it: &lockerd::sim::ByteRecord| {
            it.direction == Direction::Rx && it.bus == self.line.name
        };
        records.filter(here).map(|it| it.hex).collect()
    }

    /// How often the first board was told to open this lock.
    pub fn told_to_open(&self, lock: u8) -> usize {
        let head = (self.line.unlock_head)(lock);
        self.heard(0).iter().map(|hex| hex.matches(&head).count()).sum()
    }

    /// The moment, by the simulator's clock.
    pub fn now_us(&self) -> u64 {
        self.boards.simulator.now_us()
    }

    /// Rules broken on this line since a moment, but for those that the fault itself makes.
    #[track_caller]
    pub fn demand_no_violations_since(&self, since_us: u64, excused: &[ViolationKind], what: &str) {
        // After a command that is not answered the next request follows at once: a simulator that
        // is kept waiting by a busy machine finds both in one piece and cannot see the gap.
        let mute = ViolationKind::GapTooShort;
        let broken: Vec<Violation> = self
            .boards
            .simulator
            .violations()
            .into_iter()
            .filter(|it| it.bus == self.line.name && it.at_us >= since_us)
            .filter(|it| !excused.contains(&it.kind) && (it.kind != mute || self.line.answers))
            .collect();
        assert!(broken.is_empty(), "{} after {what}: {broken:?}", self.line.name);
    }

    /// The state of the port as everybody is told.
    #[track_caller]
    pub fn port(&self) -> String {
        let health = self.nobody().health();
        health["buses"][self.line.name].as_str().expect("a state").to_owned()
    }

    /// Waits until the port is in a state; how long that took.
    #[track_caller]
    pub fn until_port(&self, wanted: &str) -> Duration {
        let begun = Instant::now();
        until(&format!("{} is {wanted}", self.line.name), || (self.port() == wanted).then_some(()));
        begun.elapsed()
    }
}

/// An opening as it was told.
#[derive(Debug)]
pub struct Seen(pub Value);

impl Seen {
    /// How it ended.
    pub fn outcome(&self) -> &str {
        self.0["outcome"].as_str().unwrap_or("none yet")
    }

    /// Its steps.
    pub fn phases(&self) -> Vec<&str> {
        let phases = self.0["phases"].as_array().expect("phases").iter();
        phases.map(|it| it["phase"].as_str().expect("a name")).collect()
    }

    /// Whether a step was told.
    pub fn has(&self, phase: &str) -> bool {
        self.phases().contains(&phase)
    }
}
