//! Floor 3: the use-cases, free of transport.
//!
//! [`Services`] holds everything a use-case needs; each noun has its file that adds methods to it.
//! Called by http, jobs and the command line; knows the domain, the store and the bus, nothing of
//! status codes. A refusal is an [`error::Error`] with a stable code.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Time;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::domain::door_watch::Thresholds;
use crate::domain::id::BankId;
use crate::domain::limit::LimitRules;
use crate::domain::member::Role;
use crate::mail::Mailer;
use crate::store::{Snapshot, Store};

pub mod accounts;
pub mod alarms;
pub mod audit;
pub mod bulk_ends;
pub mod clock;
pub mod codes;
pub mod commissioning;
pub mod csv_file;
pub mod door_watch;
pub mod error;
pub mod exports;
pub mod extensions;
pub mod health;
pub mod help;
pub mod histories;
pub mod idempotency;
pub mod identity;
pub mod jobs;
pub mod kiosks;
pub mod layout;
pub mod limits;
pub mod live;
pub mod lock_service;
pub mod lockers;
pub mod mails;
pub mod mass_openings;
pub mod members;
pub mod opening_lists;
pub mod openings;
pub mod overdue;
pub mod own_account;
pub mod passwords;
pub mod penalties;
pub mod places;
pub mod pool;
pub mod presence;
pub mod privacy;
pub mod reminders;
pub mod rental_lists;
pub mod rentals;
mod rest;
pub mod retention;
pub mod returning;
pub mod roles;
pub mod secrets;
pub mod sessions;
pub mod shortages;
pub mod sign_up;
pub mod site;
mod slices;
pub mod staff_rentals;
pub mod statistics;
pub mod swaps;
pub mod token_keys;
pub mod tokens;
pub mod totp;
pub mod upkeep;
pub mod waiting;

use accounts::{Registration, RosterLogin};
use alarms::PublishedAlarms;
use audit::AuditKey;
use clock::ClockGuard;
use commissioning::Commissioning;
use door_watch::Watch;
use jobs::JobBoard;
use kiosks::KioskTable;
use live::Live;
use mails::Delivering;
use mass_openings::MassOpenings;
use openings::LiveOpenings;
use passwords::Passwords;
use presence::PresenceGuard;
use privacy::PrivacyNotice;
use secrets::Vault;
use sessions::LastUsed;
use token_keys::TokenKeys;
use tokens::Caller;
use upkeep::SavedVersion;

/// What the site's configuration says to the use-cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The number to call for help, as people read it.
    pub phone: Option<String>,
    /// How far personal data opens the site.
    pub roster_login: RosterLogin,
    /// Who may make themselves an account.
    pub registration: Registration,
    /// How long an access token lives.
    pub access_lifetime: SignedDuration,
    /// How long a refresh token lives.
    pub refresh_lifetime: SignedDuration,
    /// Domains that the address of a sign-up must be of; empty: any.
    pub email_domains: Vec<String>,
    /// Whether a log-in of a student ends their other log-ins.
    pub single_device: bool,
    /// Who must show a second factor.
    pub second_factor: SecondFactor,
    /// The campus's own words that no password may consist of.
    pub password_words: Vec<String>,
    /// The screens beside the banks.
    pub kiosk: KioskSettings,
    /// The privacy notice in force.
    pub privacy: PrivacyNotice,
    /// How often things may fail or be done.
    pub limits: LimitRules,
    /// How long personal data is kept.
    pub retention: Retention,
    /// When the daily mail to admins is written, on the site's clock.
    pub daily_mail_at: Time,
    /// From when on something is an alarm.
    pub alarms: Thresholds,
}

/// Who must show a second factor at log-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Nobody; who has set one up is asked for it all the same.
    #[default]
    Off,
    /// Admins.
    Admins,
    /// Staff and admins.
    Staff,
}

impl SecondFactor {
    /// Whether an account of this role must have one.
    #[must_use]
    pub const fn is_demanded_of(self, role: Role) -> bool {
        match (self, role) {
            (Self::Off, _) | (_, Role::Student) | (Self::Admins, Role::Staff) => false,
            (Self::Admins | Self::Staff, Role::Admin) | (Self::Staff, Role::Staff) => true,
        }
    }
}

/// How long things last at a kiosk.
#[derive(Debug, Clone, Copy)]
pub struct KioskSettings {
    /// A sign-in without a request.
    pub idle: SignedDuration,
    /// A sign-in at most.
    pub session: SignedDuration,
    /// A silent kiosk until it is taken for broken.
    pub silent: SignedDuration,
}

