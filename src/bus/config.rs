//! What is wired to each serial port: typed, and checked before a task is started with it.
//!
//! The kernel accepts baud rates no adapter can make, and a wrong board address or lock count shows
//! only as silence, so [`BusConfig::check`] refuses them with words. Times are milliseconds.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::bus::codec::{Call, Codec, PULSE_MS_MAX, Request, StatusOrder, codec};
use crate::bus::transport::is_host_and_port;
use crate::domain::channel::{BusName, Family};

/// Baud rates that adapters make and boards speak.
pub const BAUDS: [u32; 8] = [4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 128_000, 256_000];
/// Most boards on one port: 15 addresses a KERONG bus, 32 unit loads an RS-485 line.
pub const BOARDS_MAX: usize = 32;
/// Bits a byte takes on the line: start, eight data, stop.
pub(super) const BITS_PER_BYTE: u32 = 10;
/// Longest pause, timeout or gap that makes sense, in milliseconds.
const WAIT_MS_MAX: u32 = 10_000;
/// Least time a coil must be off between two pulses, in milliseconds.
pub const OFF_MS_MIN: u32 = 2_000;
/// Longest time a coil may be kept off between two pulses, in milliseconds.
pub const OFF_MS_MAX: u32 = 60_000;
/// Most pulses of one lock in a minute, however short.
pub const PULSES_PER_MINUTE_MAX: u8 = 20;
/// Pulses of one lock in a minute when nothing is configured.
pub const PULSES_PER_MINUTE: u8 = 6;
/// Longest time a coil may be on in a minute, all pulses together, in milliseconds. Data sheets of
/// these solenoids give a current and no duty: 7.5 % keeps a 29 W coil near 2 W.
pub const COIL_MS_PER_MINUTE_MAX: u32 = 4_500;
/// What a gateway's address begins with.
const GATEWAY: &str = "tcp://";

/// Where a line with boards is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum PortAddress {
    /// A serial port of this machine.
    Device(PathBuf),
    /// A transparent TCP gateway, as `host:port`.
    Gateway(String),
}

impl FromStr for PortAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(GATEWAY) {
            Some(host) if is_host_and_port(host) => Ok(Self::Gateway(host.to_owned())),
            Some(_) => Err(format!(
                "port {text:?} must name a host and a port, for example tcp://192.168.1.200:5000"
            )),
            None if text.is_empty() => Err("port must not be empty".to_owned()),
            None => Ok(Self::Device(text.into())),
        }
    }
}

impl TryFrom<String> for PortAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for PortAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(path) => write!(f, "{}", path.display()),
            Self::Gateway(host) => write!(f, "{GATEWAY}{host}"),
        }
    }
}

/// Whether an adapter hears its own requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EchoSetting {
    /// Found out from the first reads, each time the port is opened.
    #[default]
    Auto,
    /// It does: the first bytes after each request are expected to be the request.
    Present,
    /// It does not.
    Absent,
}

/// One serial port and the boards on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusConfig {
    /// The name channels refer to.
    pub name: BusName,
    /// A serial port, best by a stable name below `/dev/serial/by-id`, or a gateway.
    pub port: PortAddress,
    /// One of [`BAUDS`]; always 8 data bits, no parity, 1 stop bit.
    pub baud: u32,
    /// Quiet time between frames; `None` takes the rule of the baud rate and families.
    pub gap_ms: Option<u32>,
    /// How long a board may take to answer, counted from the last bit of the request.
    pub reply_timeout_ms: u32,
    /// Pause between two polls of the same board.
    pub poll_interval_ms: u32,
    /// Whether the adapter hears itself.
    pub echo: EchoSetting,
    /// Boards that cannot time a pulse themselves may be pulsed by this program. A crash or a lost
    /// port in the middle of such a pulse leaves the coil on until the port is back.
    pub allow_software_pulse: bool,
    /// The boards, each with its own address.
    pub boards: Vec<BoardConfig>,
}

