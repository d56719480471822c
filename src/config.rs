//! `config.toml`: what the people on site decide, typed and checked as a whole.
//!
//! Unknown keys are refused by name, so that a typing mistake is not a silent default. Every key
//! can be overridden from the environment: `LOCKERD_HTTP__LISTEN=127.0.0.1:3000` sets
//! `http.listen`; `__` stands for the dot. Lists of tables (`[[bus]]`) cannot be overridden.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::bus::codec::StatusOrder;
use crate::bus::config::{EchoSetting, OFF_MS_MIN, PortAddress};
use crate::bus::{BoardConfig, BusConfig};
use crate::domain::channel::{BusName, Family};
use crate::domain::door_watch::Thresholds;
use crate::service::Settings;

mod clock;
mod mail;
mod people;
mod site;

pub use clock::ClockConfig;
pub use mail::{MailConfig, MailSecurity, MailTransport};
pub use people::{AuthConfig, KioskConfig, LimitsConfig, PrivacyConfig, RetentionConfig};
pub use site::SiteConfig;

/// Prefix of the environment variables that override keys.
const ENVIRONMENT_PREFIX: &str = "LOCKERD_";

/// Keys whose value is text even when it looks like a number.
const ALWAYS_TEXT: &[&str] = &["password", "phone"];

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the database and its keys are.
    pub data_dir: PathBuf,
    /// The site's time zone: rental days begin and end at its midnight.
    #[serde(default = "default_time_zone")]
    pub time_zone: String,
    /// What people are told of the site.
    #[serde(default)]
    pub site: SiteConfig,
    /// What vouches for the clock.
    #[serde(default)]
    pub clock: ClockConfig,
    /// The web server.
    #[serde(default)]
    pub http: HttpConfig,
    /// Logging in.
    #[serde(default)]
    pub auth: AuthConfig,
    /// The screens beside the banks.
    #[serde(default)]
    pub kiosk: KioskConfig,
    /// How often things may fail or be done.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// What people are told about their data.
    #[serde(default)]
    pub privacy: PrivacyConfig,
    /// How long personal data is kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Mails.
    #[serde(default)]
    pub mail: MailConfig,
    /// From when on something is an alarm.
    #[serde(default)]
    pub alarms: AlarmsConfig,
    /// Logging.
    #[serde(default)]
    pub log: LogConfig,
    /// Serial ports with lock boards.
    #[serde(default, rename = "bus")]
    pub buses: Vec<BusEntry>,
}

/// The web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address that people type: what links to this site, and where its cookies are good.
    pub public_url: Option<String>,
    /// Host names this server answers for; empty: any.
    pub allowed_hosts: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most live sockets at once, beside the connections.
    pub sockets_max: usize,
    /// Threads that serve requests.
    pub worker_threads: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 3000)),
            public_url: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            connections_max: 1024,
            sockets_max: 512,
            worker_threads: 2,
        }
    }
}

/// From when on something is an alarm.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmsConfig {
    /// How long an opening whose door never opened still excuses it, in seconds; 5 to 600.
    pub open_window_s: u32,
    /// How long a door may stand open where its bank says nothing else, in seconds; 1 to 86400.
    pub left_open_s: u32,
    /// How long after the renter staff are told of it, in seconds; 1 to 86400.
    pub escalate_s: u32,
    /// Openings in a row without door movement that make a jam; 1 to 20.
    pub jam_openings: u32,
    /// Changes of a sensor within the window that make a chatter; 3 to 1000.
    pub chatter_edges: u32,
    /// That window, in seconds; 1 to 600.
    pub chatter_window_s: u32,
    /// Doors of one board that turn open in one reading and make a sensor fault; 2 to 50.
    pub sensor_fault_doors: u32,
    /// How long a board that missed 3 polls, or a port, is away before it is an alarm, in seconds;
    /// 1 to 3600.
    pub offline_s: u32,
}

impl Default for AlarmsConfig {
    fn default() -> Self {
        Self {
            open_window_s: 30,
            left_open_s: 180,
            escalate_s: 300,
            jam_openings: 2,
            chatter_edges: 6,
            chatter_window_s: 10,
            sensor_fault_doors: 3,
            offline_s: 5,
        }
    }
}

