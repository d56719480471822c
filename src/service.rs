//! Floor 3: the use-cases, free of transport.
//!
//! [`Services`] holds everything a use-case needs; each noun has its file that adds methods to it.
//! Called by http, jobs and the command line; knows the domain, the store and the bus, nothing of
//! status codes. A refusal is an [`error::Error`] with a stable code.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::domain::id::BankId;
use crate::domain::member::Role;
use crate::store::{Snapshot, Store};

pub mod accounts;
pub mod error;
pub mod health;
pub mod idempotency;
pub mod lock_service;
pub mod lockers;
pub mod members;
pub mod openings;
pub mod passwords;
pub mod rentals;
mod rest;
pub mod site;
pub mod tokens;
pub mod upkeep;

use accounts::{Registration, RosterLogin};
use openings::LiveOpenings;
use passwords::Passwords;
use tokens::{Caller, TokenKeys};
use upkeep::SavedVersion;

/// What the site's configuration says to the use-cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far personal data opens the site.
    pub roster_login: RosterLogin,
    /// Who may make themselves an account.
    pub registration: Registration,
    /// How long an access token lives.
    pub access_lifetime: SignedDuration,
    /// How long a refresh token lives.
    pub refresh_lifetime: SignedDuration,
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
    /// Openings under way.
    pub openings: LiveOpenings,
    /// Tasks that must end before the store closes.
    pub tracker: TaskTracker,
    /// Cancelled when the end begins: whoever waits for news gets what is known.
    pub stopping: CancellationToken,
    saved: SavedVersion,
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
    /// Tasks that must end before the store closes.
    pub tracker: TaskTracker,
}

impl Services {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            store: parts.store,
            clock: parts.clock,
            bus: parts.bus,
            settings: parts.settings,
            passwords: Passwords::default(),
            token_keys: parts.token_keys,
            openings: LiveOpenings::default(),
            tracker: parts.tracker,
            stopping: CancellationToken::new(),
            saved: SavedVersion::default(),
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