/// One lock board.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of the wiring")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardConfig {
    /// As set by its switches.
    pub address: u8,
    /// Its wire protocol.
    pub family: Family,
    /// How many locks it drives.
    pub locks: u8,
    /// Whether door or hook sensors are wired.
    pub doors: bool,
    /// The sensor bit of a closed door: the wiring decides, commissioning proves it.
    pub closed_bit: bool,
    /// Which group of locks comes first in the answer to a read of all, where the family has no rule.
    pub status_order: StatusOrder,
    /// Name of the power supply its coils share; boards with the same name take turns.
    pub power_supply: String,
    /// Pulse length, 1 to 1000. For boards that time it by a setting: what they are set to.
    pub pulse_ms: u16,
    /// Whether an unlock is answered, where the family leaves it open; `None` waits a little.
    pub answers_unlock: Option<bool>,
    /// Whether the board times the pulse itself. Without it the bus must allow software pulses.
    pub timed_pulse: bool,
    /// Time a coil stays off between two pulses, [`OFF_MS_MIN`] to [`OFF_MS_MAX`].
    pub off_ms: u32,
    /// Most pulses of one lock in a minute; `None` takes what the coil bears.
    pub pulses_per_minute: Option<u8>,
    /// One more pulse when the sensors show the door closed after the first.
    pub retry_pulse: bool,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bus {bus}: {why}")]
pub struct BusConfigError {
    /// The bus it is about.
    pub bus: BusName,
    /// What is wrong and what is accepted.
    pub why: String,
}

impl BusConfig {
    /// Refuses what cannot work on a wire.
    pub fn check(&self) -> Result<(), BusConfigError> {
        let refuse = |why: String| Err(BusConfigError { bus: self.name.clone(), why });
        if !BAUDS.contains(&self.baud) {
            return refuse(format!("baud {} is none of {BAUDS:?}", self.baud));
        }
        let waits = [
            ("gap_ms", self.gap_ms.unwrap_or(1)),
            ("reply_timeout_ms", self.reply_timeout_ms),
            ("poll_interval_ms", self.poll_interval_ms),
        ];
        for (what, wait_ms) in waits {
            if !(1..=WAIT_MS_MAX).contains(&wait_ms) {
                return refuse(format!("{what} must be 1 to {WAIT_MS_MAX}, not {wait_ms}"));
            }
        }
        if !(1..=BOARDS_MAX).contains(&self.boards.len()) {
            return refuse(format!("needs 1 to {BOARDS_MAX} boards, not {}", self.boards.len()));
        }
        let mut addresses = HashSet::new();
        for board in &self.boards {
            if !addresses.insert(board.address) {
                return refuse(format!("two boards have address {}", board.address));
            }
            board.check(self.allow_software_pulse).or_else(refuse)?;
            if matches!(self.port, PortAddress::Gateway(_)) && !board.can_use_gateway() {
                let family = board.family;
                return refuse(format!("{family} boards are not reached over a TCP gateway"));
            }
        }
        Ok(())
    }

    /// Quiet time between frames: 3.5 characters or 1.75 ms, and 1 ms more, and what a family needs.
    #[must_use]
    pub fn gap(&self) -> Duration {
        let families = self.boards.iter().map(|board| board.family);
        gap(self.baud, self.gap_ms, families)
    }
}

impl BoardConfig {
    fn check(&self, allow_software_pulse: bool) -> Result<(), String> {
        let board = format!("board {}", self.address);
        if !(1..=PULSE_MS_MAX).contains(&self.pulse_ms) {
            return Err(format!("{board}: pulse_ms must be 1 to {PULSE_MS_MAX}"));
        }
        if !(OFF_MS_MIN..=OFF_MS_MAX).contains(&self.off_ms) {
            return Err(format!("{board}: off_ms must be {OFF_MS_MIN} to {OFF_MS_MAX}"));
        }
        self.check_pulses().map_err(|error| format!("{board}: {error}"))?;
        let probe = self.call(Request::Status);
        self.codec().encode(&probe).map_err(|error| format!("{board}: {error}"))?;
        if self.timed_pulse {
            return Ok(());
        }
        let family = self.family;
        if !self.codec().capabilities().holds_output {
            return Err(format!("{board}: {family} boards always time the pulse themselves"));
        }
        if !allow_software_pulse {
            return Err(format!(
                "{board}: without timed_pulse this program would have to switch the coil off \
                 itself, and a crash would leave it on: set allow_software_pulse = true on the \
                 bus to accept that"
            ));
        }
        Ok(())
    }