impl AlarmsConfig {
    fn check(&self) -> Result<(), ConfigError> {
        for (key, value, least, most) in [
            ("open_window_s", self.open_window_s, 5, 600),
            ("left_open_s", self.left_open_s, 1, 86_400),
            ("escalate_s", self.escalate_s, 1, 86_400),
            ("jam_openings", self.jam_openings, 1, 20),
            ("chatter_edges", self.chatter_edges, 3, 1_000),
            ("chatter_window_s", self.chatter_window_s, 1, 600),
            ("sensor_fault_doors", self.sensor_fault_doors, 2, 50),
            ("offline_s", self.offline_s, 1, 3_600),
        ] {
            in_range(&format!("alarms.{key}"), value, least, most)?;
        }
        Ok(())
    }

    fn thresholds(&self) -> Thresholds {
        let ms = |seconds: u32| u64::from(seconds) * 1_000;
        Thresholds {
            open_window_ms: ms(self.open_window_s),
            left_open_ms: ms(self.left_open_s),
            escalate_ms: ms(self.escalate_s),
            jam_openings: self.jam_openings,
            chatter_edges: self.chatter_edges,
            chatter_window_ms: ms(self.chatter_window_s),
            sensor_fault_doors: self.sensor_fault_doors,
            offline_ms: ms(self.offline_s),
        }
    }
}

/// Logging.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// What is logged, as a filter: `info`, or `info,lockerd::bus=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned() }
    }
}

/// A serial port with lock boards on it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusEntry {
    /// The name that lockers refer to.
    pub name: String,
    /// The port, best by a stable name below `/dev/serial/by-id`, or `tcp://host:port`.
    pub port: PortAddress,
    /// Baud rate.
    pub baud: u32,
    /// Quiet time between frames, in milliseconds; left out: the rule of the boards.
    pub gap_ms: Option<u32>,
    /// How long a board may take to answer, in milliseconds.
    #[serde(default = "default_reply_timeout_ms")]
    pub reply_timeout_ms: u32,
    /// Pause between two looks at the doors of a board, in milliseconds.
    #[serde(default = "default_poll_interval_ms")]
    pub poll_interval_ms: u32,
    /// Whether the adapter hears itself: auto, present or absent.
    #[serde(default)]
    pub echo: EchoSetting,
    /// Boards that cannot time a pulse may be pulsed by this program.
    #[serde(default)]
    pub allow_software_pulse: bool,
    /// Its boards.
    #[serde(rename = "board")]
    pub boards: Vec<BoardEntry>,
}

/// A lock board.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of the wiring")]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardEntry {
    /// As set by its switches.
    pub address: u8,
    /// Its protocol: modbus-relay, xor-board, kerong-cu16, kerong-cu48, kerong-cu48-ir or wkly.
    pub family: Family,
    /// How many locks it drives.
    pub locks: u8,
    /// Whether door or hook sensors are wired.
    #[serde(default = "yes")]
    pub doors: bool,
    /// The sensor bit of a closed door.
    #[serde(default = "yes")]
    pub closed_bit: bool,
    /// Which group of locks an xor-board sends first: highest-first or lowest-first.
    #[serde(default)]
    pub status_order: StatusOrder,
    /// Which power supply feeds its coils; one coil is on at a time per supply.
    #[serde(default = "default_power_supply")]
    pub power_supply: String,
    /// How long the coil is on, in milliseconds; 1 to 1000.
    #[serde(default = "default_pulse_ms")]
    pub pulse_ms: u16,
    /// Whether this board answers an unlock, if that is known.
    pub answers_unlock: Option<bool>,
    /// Whether the board times the pulse itself.
    #[serde(default = "yes")]
    pub timed_pulse: bool,
    /// How long a coil rests between two pulses, in milliseconds; 2000 to 60000.
    #[serde(default = "default_off_ms")]
    pub off_ms: u32,
    /// Most pulses of one lock in a minute; 1 to 20, left out: what the coil bears, at most 6.
    pub pulses_per_minute: Option<u8>,
    /// One more pulse when the sensors show the door closed after the first.
    #[serde(default = "yes")]
    pub retry_pulse: bool,
}

