//! Alarms: what people must look at, with the evidence for it, and what becomes of it.
//!
//! An alarm is raised once per kind and subject, is live until its cause ends, and stays in view
//! until a person acknowledged it. When one is raised or cleared is decided in `door_watch.rs`;
//! here stands what it is. One kind is no fault but somebody's request for help: raised by
//! `service/help.rs`, it ends when staff take note. Stored by `store/alarms.rs`, served by
//! `service/alarms.rs`. The names of kinds, reasons and steps are published and also stand in the
//! database's CHECKs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::BusName;
use super::id::{AlarmId, BankId, KioskId, LockerId, MemberId, OpeningId};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Every one; the database's CHECK lists the same names.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stored and published name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Finds one by its stored name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// What is wrong.
    AlarmKind {
        /// A door went from closed to open with no opening behind it.
        ForcedOpen "forced_open",
        /// A door that was last seen closed was found open after a time in which nobody watched.
        OpenedUnwatched "opened_unwatched",
        /// A door stands open too long.
        LeftOpen "left_open",
        /// Openings in a row did not move the door.
        Jammed "jammed",
        /// The sensor says what no door can do; door alarms of it are silent meanwhile.
        SensorFault "sensor_fault",
        /// A board does not answer.
        BoardOffline "board_offline",
        /// A port is away.
        BusOffline "bus_offline",
        /// Somebody asks staff for help: a request, no fault.
        Help "help",
    }
}

names! {
    /// How urgent an alarm is.
    Severity {
        /// Worth knowing; nobody is told by message.
        Info "info",
        /// Somebody must look at it soon.
        Warning "warning",
        /// Somebody must look at it now.
        Critical "critical",
    }
}

names! {
    /// Why an alarm is not live any more.
    ClearReason {
        /// The door was seen closed.
        DoorClosed "door_closed",
        /// The jammed door was seen open.
        DoorOpened "door_opened",
        /// The sensor was quiet for a whole window, or its doors were seen closed.
        Calm "calm",
        /// The board or port answers again.
        Back "back",
        /// The bank went into maintenance.
        Maintenance "maintenance",
        /// Staff opened the door with the mechanical key.
        MechanicalKey "mechanical_key",
        /// The sensor turned out to be broken.
        SensorFault "sensor_fault",
        /// The whole port is away: the board's silence says nothing of its own.
        BusOffline "bus_offline",
        /// Staff declared the cause mended.
        Staff "staff",
        /// The door or board is not watched any more: it was rewired or taken out.
        NotWatched "not_watched",
        /// Staff took note of a request.
        Answered "answered",
    }
}

names! {
    /// Why somebody asks for help.
    HelpReason {
        /// The door does not open or close.
        DoorStuck "door_stuck",
        /// Things are left in a locker that is not theirs to open any more.
        ThingsLeft "things_left",
        /// Something else.
        Other "other",
    }
}

names! {
    /// What can become of an alarm.
    StepKind {
        /// It began.
        Raised "raised",
        /// More was seen of its cause.
        Updated "updated",
        /// A message to the renter was written.
        RenterTold "renter_told",
        /// Messages to staff were written.
        StaffTold "staff_told",
        /// The cause went on: staff have to act.
        Escalated "escalated",
        /// The renter said that it was them.
        Claimed "claimed",
        /// A member of staff took note.
        Acknowledged "acknowledged",
        /// Its cause ended.
        Cleared "cleared",
    }
}

names! {
    /// Where an alarm stands, as clients know it.
    AlarmState {
        /// The cause stands and nobody took note.
        Live "live",
        /// Somebody took note, whether the cause stands or not.
        Acknowledged "acknowledged",
        /// The cause ended by itself and nobody took note yet.
        Cleared "cleared",
    }
}

names! {
    /// Which alarms are looked for, by where they stand.
    AlarmChoice {
        /// The cause stands and nobody took note.
        Live "live",
        /// Somebody took note, whether the cause stands or not.
        Acknowledged "acknowledged",
        /// The cause ended by itself and nobody took note yet.
        Cleared "cleared",
        /// Nobody took note yet, whether the cause stands or not.
        Unseen "open",
        /// Somebody took note and the cause stands.
        Standing "standing",
        /// Somebody took note and the cause ended.
        Over "over",
    }
}

impl AlarmKind {
    /// The kinds that are about one door.
    pub const DOOR: [Self; 5] =
        [Self::ForcedOpen, Self::OpenedUnwatched, Self::LeftOpen, Self::Jammed, Self::SensorFault];

    /// How urgent alarms of this kind are.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::ForcedOpen | Self::BoardOffline | Self::BusOffline => Severity::Critical,
            Self::LeftOpen | Self::Jammed | Self::SensorFault | Self::Help => Severity::Warning,
            Self::OpenedUnwatched => Severity::Info,
        }
    }

    /// Whether the renter can answer "it was me".
    #[must_use]
    pub const fn can_be_claimed(self) -> bool {
        matches!(self, Self::ForcedOpen | Self::OpenedUnwatched | Self::LeftOpen)
    }

    /// Whether it is a person's request, which ends when staff take note, and nothing that was seen.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Help)
    }
}

