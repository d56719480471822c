//! What the demo is filled with: places, lockers, wiring and people.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::bus::config::PortAddress;
use crate::config::{BoardEntry, BusEntry};
use crate::domain::bank::Mode;
use crate::domain::channel::Family;
use crate::domain::id::{BankId, MemberId};
use crate::domain::layout::Level;
use crate::domain::member::{Profile, Role};
use crate::domain::options::Options;
use crate::domain::overdue::OverduePolicy;
use crate::domain::pool::PoolPolicy;
use crate::http::Person;
use crate::service::Services;
use crate::service::members::{NewMember, RosterRow};
use crate::service::site::{BankEntry, LocationEntry, LockerEntry, SiteFile, TermEntry};
use crate::sim::{Physics, SimBoard, SimBus, SimConfig};

/// Locks of one board, in both families of the demo.
const LOCKS_PER_BOARD: usize = 16;

/// Boards of one bus in a load site; a KERONG bus takes ten without doubt.
const BOARDS_PER_BUS: usize = 10;

/// One of the lockers that are lent with everything that a bank may offer.
const GENEROUS_LOCKER: i64 = 501;

/// What the demo lets one in with. They stand in the README: the demo has no secrets.
const ADMIN: (&str, &str) = ("ADMIN", "demo-admin-password");
const STAFF: (&str, &str) = ("STAFF01", "demo-staff-password");
const STUDENT: (&str, &str) = ("2023321234", "demo-student-password");

/// A site to be simulated and filled.
pub(super) struct Plan {
    locations: Vec<Place>,
    people: Vec<RosterRow>,
    poll_interval_ms: u32,
    boards: usize,
}

struct Place {
    name_ko: String,
    name_en: String,
    lockers: Vec<i64>,
    /// The settings of its bank; the lockers are added to it.
    bank: BankEntry,
    /// Which lockers can be used from a wheelchair.
    accessible: Vec<i64>,
}

impl Place {
    /// With a bank that offers nothing beyond the plain rental.
    fn plain(name_ko: &str, name_en: &str, lockers: impl IntoIterator<Item = i64>) -> Self {
        Self {
            name_ko: name_ko.to_owned(),
            name_en: name_en.to_owned(),
            lockers: lockers.into_iter().collect(),
            bank: BankEntry::default(),
            accessible: Vec::new(),
        }
    }
}

/// A bank in choose mode with everything that such a bank may offer, and what is done about who is
/// late.
fn generous() -> BankEntry {
    let options = Options {
        extensions_max: 1,
        extension_days: Some(14),
        swaps: true,
        waiting_list: true,
        hold_extension: true,
        ..Options::default()
    };
    let overdue = OverduePolicy {
        reminder_days: vec![7, 1],
        seal_after_days: Some(3),
        penalty_factor: 2,
        ..OverduePolicy::default()
    };
    BankEntry { options: Some(options), overdue: Some(overdue), ..BankEntry::default() }
}

/// A bank in pool mode, for days rather than a semester.
fn by_the_day() -> BankEntry {
    let pool = PoolPolicy { days_max: Some(7), check_in_days: Some(1), ..PoolPolicy::default() };
    let options = Options { extensions_max: 1, extension_days: Some(2), ..Options::default() };
    let overdue = OverduePolicy { reminder_days: vec![1], ..OverduePolicy::default() };
    BankEntry {
        mode: Some(Mode::Pool),
        pool: Some(pool),
        overdue: Some(overdue),
        options: Some(options),
        ..BankEntry::default()
    }
}

/// The campus that clients of the older server know, with its two students and some more, and a
/// place whose lockers are reserved by the day.
pub(super) fn campus() -> Plan {
    let places = [
        ("정보관 B1 엘리베이터 옆1", "Informatics B1, by elevator 1", 101..=103),
        ("정보관 B1 엘리베이터 옆2", "Informatics B1, by elevator 2", 104..=106),
        ("정보관 B1 기계실 옆", "Informatics B1, by the machine room", 201..=202),
        ("정보관 2층", "Informatics, 2nd floor", 301..=304),
        ("정보관 3층", "Informatics, 3rd floor", 401..=404),
        ("과학도서관 6층 620호 옆", "Science Library 6F, by room 620", 501..=503),
        ("과학도서관 6층 614호 옆", "Science Library 6F, by room 614", 601..=603),
    ];
    let mut locations: Vec<Place> =
        places.into_iter().map(|(ko, en, lockers)| Place::plain(ko, en, lockers)).collect();
    for place in &mut locations {
        if place.lockers.contains(&GENEROUS_LOCKER) {
            place.bank = generous();
        }
    }
    locations.push(Place {
        bank: by_the_day(),
        accessible: vec![703, 706],
        ..Place::plain("학생회관 1층", "Student Union, 1st floor", 701..=706)
    });
    let people = [
        ("2023325678", "김철수", "01087654321"),
        ("2024320001", "이영희", "01022223333"),
        ("2024320002", "박민수", "01044445555"),
        ("2024320003", "최지우", "01066667777"),
    ];
    let people = people.into_iter().map(|(id, name, phone)| row(id, name, phone, Some(email(id))));
    let people = people.collect();
    let boards = boards_for(locations.iter().map(|place| place.lockers.len()).sum());
    Plan { locations, people, poll_interval_ms: 200, boards }
}