    fn check_pulses(&self) -> Result<(), String> {
        let Some(pulses) = self.pulses_per_minute else { return Ok(()) };
        if !(1..=PULSES_PER_MINUTE_MAX).contains(&pulses) {
            return Err(format!("pulses_per_minute must be 1 to {PULSES_PER_MINUTE_MAX}"));
        }
        let most = self.pulses_borne();
        if pulses > most {
            let coil_ms = self.coil_ms();
            return Err(format!(
                "{pulses} pulses of {coil_ms} ms a minute burn a coil: at most {most}"
            ));
        }
        Ok(())
    }

    /// How long one pulse keeps the coil on, in milliseconds.
    pub(super) fn coil_ms(&self) -> u16 {
        if self.timed_pulse {
            self.codec().capabilities().coil_ms(self.pulse_ms)
        } else {
            self.pulse_ms
        }
    }

    /// Pulses a minute that the coil bears.
    fn pulses_borne(&self) -> u8 {
        let pulses = COIL_MS_PER_MINUTE_MAX / u32::from(self.coil_ms().max(1));
        u8::try_from(pulses).unwrap_or(u8::MAX).clamp(1, PULSES_PER_MINUTE_MAX)
    }

    /// What one lock may be asked to do.
    pub(super) fn duty(&self) -> Duty {
        let pulses = self.pulses_per_minute.unwrap_or(PULSES_PER_MINUTE);
        Duty {
            off: Duration::from_millis(u64::from(self.off_ms)),
            pulses_per_minute: usize::from(pulses.min(self.pulses_borne())),
        }
    }

    fn can_use_gateway(&self) -> bool {
        self.codec().capabilities().over_tcp
    }

    /// The codec of its family.
    pub(super) fn codec(&self) -> &'static dyn Codec {
        codec(self.family)
    }

    /// A request to this board.
    pub(super) fn call(&self, request: Request) -> Call {
        let call = Call::new(self.address, self.locks, request);
        Call { status_order: self.status_order, ..call }
    }
}

/// The rest a lock needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duty {
    /// Between the end of one pulse and the next.
    pub(super) off: Duration,
    /// Most pulses within a minute.
    pub(super) pulses_per_minute: usize,
}

