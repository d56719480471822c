//! Locations and banks: where cabinets stand and under which policy their lockers are lent.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hours::{self, Closing, Opening, WeekHours};
use super::id::{BankId, LocationId, MemberId};
use super::name::Name;
use super::options::Options;
use super::overdue::OverduePolicy;
use super::pool::PoolPolicy;
use super::returning::ReturnPolicy;

/// A named place: "Science Library, 6th floor".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its number.
    pub id: LocationId,
    /// Its name, unique on the site in Korean.
    pub name: Name,
}

/// How the lockers of a bank are lent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Students pick a locker, first come, first served.
    #[default]
    Choose,
    /// Students reserve dates; the locker is bound at check-in.
    Pool,
}

impl Mode {
    /// Every mode; the database's CHECK lists the same names.
    pub const ALL: [Self; 2] = [Self::Choose, Self::Pool];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choose => "choose",
            Self::Pool => "pool",
        }
    }

    /// Finds a mode by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// One cabinet of lockers at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// Its number.
    pub id: BankId,
    /// Where it stands.
    pub location_id: LocationId,
    /// Its name; unique within its location in Korean.
    pub name: Name,
    /// How its lockers are lent.
    pub mode: Mode,
    /// Its policy.
    pub policy: BankPolicy,
    /// Set while people work on it: its doors raise no alarms.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
}

/// A bank that people work on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Since when.
    pub since: Timestamp,
    /// Who said so.
    pub by: MemberId,
    /// Why.
    pub reason: String,
}

/// From where renters may open the lockers of a bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenFrom {
    /// From wherever they are logged in.
    #[default]
    Anywhere,
    /// Only when they prove to stand before it: signed in at its kiosk, or with the code it shows.
    Presence,
}

impl OpenFrom {
    /// Every value; the database's CHECK lists the same names.
    pub const ALL: [Self; 2] = [Self::Anywhere, Self::Presence];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::Presence => "presence",
        }
    }

    /// Finds a value by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The settings of one bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankPolicy {
    /// How long a hold keeps a locker for one student, in seconds; 10 to 3600.
    pub hold_seconds: u32,
    /// How long a door may stand open before it is an alarm, in seconds; 1 to 86400. `None`: as the
    /// site's configuration says.
    #[serde(default)]
    pub left_open_s: Option<u32>,
    /// From where renters may open.
    #[serde(default)]
    pub open_from: OpenFrom,
    /// How lockers are taken back.
    #[serde(default)]
    pub returns: ReturnPolicy,
    /// How reservations are taken, in pool mode.
    #[serde(default)]
    pub pool: PoolPolicy,
    /// How those who are late are dealt with.
    #[serde(default)]
    pub overdue: OverduePolicy,
    /// What is offered beyond the plain rental.
    #[serde(default)]
    pub options: Options,
    /// When renters may open; `None`: day and night.
    #[serde(default)]
    pub hours: Option<WeekHours>,
    /// Days on which renters may not open, in the order of their days.
    #[serde(default)]
    pub closings: Vec<Closing>,
}

impl Default for BankPolicy {
    fn default() -> Self {
        Self {
            hold_seconds: 60,
            left_open_s: None,
            open_from: OpenFrom::Anywhere,
            returns: ReturnPolicy::default(),
            pool: PoolPolicy::default(),
            overdue: OverduePolicy::default(),
            options: Options::default(),
            hours: None,
            closings: Vec::new(),
        }
    }
}

/// A setting that cannot be, or settings that cannot be together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The settings.
    pub fields: Vec<&'static str>,
    /// What is wrong, for people.
    pub text: String,
}

impl Mistake {
    /// About these settings.
    #[must_use]
    pub fn of(fields: &[&'static str], text: impl Into<String>) -> Self {
        Self { fields: fields.to_vec(), text: text.into() }
    }

    /// All of them in one line.
    #[must_use]
    pub fn join(mistakes: &[Self]) -> String {
        mistakes.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl BankPolicy {
    /// Checks the settings as a whole and puts hours and closing days in order; every mistake is told,
    /// with the settings that it is about.
    pub fn validated(self, mode: Mode) -> Result<Self, Vec<Mistake>> {
        // Named one by one, so that a new setting cannot be forgotten here.
        let Self {
            hold_seconds,
            left_open_s,
            open_from,
            returns,
            pool,
            mut overdue,
            options,
            hours,
            closings,
        } = self;
        let mut mistakes = Vec::new();
        if !(10..=3600).contains(&hold_seconds) {
            let text = format!("hold_seconds is {hold_seconds}; it must be 10 to 3600");
            mistakes.push(Mistake::of(&["hold_seconds"], text));
        }
        if let Some(seconds) = left_open_s
            && !(1..=86_400).contains(&seconds)
        {
            let text = format!("left_open_s is {seconds}; it must be 1 to 86400");
            mistakes.push(Mistake::of(&["left_open_s"], text));
        }
        returns.check(&mut |mistake| mistakes.push(mistake));
        pool.check(mode == Mode::Pool, &mut |mistake| mistakes.push(mistake));
        let days_max = pool.days_max.filter(|_| mode == Mode::Pool);
        overdue.check(days_max, &mut |mistake| mistakes.push(mistake));
        overdue.reminder_days.sort_unstable_by(|a, b| b.cmp(a));
        overdue.reminder_days.dedup();
        options.check(mode, hold_seconds, &mut |mistake| mistakes.push(mistake));
        let mut note = |fields: &[&'static str], text| mistakes.push(Mistake::of(fields, text));
        let hours = hours.map(WeekHours::validated).transpose();
        let hours = hours.map_err(|text| note(&["hours"], text)).unwrap_or_default();
        let closings = hours::validated_closings(closings);
        let closings = closings.map_err(|text| note(&["closings"], text)).unwrap_or_default();
        if mistakes.is_empty() {
            Ok(Self {
                hold_seconds,
                left_open_s,
                open_from,
                returns,
                pool,
                overdue,
                options,
                hours,
                closings,
            })
        } else {
            Err(mistakes)
        }
    }

    /// When renters may open.
    #[must_use]
    pub fn opening(&self) -> Opening<'_> {
        Opening::new(self.hours.as_ref(), &self.closings)
    }

    /// How long a hold lives.
    #[must_use]
    pub fn hold(&self) -> Duration {
        Duration::from_secs(u64::from(self.hold_seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_policy_is_told_with_its_settings() {
        let policy = BankPolicy {
            hold_seconds: 9,
            left_open_s: Some(0),
            hours: Some(WeekHours::default()),
            ..BankPolicy::default()
        };
        let mistakes = policy.validated(Mode::Choose).expect_err("three mistakes");
        let fields: Vec<&str> = mistakes.iter().flat_map(|it| it.fields.clone()).collect();
        assert_eq!(fields, ["hold_seconds", "left_open_s", "hours"]);
        let line = Mistake::join(&mistakes);
        assert!(
            line.starts_with("hold_seconds is 9; it must be 10 to 3600; left_open_s"),
            "{line}"
        );
        for seconds in [10, 3_600] {
            let policy = BankPolicy { hold_seconds: seconds, ..BankPolicy::default() };
            assert!(policy.validated(Mode::Choose).is_ok(), "{seconds}");
        }
    }
}