/// A bare site for load drivers.
pub(super) fn load(lockers: u32, students: u32) -> Plan {
    let numbers: Vec<i64> = (1..=i64::from(lockers)).collect();
    let locations = numbers
        .chunks(100)
        .enumerate()
        .map(|(number, chunk)| {
            let (ko, en) = (format!("부하 {}", number + 1), format!("Load {}", number + 1));
            Place::plain(&ko, &en, chunk.iter().copied())
        })
        .collect();
    let people = (1..students)
        .map(|number| {
            let id = format!("L{number:07}");
            row(&id, "부하 학생", &format!("0190{number:07}"), None)
        })
        .collect();
    let boards = boards_for(numbers.len());
    Plan { locations, people, poll_interval_ms: 1_000, boards }
}

fn boards_for(lockers: usize) -> usize {
    lockers.div_ceil(LOCKS_PER_BOARD).max(2)
}

/// Where the mails of a person of the campus would go; the demo keeps them in its box.
fn email(student_id: &str) -> String {
    format!("{student_id}@example.ac.kr").to_lowercase()
}

fn row(id: &str, name: &str, phone: &str, email: Option<String>) -> RosterRow {
    RosterRow {
        student_id: id.to_owned(),
        name: name.to_owned(),
        phone: Some(phone.to_owned()),
        email,
    }
}

/// Where the n-th locker of a site is wired: bus, board address, lock.
struct Wire {
    bus: usize,
    board: u8,
    lock: u8,
}

impl Plan {
    /// Both families have their share: buses take turns.
    fn family(bus: usize) -> Family {
        if bus.is_multiple_of(2) { Family::KerongCu16 } else { Family::ModbusRelay }
    }

    fn bus_name(bus: usize) -> String {
        format!("bus{}", bus + 1)
    }

    fn link(buses: &Path, bus: usize) -> PathBuf {
        buses.join(Self::bus_name(bus))
    }

    /// CU16 boards count from 0, Modbus boards from 1.
    fn address(bus: usize, board: usize) -> u8 {
        let first = u8::from(Self::family(bus) == Family::ModbusRelay);
        first + u8::try_from(board).unwrap_or(0)
    }

    /// Small sites still get two buses, one of each family.
    fn boards_per_bus(&self) -> usize {
        self.boards.div_ceil(2).clamp(1, BOARDS_PER_BUS)
    }

    fn wire(&self, number: usize) -> Wire {
        let (board, lock) = (number / LOCKS_PER_BOARD, number % LOCKS_PER_BOARD);
        let bus = board / self.boards_per_bus();
        Wire {
            bus,
            board: Self::address(bus, board % self.boards_per_bus()),
            lock: u8::try_from(lock + 1).unwrap_or(1),
        }
    }

    /// Every bus with the number of its boards.
    fn buses(&self) -> impl Iterator<Item = (usize, usize)> {
        let per_bus = self.boards_per_bus();
        (0..self.boards.div_ceil(per_bus))
            .map(move |bus| (bus, per_bus.min(self.boards - bus * per_bus)))
    }

    fn baud(bus: usize) -> u32 {
        if Self::family(bus) == Family::KerongCu16 { 19_200 } else { 9_600 }
    }

    /// The simulated boards.
    pub(super) fn simulator(&self, seed: u64, links: &Path) -> SimConfig {
        let buses = self.buses().map(|(bus, boards)| {
            let line = SimBus::new(&Self::bus_name(bus), Self::link(links, bus), Self::baud(bus));
            (0..boards).fold(line, |line, board| {
                let address = Self::address(bus, board);
                let board = match Self::family(bus) {
                    Family::KerongCu16 => SimBoard::cu16(address),
                    _ => SimBoard::modbus(address, 16),
                };
                line.with(SimBoard { power_supply: Self::bus_name(bus), ..board })
            })
        });
        let physics = Physics { auto_close_ms: Some(15_000), ..Physics::default() };
        SimConfig { seed, physics, buses: buses.collect(), ..SimConfig::default() }
    }