impl BusEntry {
    /// A line with boards, everything else at its default.
    #[must_use]
    pub fn new(name: &str, port: PortAddress, baud: u32, boards: Vec<BoardEntry>) -> Self {
        Self {
            name: name.to_owned(),
            port,
            baud,
            gap_ms: None,
            reply_timeout_ms: default_reply_timeout_ms(),
            poll_interval_ms: default_poll_interval_ms(),
            echo: EchoSetting::default(),
            allow_software_pulse: false,
            boards,
        }
    }
}

impl BoardEntry {
    /// A board, everything else at its default.
    #[must_use]
    pub fn new(family: Family, address: u8, locks: u8) -> Self {
        Self {
            address,
            family,
            locks,
            doors: true,
            closed_bit: true,
            status_order: StatusOrder::default(),
            power_supply: default_power_supply(),
            pulse_ms: default_pulse_ms(),
            answers_unlock: None,
            timed_pulse: true,
            off_ms: default_off_ms(),
            pulses_per_minute: None,
            retry_pulse: true,
        }
    }
}

fn default_time_zone() -> String {
    "Asia/Seoul".to_owned()
}

const fn default_reply_timeout_ms() -> u32 {
    100
}

const fn default_poll_interval_ms() -> u32 {
    50
}

const fn default_off_ms() -> u32 {
    OFF_MS_MIN
}

const fn default_pulse_ms() -> u16 {
    400
}

fn default_power_supply() -> String {
    "main".to_owned()
}

const fn yes() -> bool {
    true
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or a key is unknown or of the wrong kind.
    #[error("{place}: {text}")]
    Syntax {
        /// The file, or the environment.
        place: String,
        /// Where and what.
        text: String,
    },
    /// A value that cannot work.
    #[error("{0}")]
    Value(String),
}

impl Config {
    /// Reads a file, applies the environment and checks the whole.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text, &path.display().to_string(), std::env::vars())
    }

    /// Reads a text that came from `place`, with overrides from `environment`.
    pub fn parse(
        text: &str,
        place: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let syntax = |place: &str, text: String| ConfigError::Syntax {
            place: place.to_owned(),
            text: text.trim_end().to_owned(),
        };
        // Once for itself: errors then point to a line of the file.
        let plain = toml::from_str::<Self>(text);
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| syntax(place, error.to_string()))?;
        let mut overridden = Vec::new();
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let path: Vec<String> = key.split("__").map(str::to_ascii_lowercase).collect();
            set(&mut table, &path, &value).map_err(|error| syntax(&name, error))?;
            overridden.push(name);
        }
        let config = if overridden.is_empty() {
            plain.map_err(|error| syntax(place, error.to_string()))?
        } else {
            let place = format!("{place} with {}", overridden.join(", "));
            table.try_into().map_err(|error: toml::de::Error| syntax(&place, error.to_string()))?
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: String| Err(ConfigError::Value(text));
        self.zone()?;
        self.site.check()?;
        self.auth.check()?;
        self.kiosk.check()?;
        self.limits.check()?;
        self.retention.check()?;
        self.mail.check(self.http.listen)?;
        if !(1..=16).contains(&self.http.worker_threads) {
            return bad(format!("http.worker_threads is {}; 1 to 16", self.http.worker_threads));
        }
        if !(8..=65_536).contains(&self.http.connections_max) {
            return bad(format!(
                "http.connections_max is {}; 8 to 65536",
                self.http.connections_max
            ));
        }
        if !(1..=65_536).contains(&self.http.sockets_max) {
            return bad(format!("http.sockets_max is {}; 1 to 65536", self.http.sockets_max));
        }
        if let Some(url) = &self.http.public_url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            return bad(format!("http.public_url {url:?} must begin with http:// or https://"));
        }
        self.alarms.check()?;
        let buses = self.buses()?;
        for (number, bus) in buses.iter().enumerate() {
            let earlier = &buses[..number];
            if earlier.iter().any(|other| other.name == bus.name) {
                return bad(format!("two buses are named {}: give each its own name", bus.name));
            }
            if earlier.iter().any(|other| other.port == bus.port) {
                return bad(format!("bus {}: {} belongs to another bus", bus.name, bus.port));
            }
            bus.check().map_err(|error| ConfigError::Value(error.to_string()))?;
        }
        Ok(())
    }

    /// The site's time zone.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| {
            let name = &self.time_zone;
            ConfigError::Value(format!(
                "time_zone {name:?} is not known; write one like Asia/Seoul"
            ))
        })
    }

    /// The serial ports as the bus wants them.
    pub fn buses(&self) -> Result<Vec<BusConfig>, ConfigError> {
        self.buses.iter().map(BusEntry::to_bus).collect()
    }

    /// What the use-cases want to know; reads the site's texts.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let retention = self.retention.settings();
        Ok(Settings {
            phone: self.site.phone.clone(),
            roster_login: self.auth.roster_login,
            registration: self.auth.registration,
            access_lifetime: SignedDuration::from_mins(i64::from(self.auth.access_minutes)),
            refresh_lifetime: SignedDuration::from_hours(i64::from(self.auth.refresh_hours)),
            email_domains: self.auth.email_domains.clone(),
            single_device: self.auth.single_device,
            second_factor: self.auth.second_factor,
            password_words: self.auth.password_words.clone(),
            kiosk: self.kiosk.settings(),
            privacy: self.privacy.notice(&retention)?,
            limits: self.limits.rules(),
            retention,
            // `check` has read it already.
            daily_mail_at: self.mail.daily_at().unwrap_or_default(),
            alarms: self.alarms.thresholds(),
        })
    }
}

