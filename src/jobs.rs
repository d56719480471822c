//! Floor 4: what wakes by itself. Each job asks what is due by now, takes no input, and does
//! nothing when nothing is due, so a missed or a doubled wake-up is harmless. Tests call the
//! use-cases directly.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::Services;
use crate::service::error::Error;

/// Ends holds whose time is up; they are dead before that, this only writes it down.
const HOLDS_PERIOD: Duration = Duration::from_secs(1);
/// Saves the published state for a start on a broken database.
const SAVE_PERIOD: Duration = Duration::from_secs(2);
/// Stores openings that were spilled while the database failed, and settles those that an earlier
/// run left open; the first look is at start.
const SETTLE_PERIOD: Duration = Duration::from_secs(2);
/// Ends sign-ins at kiosks that nobody uses; they are dead before that, this only writes it down.
const SIGN_INS_PERIOD: Duration = Duration::from_secs(5);
/// Writes down what kiosks said of themselves.
const KIOSKS_PERIOD: Duration = Duration::from_mins(1);
/// Writes the daily mail when its time has come.
const DAILY_PERIOD: Duration = Duration::from_mins(1);
/// Forgets a key whose time is over, and rotates keys when the command line asks for it.
const KEYS_PERIOD: Duration = Duration::from_secs(2);
/// Writes down which log-ins were used and which have expired.
const LOG_INS_PERIOD: Duration = Duration::from_secs(30);
/// Frees returned lockers that are surely empty by now.
const RETURNS_PERIOD: Duration = Duration::from_secs(2);
/// Tells renters whose locker is not to be had.
const SHORTAGES_PERIOD: Duration = Duration::from_mins(1);
/// Forgets answers and ended log-ins that are too old.
const PRUNE_PERIOD: Duration = Duration::from_mins(15);

/// Forgets personal data that is older than the site keeps it.
const RETENTION_PERIOD: Duration = Duration::from_hours(1);

/// Starts every job; they end at `stop`.
pub fn start(services: &Arc<Services>, tracker: &TaskTracker, stop: &CancellationToken) {
    tracker.spawn(Arc::clone(services).publish_live(stop.clone()));
    let (watching, watch_stop) = (Arc::clone(services), stop.clone());
    tracker.spawn(async move { watching.watch_doors(watch_stop).await });
    tracker.spawn(Arc::clone(services).carry_mails(stop.clone()));
    every(DAILY_PERIOD, "daily mail", services, tracker, stop, |services| async move {
        services.write_daily_mail().await
    });
    every(SETTLE_PERIOD, "settle openings", services, tracker, stop, |services| async move {
        services.settle_openings().await
    });
    every(SETTLE_PERIOD, "settle mass openings", services, tracker, stop, |services| async move {
        services.settle_mass_openings().await
    });
    every(HOLDS_PERIOD, "expire holds", services, tracker, stop, |services| async move {
        services.expire_holds().await
    });
    every(RETURNS_PERIOD, "settle returns", services, tracker, stop, |services| async move {
        services.settle_returns().await
    });
    every(SHORTAGES_PERIOD, "tell shortages", services, tracker, stop, |services| async move {
        services.tell_shortages().await
    });
    every(SAVE_PERIOD, "save state", services, tracker, stop, |services| async move {
        services.save_state().await
    });
    every(SIGN_INS_PERIOD, "end sign-ins", services, tracker, stop, |services| async move {
        services.end_idle_sign_ins().await
    });
    every(KIOSKS_PERIOD, "note kiosks", services, tracker, stop, |services| async move {
        services.note_kiosks().await
    });
    every(KEYS_PERIOD, "keys", services, tracker, stop, |services| async move {
        services.look_after_keys().await
    });
    every(LOG_INS_PERIOD, "last use of log-ins", services, tracker, stop, |services| async move {
        services.write_last_used().await
    });
    every(LOG_INS_PERIOD, "end log-ins", services, tracker, stop, |services| async move {
        services.end_expired_sessions().await
    });
    every(PRUNE_PERIOD, "forget devices", services, tracker, stop, |services| async move {
        services.forget_devices().await
    });
    every(PRUNE_PERIOD, "prune", services, tracker, stop, |services| async move {
        services.prune().await
    });
    every(RETENTION_PERIOD, "retention", services, tracker, stop, |services| async move {
        services.forget_old().await
    });
}

fn every<W, F>(
    period: Duration,
    name: &'static str,
    services: &Arc<Services>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
    work: W,
) where
    W: Fn(Arc<Services>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<usize, Error>> + Send,
{
    let (services, stop) = (Arc::clone(services), stop.clone());
    tracker.spawn(async move {
        let mut ticks = tokio::time::interval(period);
        // After a stall one run is enough: a job asks what is due, not how often it was woken.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => report(name, work(Arc::clone(&services)).await),
            }
        }
    });
}

fn report(name: &'static str, result: Result<usize, Error>) {
    match result {
        Ok(0) => {}
        Ok(count) => tracing::debug!(area = "jobs", job = name, count, "done"),
        Err(error) => tracing::warn!(area = "jobs", job = name, %error, "not done, tried again"),
    }
}