/// How long personal data is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Openings of lockers.
    pub openings: SignedDuration,
    /// People who left, until they are anonymised.
    pub members: SignedDuration,
    /// Log-ins that ended.
    pub sessions: SignedDuration,
    /// Alarms that are over.
    pub alarms: SignedDuration,
    /// Closed overdue cases with their penalties, and reminders.
    pub overdue: SignedDuration,
    /// Mails that were sent or given up.
    pub mails: SignedDuration,
}

/// Everything a use-case needs. Shared as an `Arc`.
pub struct Services {
    /// What is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The lock boards.
    pub bus: Bus,
    /// The site's settings.
    pub settings: Settings,
    /// The hashing threads.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub token_keys: TokenKeys,
    /// Seals and hashes what the database alone must not give away.
    pub vault: Vault,
    /// Sends mails.
    pub mailer: Mailer,
    /// Signs the head of the audit chain.
    pub audit_key: AuditKey,
    /// Openings under way.
    pub openings: LiveOpenings,
    /// Orders to open many lockers that are under way.
    pub openings_of_many: MassOpenings,
    /// What commissioning has under way.
    pub commissioning: Arc<Commissioning>,
    /// What listeners are told.
    pub live: Live,
    /// Who is signed in at kiosks, and when each was heard of.
    kiosks: KioskTable,
    /// Presence codes used lately.
    presence: PresenceGuard,
    /// The door watch.
    watch: Watch,
    /// Alarms that people still have to see.
    alarms: PublishedAlarms,
    /// Held while a roster is taken: two at once would undo each other.
    roster_turn: tokio::sync::Mutex<()>,
    /// Held while many rentals are ended: one order after the other.
    bulk_end_turn: tokio::sync::Mutex<()>,
    /// Held while a figure is counted: one at a time leaves the reading connections to everybody else.
    figure_turn: tokio::sync::Mutex<()>,
    /// Whether the time is believed.
    clock_guard: ClockGuard,
    /// How every job stands.
    job_board: JobBoard,
    /// Tasks that must end before the store closes.
    pub tracker: TaskTracker,
    /// Cancelled when the end begins: whoever waits for news gets what is known.
    pub stopping: CancellationToken,
    saved: SavedVersion,
    delivering: Delivering,
    /// When log-ins were last used, as far as that is not written down yet.
    last_used: LastUsed,
    /// A handle to itself for tasks that outlive a request.
    own: std::sync::Weak<Self>,
}

/// The parts that [`Services`] is built from.
pub struct Parts {
    /// What is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The lock boards.
    pub bus: Bus,
    /// The site's settings.
    pub settings: Settings,
    /// Signs and checks access tokens.
    pub token_keys: TokenKeys,
    /// Seals and hashes what the database alone must not give away.
    pub vault: Vault,
    /// Sends mails.
    pub mailer: Mailer,
    /// Signs the head of the audit chain.
    pub audit_key: AuditKey,
    /// Tasks that must end before the store closes.
    pub tracker: TaskTracker,
}

impl Services {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            store: parts.store,
            clock_guard: ClockGuard::new(&parts.clock),
            clock: parts.clock,
            job_board: JobBoard::default(),
            bus: parts.bus,
            passwords: Passwords::default(),
            token_keys: parts.token_keys,
            vault: parts.vault,
            mailer: parts.mailer,
            audit_key: parts.audit_key,
            delivering: Delivering::default(),
            openings: LiveOpenings::default(),
            openings_of_many: MassOpenings::default(),
            commissioning: Arc::default(),
            live: Live::default(),
            kiosks: KioskTable::default(),
            presence: PresenceGuard::default(),
            watch: Watch::new(parts.settings.alarms),
            settings: parts.settings,
            alarms: PublishedAlarms::default(),
            roster_turn: tokio::sync::Mutex::default(),
            bulk_end_turn: tokio::sync::Mutex::default(),
            figure_turn: tokio::sync::Mutex::default(),
            tracker: parts.tracker,
            stopping: CancellationToken::new(),
            saved: SavedVersion::default(),
            last_used: LastUsed::default(),
            own: own.clone(),
        })
    }

    /// Runs something to its end even when the request that started it is gone.
    fn detach<F, Fut>(&self, work: F)
    where
        F: FnOnce(Arc<Self>) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        if let Some(own) = self.own.upgrade() {
            self.tracker.spawn(work(own));
        }
    }

    /// Has dead holds written down without making anybody wait.
    fn tidy_holds_soon(&self) {
        self.detach(|services| async move {
            if let Err(error) = services.expire_holds().await {
                tracing::debug!(area = "jobs", %error, "expired holds were not written down");
            }
        });
    }
}

/// Whether the caller may act as staff on a bank.
fn is_staff_for(snapshot: &Snapshot, caller: Caller, bank: BankId) -> bool {
    match caller.role {
        Role::Admin => true,
        Role::Staff => snapshot.site.is_staff_of(caller.member_id, bank),
        Role::Student => false,
    }
}