/// What an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A door.
    Locker(LockerId),
    /// A board: its bus and address.
    Board(BusName, u8),
    /// A port.
    Bus(BusName),
    /// A bank as a whole.
    Bank(BankId),
}

impl Subject {
    /// The locker, if it is about one.
    #[must_use]
    pub const fn locker(&self) -> Option<LockerId> {
        match self {
            Self::Locker(id) => Some(*id),
            Self::Board(..) | Self::Bus(_) | Self::Bank(_) => None,
        }
    }

    /// The bus and the board's address, as far as it is about them.
    #[must_use]
    pub const fn wire(&self) -> (Option<&BusName>, Option<u8>) {
        match self {
            Self::Locker(_) | Self::Bank(_) => (None, None),
            Self::Board(bus, address) => (Some(bus), Some(*address)),
            Self::Bus(bus) => (Some(bus), None),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locker(id) => write!(f, "locker:{id}"),
            Self::Board(bus, address) => write!(f, "board:{bus}/{address}"),
            Self::Bus(bus) => write!(f, "bus:{bus}"),
            Self::Bank(id) => write!(f, "bank:{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is neither locker:101, board:east/1, bus:east nor bank:1");
        let (noun, rest) = text.split_once(':').ok_or_else(bad)?;
        match noun {
            "locker" => Ok(Self::Locker(rest.parse().map_err(|_| bad())?)),
            "board" => {
                let (bus, address) = rest.rsplit_once('/').ok_or_else(bad)?;
                let bus = BusName::parse(bus).map_err(|_| bad())?;
                Ok(Self::Board(bus, address.parse().map_err(|_| bad())?))
            }
            "bus" => Ok(Self::Bus(BusName::parse(rest).map_err(|_| bad())?)),
            "bank" => Ok(Self::Bank(rest.parse().map_err(|_| bad())?)),
            _ => Err(bad()),
        }
    }
}

/// What was seen, over the times of whoever holds it: the door watch counts on the monotonic
/// clock, what is stored and published is in wall time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Evidence<T> {
    /// The door went from closed to open while it was watched.
    DoorOpened {
        /// When it was last seen closed.
        last_seen_closed: T,
        /// When it was seen open.
        seen_open: T,
        /// The opening before it, if there was one since start: over and done with.
        last_opening: Option<OpeningId>,
    },
    /// The door was closed before a time in which nobody watched, and open after it.
    FoundOpen {
        /// When it was last seen closed: the gap's beginning.
        last_seen_closed: T,
        /// When it was found open: the gap's end.
        found_open: T,
    },
    /// The door stands open.
    StandsOpen {
        /// Since when.
        open_since: T,
        /// How long it may, in milliseconds.
        limit_ms: u64,
    },
    /// Openings did not move the door.
    DoorDidNotMove {
        /// The newest of them, oldest first, at most [`EVIDENCE_OPENINGS_MAX`].
        openings: Vec<OpeningId>,
    },
    /// The sensor changes faster than a door can.
    Chatter {
        /// Changes of its input within the window.
        edges: u32,
        /// The window, in milliseconds.
        window_ms: u64,
        /// Door alarms that are not raised meanwhile.
        silences: Vec<AlarmKind>,
    },
    /// Doors of one board turned open in one and the same reading.
    OpenedTogether {
        /// Which.
        lockers: Vec<LockerId>,
        /// When.
        at: T,
        /// Door alarms that are not raised for these lockers meanwhile.
        silences: Vec<AlarmKind>,
    },
    /// The board or port does not answer.
    NoAnswer {
        /// Since when.
        since: T,
        /// Why, in words for a technician, where it is known.
        reason: Option<String>,
    },
    /// Somebody asked for help. Who did stands in the alarm's steps.
    AskedForHelp {
        /// The newest requests, oldest first, at most [`EVIDENCE_REQUESTS_MAX`].
        requests: Vec<HelpRequest<T>>,
    },
}

/// One request for help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpRequest<T> {
    /// When.
    pub at: T,
    /// Why, if they said so.
    pub reason: Option<HelpReason>,
    /// The locker that it is about.
    pub locker_id: Option<LockerId>,
    /// The opening that it is about.
    pub operation_id: Option<OpeningId>,
    /// The kiosk at which they stand.
    pub kiosk_id: Option<KioskId>,
}

/// Most openings that one alarm names.
pub const EVIDENCE_OPENINGS_MAX: usize = 8;

/// Most requests for help that one alarm names.
pub const EVIDENCE_REQUESTS_MAX: usize = 8;

