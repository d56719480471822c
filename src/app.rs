//! The composition root: builds every part, runs until told to stop, ends them in order.
//!
//! The order of the end matters: no new requests, requests under way answered, jobs ended, the bus
//! finishes its frame and switches all locks off, openings write down what was seen, and only then
//! the store commits what is left and closes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::http::{self, Api, HttpSettings, Limits, Server};
use crate::service::audit::AuditKey;
use crate::service::secrets::{Secrets, Vault};
use crate::service::token_keys::TokenKeys;
use crate::service::{Parts, Services};
use crate::store::open::DirLock;
use crate::store::{DataDir, Lane, OpenError, Store, StoreError, WriterThread};
use crate::{jobs, lifecycle};

/// Longest wait for one part to end. Together with the drain of requests (2 s) and the bus, all
/// stay below [`lifecycle::STOP_TIMEOUT`].
const PART_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest wait for the ports: each spends up to 3.5 s on switching its boards off.
const BUS_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a loop may stand still before it counts as dead; a port task sleeps 2 s at most.
const STALL_MAX: Duration = Duration::from_secs(10);

/// How often the writer thread is looked after.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Why the program did not start or did not go on. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory or the database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A key file.
    #[error("a key cannot be used: {0}")]
    Key(std::io::Error),
    /// The address.
    #[error("{0}")]
    Listen(std::io::Error),
    /// The writer thread is gone.
    #[error("the database writer ended by itself")]
    WriterEnded,
}

/// A site that is built and bound, not yet serving.
pub struct App {
    services: Arc<Services>,
    api: Api,
    demo: Option<http::Demo>,
    listener: TcpListener,
    limits: Limits,
    writer: WriterThread,
    tasks: Tasks,
    _lock: DirLock,
}

/// What has to be told to stop, in this order.
struct Tasks {
    jobs: TaskTracker,
    jobs_stop: CancellationToken,
    bus: TaskTracker,
    bus_stop: CancellationToken,
    services: TaskTracker,
}

impl App {
    /// Builds everything: lock, database, buses, listener. Nothing is served yet.
    pub async fn build(config: &Config, clock: Clock) -> Result<Self, AppError> {
        // The address first: a second instance says so before it touches anything.
        let listener = http::accept::bind(config.http.listen).await.map_err(AppError::Listen)?;
        let mailer = config.mailer()?;
        if mailer.kept().is_some() {
            tracing::warn!(area = "mail", "everybody can read all mails at /mailbox, codes too");
        }
        let dir = DataDir::new(&config.data_dir);
        let lock = dir.lock()?;
        let (store, writer) = Store::open(&dir, &clock)?;
        let secrets = Secrets::of(dir.path());
        let vault = Vault::new(&secrets.load_or_create("vault.key").map_err(AppError::Key)?);
        let audit_key = secrets.load_or_create("audit.key").map_err(AppError::Key)?;
        let audit_key =
            AuditKey::new(&audit_key).map_err(|text| AppError::Key(std::io::Error::other(text)))?;
        let token_keys = TokenKeys::load(secrets, clock.now()).map_err(AppError::Key)?;
        let tasks = Tasks {
            jobs: TaskTracker::new(),
            jobs_stop: CancellationToken::new(),
            bus: TaskTracker::new(),
            bus_stop: CancellationToken::new(),
            services: TaskTracker::new(),
        };
        let bus = Bus::start(config.buses()?, &tasks.bus, &tasks.bus_stop);
        let services = Services::new(Parts {
            store,
            clock,
            bus,
            settings: config.settings()?,
            token_keys,
            vault,
            mailer,
            audit_key,
            tracker: tasks.services.clone(),
        });
        // Before anything is written: what stands in the audit log after it has the time it says.
        for known in [services.look_at_clock().await.map(drop), services.recall_jobs().await] {
            if let Err(error) = known {
                tracing::warn!(area = "jobs", %error, "time and jobs of the last run are not known");
            }
        }
        if let Err(error) = services.remember_pulses().await {
            tracing::warn!(area = "bus", %error, "what was opened before the start is not known");
        }
        if let Err(error) = services.end_lost_sign_ins().await {
            tracing::warn!(area = "http", %error, "sign-ins at kiosks were not written down as over");
        }
        let settings = HttpSettings {
            allowed_hosts: config.http.allowed_hosts.clone(),
            public_url: config.http.public_url.clone(),
            trusted_proxies: config.http.trusted_proxies.clone(),
            sockets_max: config.http.sockets_max,
        };
        let api = Api::new(Arc::clone(&services), settings);
        let limits = Limits { connections_max: config.http.connections_max, ..Limits::default() };
        Ok(Self { services, api, demo: None, listener, limits, writer, tasks, _lock: lock })
    }

    /// Where it listens: the real port also when port 0 was asked for.
    pub fn address(&self) -> Result<SocketAddr, AppError> {
        self.listener.local_addr().map_err(AppError::Listen)
    }