/// Refuses a number that is out of its range, by the name of its key.
fn in_range(key: &str, value: u32, least: u32, most: u32) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Value(format!("{key} is {value}; {least} to {most}")))
}

impl BusEntry {
    fn to_bus(&self) -> Result<BusConfig, ConfigError> {
        let name =
            BusName::parse(&self.name).map_err(|error| ConfigError::Value(error.to_string()))?;
        let boards = self.boards.iter().map(|board| BoardConfig {
            address: board.address,
            family: board.family,
            locks: board.locks,
            doors: board.doors,
            closed_bit: board.closed_bit,
            status_order: board.status_order,
            power_supply: board.power_supply.clone(),
            pulse_ms: board.pulse_ms,
            answers_unlock: board.answers_unlock,
            timed_pulse: board.timed_pulse,
            off_ms: board.off_ms,
            pulses_per_minute: board.pulses_per_minute,
            retry_pulse: board.retry_pulse,
        });
        Ok(BusConfig {
            name,
            port: self.port.clone(),
            baud: self.baud,
            gap_ms: self.gap_ms,
            reply_timeout_ms: self.reply_timeout_ms,
            poll_interval_ms: self.poll_interval_ms,
            echo: self.echo,
            allow_software_pulse: self.allow_software_pulse,
            boards: boards.collect(),
        })
    }
}

