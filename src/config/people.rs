//! The parts of the configuration about people: logging in, kiosks, privacy, and how long personal
//! data is kept.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;

use super::{ConfigError, in_range};
use crate::domain::limit::LimitRules;
use crate::service::accounts::{Registration, RosterLogin};
use crate::service::privacy::PrivacyNotice;
use crate::service::{KioskSettings, Retention, SecondFactor};

/// Longest privacy notice.
const NOTICE_BYTES_MAX: usize = 64 << 10;

/// Logging in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// How far student id, name and phone open the site: off, claim or full.
    pub roster_login: RosterLogin,
    /// Who may make themselves an account: closed (nobody), roster (whom the roster has) or open.
    pub registration: Registration,
    /// Domains that the e-mail address of a sign-up must be of; empty: any.
    pub email_domains: Vec<String>,
    /// How long an access token lives, in minutes; 1 to 720.
    pub access_minutes: u32,
    /// How long a refresh token lives, in hours; 1 to 720.
    pub refresh_hours: u32,
    /// Whether a log-in of a student ends their log-ins on other devices.
    pub single_device: bool,
    /// Who must show a second factor at log-in: off, admins or staff (with admins).
    pub second_factor: SecondFactor,
    /// Words that no password may consist of, beside the common ones: the campus's own.
    pub password_words: Vec<String>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            roster_login: RosterLogin::Off,
            registration: Registration::Closed,
            email_domains: Vec::new(),
            access_minutes: 30,
            refresh_hours: 24,
            single_device: false,
            second_factor: SecondFactor::Off,
            password_words: Vec::new(),
        }
    }
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        in_range("auth.access_minutes", self.access_minutes, 1, 720)?;
        in_range("auth.refresh_hours", self.refresh_hours, 1, 720)?;
        for domain in &self.email_domains {
            if domain.contains('@') || !domain.contains('.') {
                let text = format!("auth.email_domains has {domain:?}: write it as korea.ac.kr");
                return Err(ConfigError::Value(text));
            }
        }
        Ok(())
    }
}

/// The screens beside the banks.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KioskConfig {
    /// How long a sign-in lasts without a request, in seconds; 20 to 600.
    pub idle_s: u32,
    /// How long it lasts at most, in seconds; 60 to 3600.
    pub session_s: u32,
    /// How long a silent kiosk is taken for alive, in seconds; 15 to 3600.
    pub silent_s: u32,
}

impl Default for KioskConfig {
    fn default() -> Self {
        Self { idle_s: 120, session_s: 600, silent_s: 60 }
    }
}

impl KioskConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        in_range("kiosk.idle_s", self.idle_s, 20, 600)?;
        in_range("kiosk.session_s", self.session_s, 60, 3_600)?;
        in_range("kiosk.silent_s", self.silent_s, 15, 3_600)
    }

    pub(super) fn settings(&self) -> KioskSettings {
        let seconds = |seconds: u32| SignedDuration::from_secs(i64::from(seconds));
        KioskSettings {
            idle: seconds(self.idle_s),
            session: seconds(self.session_s),
            silent: seconds(self.silent_s),
        }
    }
}

/// How often things may fail or be done. Waits after wrong passwords and codes are fixed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Failures from one address within ten minutes; 20 to 100000.
    pub address_failures: u32,
    /// Sign-ups begun from one address within an hour; 5 to 100000.
    pub sign_ups: u32,
    /// Mails with a code to one account or address within an hour; 2 to 100.
    pub mails: u32,
    /// Refused openings of one account within ten minutes; 5 to 1000.
    pub refused_openings: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let LimitRules { address_failures, sign_ups, mails, refused_openings } =
            LimitRules::default();
        Self { address_failures, sign_ups, mails, refused_openings }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        in_range("limits.address_failures", self.address_failures, 20, 100_000)?;
        in_range("limits.sign_ups", self.sign_ups, 5, 100_000)?;
        in_range("limits.mails", self.mails, 2, 100)?;
        in_range("limits.refused_openings", self.refused_openings, 5, 1_000)
    }

    pub(super) const fn rules(&self) -> LimitRules {
        let Self { address_failures, sign_ups, mails, refused_openings } = *self;
        LimitRules { address_failures, sign_ups, mails, refused_openings }
    }
}

/// What people are told about their data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyConfig {
    /// Which notice is in force; whoever signs up agrees to this one.
    pub version: String,
    /// Text files with the notice; left out: a general one.
    pub notice_ko: Option<PathBuf>,
    /// The same in English.
    pub notice_en: Option<PathBuf>,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        Self { version: "1".to_owned(), notice_ko: None, notice_en: None }
    }
}

impl PrivacyConfig {
    /// Reads the site's texts.
    pub(super) fn notice(&self, retention: &Retention) -> Result<PrivacyNotice, ConfigError> {
        let text = |path: &Option<PathBuf>| path.as_deref().map(read_text).transpose();
        let (ko, en) = (text(&self.notice_ko)?, text(&self.notice_en)?);
        Ok(PrivacyNotice::new(&self.version, ko, en, retention))
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: name.clone(), source })?;
    if text.len() > NOTICE_BYTES_MAX {
        let most = NOTICE_BYTES_MAX >> 10;
        return Err(ConfigError::Value(format!("{name} is longer than {most} KiB")));
    }
    Ok(text)
}

/// How long personal data is kept, in days.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Openings of lockers; 7 to 3650.
    pub openings_days: u32,
    /// People who left, until they are anonymised; 1 to 3650.
    pub members_days: u32,
    /// Log-ins that ended; 1 to 3650.
    pub sessions_days: u32,
    /// Alarms that are over; 7 to 3650.
    pub alarms_days: u32,
    /// Closed overdue cases with their penalties, and reminders; 7 to 3650.
    pub overdue_days: u32,
    /// Mails that were sent or given up; 1 to 3650.
    pub mails_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            openings_days: 90,
            members_days: 365,
            sessions_days: 90,
            alarms_days: 365,
            overdue_days: 365,
            mails_days: 30,
        }
    }
}

impl RetentionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, days, least) in [
            ("retention.openings_days", self.openings_days, 7),
            ("retention.members_days", self.members_days, 1),
            ("retention.sessions_days", self.sessions_days, 1),
            ("retention.alarms_days", self.alarms_days, 7),
            ("retention.overdue_days", self.overdue_days, 7),
            ("retention.mails_days", self.mails_days, 1),
        ] {
            in_range(key, days, least, 3_650)?;
        }
        Ok(())
    }

    pub(super) fn settings(&self) -> Retention {
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        Retention {
            openings: days(self.openings_days),
            members: days(self.members_days),
            sessions: days(self.sessions_days),
            alarms: days(self.alarms_days),
            overdue: days(self.overdue_days),
            mails: days(self.mails_days),
        }
    }
}