    /// The use-cases, for tests and the demo.
    #[must_use]
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The API over them.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// Makes it a demonstration: with its front page, sample log-ins and simulated boards.
    pub fn demonstrate(&mut self, demo: http::Demo) {
        self.demo = Some(demo);
    }

    /// Ends what was built and not run, for tests and benches: what was accepted is committed, then ports and
    /// data directory are let go.
    pub fn close(self) {
        self.tasks.bus_stop.cancel();
        self.services.store.close();
        self.writer.join();
    }

    /// Serves until `stop`, then ends every part in order.
    pub async fn run(self, stop: CancellationToken) -> Result<(), AppError> {
        let Self { services, api, demo, listener, limits, writer, tasks, _lock } = self;
        jobs::start(&services, &tasks.jobs, &tasks.jobs_stop);
        let server = Server::new(listener, limits);
        let accepting = server.beats();
        let beats = || services.bus.beats().chain([accepting.load(Ordering::Relaxed)]).collect();
        let looking = look_after(&services.store, &writer, beats, &stop);
        let server = server.run(http::site(&api, demo), stop.clone());
        let telling = async {
            stop.cancelled().await;
            services.stopping.cancel();
        };
        lifecycle::ready();
        let ((), looked, ()) = tokio::join!(server, looking, telling);
        lifecycle::stopping();
        tasks.jobs_stop.cancel();
        finish("jobs", &tasks.jobs, PART_TIMEOUT).await;
        tasks.bus_stop.cancel();
        finish("bus", &tasks.bus, BUS_TIMEOUT).await;
        finish("services", &tasks.services, PART_TIMEOUT).await;
        if let Err(error) = services.write_last_used().await {
            tracing::warn!(area = "store", %error, "the last use of log-ins was not written down");
        }
        // The last state, for a start on a database that breaks meanwhile.
        if let Err(error) = services.save_state().await {
            tracing::warn!(area = "store", %error, "the last state was not saved");
        }
        services.store.close();
        let joined = tokio::task::spawn_blocking(move || writer.join());
        if tokio::time::timeout(PART_TIMEOUT, joined).await.is_err() {
            tracing::error!(area = "store", "the writer did not end in time");
        }
        looked
    }
}

async fn finish(part: &'static str, tracker: &TaskTracker, patience: Duration) {
    tracker.close();
    if tokio::time::timeout(patience, tracker.wait()).await.is_err() {
        tracing::warn!(
            area = "jobs",
            part,
            left = tracker.len(),
            "tasks were still running at the end"
        );
    }
}

/// Notices a loop whose number no longer grows.
struct Liveness {
    seen: Vec<(u64, Instant)>,
}

impl Liveness {
    fn new(beats: Vec<u64>) -> Self {
        let now = Instant::now();
        Self { seen: beats.into_iter().map(|beat| (beat, now)).collect() }
    }

    /// Takes the newest numbers; false when one has stood still for [`STALL_MAX`].
    fn all_alive(&mut self, beats: Vec<u64>, now: Instant) -> bool {
        for (seen, beat) in self.seen.iter_mut().zip(beats) {
            if seen.0 != beat {
                *seen = (beat, now);
            }
        }
        self.seen.iter().all(|(_, at)| now.duration_since(*at) < STALL_MAX)
    }
}

/// Stops the program when the writer thread ends by itself, and feeds systemd's watchdog as long
/// as the writer answers and the accept loop and every port task go on.
async fn look_after(
    store: &Store,
    writer: &WriterThread,
    beats: impl Fn() -> Vec<u64>,
    stop: &CancellationToken,
) -> Result<(), AppError> {
    let period = lifecycle::watchdog_period().unwrap_or(LOOK_PERIOD).min(LOOK_PERIOD);
    let mut ticks = tokio::time::interval(period);
    let mut liveness = Liveness::new(beats());
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if writer.is_finished() {
            stop.cancel();
            return Err(AppError::WriterEnded);
        }
        // A failing database answers too: refused is alive, silence is not.
        let asked = store.write::<(), StoreError, _>(Lane::Housekeeping, |_| Ok(()));
        let answered = tokio::time::timeout(period, asked).await;
        let writing = matches!(answered, Ok(Ok(()) | Err(StoreError::Degraded(_))));
        if writing && liveness.all_alive(beats(), Instant::now()) {
            lifecycle::alive();
        } else {
            tracing::error!(area = "jobs", writing, "a part stands still: the watchdog is not fed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_still_is_noticed_and_its_return_too() {
        let mut liveness = Liveness::new(vec![1, 1]);
        let start = Instant::now();
        assert!(liveness.all_alive(vec![2, 2], start));
        assert!(liveness.all_alive(vec![3, 2], start + STALL_MAX / 2));
        assert!(!liveness.all_alive(vec![4, 2], start + STALL_MAX));
        assert!(liveness.all_alive(vec![5, 3], start + STALL_MAX));
    }
}