    /// The same boards as `config.toml` would have them.
    pub(super) fn bus_entries(&self, links: &Path) -> Vec<BusEntry> {
        self.buses()
            .map(|(bus, boards)| {
                let family = Self::family(bus);
                let pulse_ms = if family == Family::KerongCu16 { 550 } else { 400 };
                let boards = (0..boards).map(|board| BoardEntry {
                    power_supply: Self::bus_name(bus),
                    pulse_ms,
                    ..BoardEntry::new(family, Self::address(bus, board), 16)
                });
                let port = PortAddress::Device(Self::link(links, bus));
                let (name, baud) = (Self::bus_name(bus), Self::baud(bus));
                BusEntry {
                    poll_interval_ms: self.poll_interval_ms,
                    ..BusEntry::new(&name, port, baud, boards.collect())
                }
            })
            .collect()
    }

    /// The places and lockers, with one term for all.
    pub(super) fn site(&self, window: (Timestamp, Timestamp), days: (Date, Date)) -> SiteFile {
        let mut number = 0;
        let locations = self
            .locations
            .iter()
            .map(|place| {
                let lockers = place.lockers.iter().map(|id| {
                    let wire = self.wire(number);
                    number += 1;
                    let accessible = place.accessible.contains(id);
                    LockerEntry {
                        id: *id,
                        bus: Some(Self::bus_name(wire.bus)),
                        board: Some(wire.board),
                        lock: Some(wire.lock),
                        level: accessible.then_some(Level::Low),
                        accessible: accessible.then_some(true),
                        ..LockerEntry::default()
                    }
                });
                let bank = BankEntry {
                    name_ko: "사물함".to_owned(),
                    name_en: Some("Lockers".to_owned()),
                    lockers: lockers.collect(),
                    ..place.bank.clone()
                };
                LocationEntry {
                    name_ko: place.name_ko.clone(),
                    name_en: Some(place.name_en.clone()),
                    banks: vec![bank],
                    terms: Vec::new(),
                }
            })
            .collect();
        let term = TermEntry {
            name_ko: "이번 학기".to_owned(),
            name_en: Some("This semester".to_owned()),
            opens_at: window.0.to_string(),
            closes_at: window.1.to_string(),
            starts_on: days.0.to_string(),
            ends_on: days.1.to_string(),
        };
        SiteFile { locations, terms: vec![term] }
    }

    /// Makes the sample people; those whom a visitor may be. Their passwords are hashed one after the
    /// other.
    pub(super) async fn fill(
        &self,
        services: &Services,
    ) -> anyhow::Result<Vec<(MemberId, Person)>> {
        let banks: Vec<BankId> = services.store.snapshot().site.banks.keys().copied().collect();
        let accounts = [
            (ADMIN, "관리자", None, Role::Admin, Vec::new()),
            (STAFF, "김직원", None, Role::Staff, banks),
            (STUDENT, "홍길동", Some("01012345678"), Role::Student, Vec::new()),
        ];
        let mut people = Vec::new();
        for ((id, password), name, phone, role, staff_of) in accounts {
            let profile = Profile::parse(id, name, phone, Some(&email(id)))?;
            let person = Person {
                role: role.name(),
                id: id.to_owned(),
                password: password.to_owned(),
                name: name.to_owned(),
            };
            let password = Some(password.to_owned());
            let new = NewMember { profile, role, password, staff_of };
            people.push((services.add_member(new).await?, person));
        }
        let rows = self.people.iter().cloned().enumerate().collect();
        services.import_roster(rows).await?;
        Ok(people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locker_has_a_wire_of_its_own_on_a_configured_board() {
        for plan in [campus(), load(1_000, 10), load(1, 1), load(4_800, 1)] {
            let entries = plan.bus_entries(Path::new("/x"));
            let lockers = plan.locations.iter().map(|place| place.lockers.len()).sum();
            let mut seen = std::collections::HashSet::new();
            for number in 0..lockers {
                let wire = plan.wire(number);
                assert!(seen.insert((wire.bus, wire.board, wire.lock)), "locker {number}");
                let boards = &entries[wire.bus].boards;
                let found = boards.iter().any(|board| board.address == wire.board);
                assert!(found, "locker {number} on board {} of bus {}", wire.board, wire.bus);
            }
            plan.simulator(1, Path::new("/x")).check().expect("a sound simulator");
        }
    }
}