/// The gap rule for a line with these families; a configured gap may only lengthen a family's own.
pub(super) fn gap(
    baud: u32,
    configured_ms: Option<u32>,
    families: impl Iterator<Item = Family>,
) -> Duration {
    let character_us = u64::from(BITS_PER_BYTE) * 1_000_000 / u64::from(baud.max(1));
    let quiet_us = (character_us * 7 / 2).max(1_750) + 1_000;
    let rule_ms = u32::try_from(quiet_us.div_ceil(1_000)).unwrap_or(u32::MAX);
    let family_ms = families.map(|family| codec(family).capabilities().gap_ms_min).max();
    let gap_ms = configured_ms.unwrap_or(rule_ms).max(family_ms.unwrap_or(0));
    Duration::from_millis(u64::from(gap_ms))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bus) fn board(address: u8, family: Family) -> BoardConfig {
        BoardConfig {
            address,
            family,
            locks: if family == Family::KerongCu16 { 16 } else { 8 },
            doors: true,
            closed_bit: true,
            status_order: StatusOrder::default(),
            power_supply: "main".to_owned(),
            pulse_ms: 100,
            answers_unlock: (family == Family::KerongCu16).then_some(false),
            timed_pulse: true,
            off_ms: OFF_MS_MIN,
            pulses_per_minute: None,
            retry_pulse: true,
        }
    }

    pub(in crate::bus) fn bus(port: PathBuf, boards: Vec<BoardConfig>) -> BusConfig {
        BusConfig {
            name: BusName::parse("east").expect("valid"),
            port: PortAddress::Device(port),
            baud: 115_200,
            gap_ms: None,
            reply_timeout_ms: 60,
            poll_interval_ms: 20,
            echo: EchoSetting::Auto,
            allow_software_pulse: false,
            boards,
        }
    }

    #[test]
    fn gap_follows_the_measured_rule() {
        let modbus = || [Family::ModbusRelay].into_iter();
        let mixed = || [Family::ModbusRelay, Family::KerongCu16].into_iter();
        assert_eq!(gap(9_600, None, modbus()), Duration::from_millis(5));
        assert_eq!(gap(115_200, None, modbus()), Duration::from_millis(3));
        assert_eq!(gap(19_200, None, mixed()), Duration::from_millis(25));
        assert_eq!(gap(19_200, Some(40), mixed()), Duration::from_millis(40));
        assert_eq!(gap(19_200, Some(4), mixed()), Duration::from_millis(25));
    }

    #[test]
    fn a_coil_gets_no_more_pulses_than_it_bears() {
        let mut one = board(1, Family::KerongCu16);
        assert_eq!(one.duty().pulses_per_minute, usize::from(PULSES_PER_MINUTE));
        one.pulse_ms = 1_000;
        assert_eq!(one.duty().pulses_per_minute, 4);
        (one.pulse_ms, one.pulses_per_minute) = (100, Some(2));
        assert_eq!(one.duty().pulses_per_minute, 2);
    }

    #[test]
    fn a_port_is_a_device_or_a_gateway() {
        let gateway: PortAddress = "tcp://192.168.1.200:5000".parse().expect("a gateway");
        assert_eq!(gateway, PortAddress::Gateway("192.168.1.200:5000".to_owned()));
        assert_eq!(gateway.to_string(), "tcp://192.168.1.200:5000");
        let device: PortAddress = "/dev/ttyUSB0".parse().expect("a device");
        assert_eq!(device, PortAddress::Device("/dev/ttyUSB0".into()));
        assert!(
            "tcp://192.168.1.200".parse::<PortAddress>().expect_err("no port").contains("5000")
        );
        assert!("".parse::<PortAddress>().is_err());
    }

    type Spoil = fn(&mut BusConfig);

    #[test]
    fn what_cannot_work_is_refused_with_words() {
        let good = || bus("/dev/null".into(), vec![board(1, Family::ModbusRelay)]);
        assert_eq!(good().check(), Ok(()));
        let spoilt: [(Spoil, &str); 13] = [
            (|bus| bus.baud = 12_345, "baud 12345"),
            (|bus| bus.reply_timeout_ms = 0, "reply_timeout_ms"),
            (|bus| bus.boards.clear(), "1 to 32 boards"),
            (|bus| bus.boards.push(bus.boards[0].clone()), "two boards have address 1"),
            (|bus| bus.boards[0].pulse_ms = 1_001, "pulse_ms"),
            (|bus| bus.boards[0].locks = 33, "1 to 32 locks"),
            (|bus| bus.boards[0].address = 0, "address is 1 to 255"),
            (|bus| bus.boards[0].off_ms = 1_999, "off_ms must be 2000"),
            (|bus| bus.boards[0].pulses_per_minute = Some(21), "1 to 20"),
            (|bus| bus.boards[0].timed_pulse = false, "allow_software_pulse = true"),
            (
                |bus| {
                    bus.boards[0].pulse_ms = 1_000;
                    bus.boards[0].pulses_per_minute = Some(5);
                },
                "at most 4",
            ),
            (
                |bus| {
                    bus.boards[0] = board(1, Family::KerongCu16);
                    bus.boards[0].timed_pulse = false;
                },
                "always time the pulse",
            ),
            (
                |bus| bus.port = PortAddress::Gateway("localhost:5000".to_owned()),
                "not reached over a TCP gateway",
            ),
        ];
        for (spoil, why) in spoilt {
            let mut config = good();
            spoil(&mut config);
            let error = config.check().expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