/// Sets a key given as its path; the value is read as TOML and taken as text when it is none.
fn set(table: &mut toml::Table, path: &[String], value: &str) -> Result<(), String> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut place = table;
    for parent in parents {
        let entry =
            place.entry(parent.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry.as_table_mut().ok_or_else(|| format!("{parent} is not a section"))?;
    }
    let parsed = Some(value)
        .filter(|_| !ALWAYS_TEXT.contains(&last.as_str()))
        .and_then(|value| toml::from_str::<toml::Table>(&format!("value = {value}")).ok())
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    place.insert(last.clone(), parsed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::accounts::{Registration, RosterLogin};

    const BUS: &str = "data_dir = '/x'
[[bus]]
name = 'east'
port = '/dev/ttyUSB0'
baud = 9600
[[bus.board]]
address = 1
family = 'modbus-relay'
locks = 8
";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, "config.toml", [])
    }

    fn with(text: &str, name: &str, value: &str) -> Result<Config, ConfigError> {
        Config::parse(text, "config.toml", [(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_shipped_file_is_valid_and_means_the_defaults() {
        let text = include_str!("../config.toml");
        let config = parse(text).expect("valid");
        assert_eq!(config.http.listen.port(), 3000);
        assert_eq!(config.http.connections_max, HttpConfig::default().connections_max);
        assert_eq!(config.http.sockets_max, HttpConfig::default().sockets_max);
        assert_eq!(config.auth.access_minutes, AuthConfig::default().access_minutes);
        assert_eq!(config.auth.roster_login, RosterLogin::Off);
        assert_eq!(config.auth.registration, Registration::Closed);
        assert_eq!(config.alarms.thresholds(), AlarmsConfig::default().thresholds());
        assert_eq!(config.clock, ClockConfig::default());
    }

    #[test]
    fn every_threshold_is_named_and_has_a_range() {
        for (line, says) in [
            ("open_window_s = 4", "5 to 600"),
            ("left_open_s = 0", "1 to 86400"),
            ("escalate_s = 86401", "1 to 86400"),
            ("jam_openings = 0", "1 to 20"),
            ("chatter_edges = 2", "3 to 1000"),
            ("chatter_window_s = 0", "1 to 600"),
            ("sensor_fault_doors = 1", "2 to 50"),
            ("offline_s = 0", "1 to 3600"),
        ] {
            let text = parse(&format!("data_dir = '/x'\n[alarms]\n{line}\n")).expect_err(line);
            let key = line.split(' ').next().expect("a key");
            let wanted = format!("alarms.{key} is ");
            assert!(text.to_string().starts_with(&wanted), "{text}");
            assert!(text.to_string().ends_with(says), "{text}");
        }
        let config = parse("data_dir = '/x'\n[alarms]\nleft_open_s = 7\n").expect("valid");
        assert_eq!(config.alarms.thresholds().left_open_ms, 7_000);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse("data_dir = '/x'\n[http]\nlisten_on = 'x'\n").expect_err("unknown");
        let text = error.to_string();
        assert!(text.contains("listen_on") && text.contains("line 3"), "{text}");
    }

    #[test]
    fn the_environment_overrides_and_its_mistakes_are_named() {
        let config = with(BUS, "LOCKERD_HTTP__LISTEN", "127.0.0.1:4000").expect("valid");
        assert_eq!(config.http.listen.port(), 4000);
        let config = with(BUS, "LOCKERD_AUTH__ACCESS_MINUTES", "5").expect("valid");
        assert_eq!(config.auth.access_minutes, 5);
        let text = with(BUS, "LOCKERD_HTTP__LISTENN", "x").expect_err("unknown").to_string();
        assert!(text.contains("listenn") && text.contains("LOCKERD_HTTP__LISTENN"), "{text}");
        assert!(with(BUS, "PATH", "/bin").is_ok());
        let config = with(BUS, "LOCKERD_SITE__PHONE", "112").expect("text, not a number");
        assert_eq!(config.site.phone.as_deref(), Some("112"));
    }

    #[test]
    fn values_that_cannot_work_are_refused_with_words() {
        for (change, says) in [
            ("baud = 9600 -> baud = 12345", "baud"),
            ("name = 'east' -> name = 'East Wing'", "a-z"),
            ("locks = 8 -> locks = 0", "lock"),
            ("family = 'modbus-relay' -> family = 'winnsen'", "winnsen"),
            ("data_dir = '/x' -> data_dir = '/x'\ntime_zone = 'Mars/North'", "Mars/North"),
            ("data_dir = '/x' -> data_dir = '/x'\nsite.phone = 'call us'", "site.phone"),
        ] {
            let (from, to) = change.split_once(" -> ").expect("an arrow");
            let text = parse(&BUS.replace(from, to)).expect_err(change).to_string();
            assert!(text.contains(says), "{change}: {text}");
        }
    }

    #[test]
    fn two_buses_need_two_names_and_two_ports() {
        let second = BUS.replace("data_dir = '/x'\n", "");
        let text = parse(&format!("{BUS}{second}")).expect_err("same name").to_string();
        assert!(text.contains("two buses are named east"), "{text}");
        let renamed = second.replace("'east'", "'west'");
        let text = parse(&format!("{BUS}{renamed}")).expect_err("same port").to_string();
        assert!(text.contains("belongs to another bus"), "{text}");
    }
}