impl<T> Evidence<T> {
    /// The same evidence on another clock.
    pub fn map<U>(self, mut time: impl FnMut(T) -> U) -> Evidence<U> {
        match self {
            Self::DoorOpened { last_seen_closed, seen_open, last_opening } => {
                Evidence::DoorOpened {
                    last_seen_closed: time(last_seen_closed),
                    seen_open: time(seen_open),
                    last_opening,
                }
            }
            Self::FoundOpen { last_seen_closed, found_open } => Evidence::FoundOpen {
                last_seen_closed: time(last_seen_closed),
                found_open: time(found_open),
            },
            Self::StandsOpen { open_since, limit_ms } => {
                Evidence::StandsOpen { open_since: time(open_since), limit_ms }
            }
            Self::DoorDidNotMove { openings } => Evidence::DoorDidNotMove { openings },
            Self::Chatter { edges, window_ms, silences } => {
                Evidence::Chatter { edges, window_ms, silences }
            }
            Self::OpenedTogether { lockers, at, silences } => {
                Evidence::OpenedTogether { lockers, at: time(at), silences }
            }
            Self::NoAnswer { since, reason } => Evidence::NoAnswer { since: time(since), reason },
            Self::AskedForHelp { requests } => Evidence::AskedForHelp {
                requests: requests.into_iter().map(|it| it.map(&mut time)).collect(),
            },
        }
    }
}

impl<T> HelpRequest<T> {
    fn map<U>(self, time: &mut impl FnMut(T) -> U) -> HelpRequest<U> {
        let Self { at, reason, locker_id, operation_id, kiosk_id } = self;
        HelpRequest { at: time(at), reason, locker_id, operation_id, kiosk_id }
    }
}

/// A person's word on an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: MemberId,
    /// What they had to say; may be empty.
    pub note: String,
}

/// One alarm as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its number; never reused.
    pub id: AlarmId,
    /// What is wrong.
    pub kind: AlarmKind,
    /// With what.
    pub subject: Subject,
    /// The locker's bank when it was raised.
    pub bank_id: Option<BankId>,
    /// When it began.
    pub raised_at: Timestamp,
    /// When its cause was last seen to go on.
    pub last_seen_at: Timestamp,
    /// How often its cause was seen; 1 or more.
    pub count: u32,
    /// When staff were told that the cause goes on.
    pub escalated_at: Option<Timestamp>,
    /// When and why it ended; `None` while it is live.
    pub cleared: Option<(Timestamp, ClearReason)>,
    /// Who took note.
    pub acknowledged: Option<Acknowledgement>,
    /// When the renter said that it was them, and who that was.
    pub claimed: Option<(Timestamp, MemberId)>,
    /// What was seen.
    pub evidence: Evidence<Timestamp>,
}

impl Alarm {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> AlarmState {
        match (&self.acknowledged, &self.cleared) {
            (Some(_), _) => AlarmState::Acknowledged,
            (None, Some(_)) => AlarmState::Cleared,
            (None, None) => AlarmState::Live,
        }
    }

    /// Whether people still have to see it: live, or not acknowledged yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.cleared.is_none() || self.acknowledged.is_none()
    }
}

/// One thing that became of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: StepKind,
    /// Who did it; `None` for the program itself.
    pub actor: Option<MemberId>,
    /// A person's words, or the reason of a clearing.
    pub note: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_found_again() {
        for text in ["locker:101", "board:east-1/15", "bus:west", "bank:7"] {
            assert_eq!(text.parse::<Subject>().expect(text).to_string(), text);
        }
        for text in ["locker:x", "board:east", "board:East/1", "bus:", "bank:x", "door:1", "101"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_found_again_and_are_what_is_serialised() {
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::from_name(kind.name()), Some(*kind));
            let json = serde_json::to_string(kind).expect("JSON");
            assert_eq!(json, format!("\"{kind}\""));
        }
        assert_eq!(ClearReason::from_name("because"), None);
    }

    #[test]
    fn an_alarm_stays_in_view_until_it_is_over_and_somebody_took_note() {
        let at = Timestamp::UNIX_EPOCH;
        let mut alarm = Alarm {
            id: AlarmId(1),
            kind: AlarmKind::LeftOpen,
            subject: Subject::Locker(LockerId(101)),
            bank_id: Some(BankId(1)),
            raised_at: at,
            last_seen_at: at,
            count: 1,
            escalated_at: None,
            cleared: None,
            acknowledged: None,
            claimed: None,
            evidence: Evidence::StandsOpen { open_since: at, limit_ms: 1 },
        };
        assert_eq!((alarm.state(), alarm.is_open()), (AlarmState::Live, true));
        alarm.cleared = Some((at, ClearReason::DoorClosed));
        assert_eq!((alarm.state(), alarm.is_open()), (AlarmState::Cleared, true));
        alarm.acknowledged = Some(Acknowledgement { at, by: MemberId(1), note: String::new() });
        assert_eq!((alarm.state(), alarm.is_open()), (AlarmState::Acknowledged, false));
        alarm.cleared = None;
        assert!(alarm.is_open(), "the cause stands");
    }

    #[test]
    fn evidence_says_what_was_seen() {
        let evidence: Evidence<u64> =
            Evidence::FoundOpen { last_seen_closed: 5, found_open: 9 }.map(|time| time * 2);
        let json = serde_json::to_string(&evidence).expect("JSON");
        assert_eq!(json, r#"{"seen":"found_open","last_seen_closed":10,"found_open":18}"#);
        assert_eq!(serde_json::from_str::<Evidence<u64>>(&json).expect("JSON"), evidence);
    }
}
