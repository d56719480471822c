//! Floor 4: what wakes by itself. Here stands when somebody is woken; what is done stands in
//! `service/jobs.rs`, whose table has a task each here.
//!
//! A job with a period below a minute is woken by an interval of its own: such a reconciler must not
//! depend on a wall clock, which may be set. The others are woken by tokio-cron-scheduler
//! (`wake`) each minute, and when the time came to be believed; all run or ask at the start. Whoever
//! is woken by the scheduler asks whether a run is due, so a missed or a doubled wake-up is harmless.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::Services;
use crate::service::jobs::{JOBS, Schedule};

mod wake;

/// Shortest period that is left to the scheduler: it wakes once a minute.
const SCHEDULED_FROM: Duration = Duration::from_mins(1);

/// Starts every job; they end at `stop`.
pub fn start(services: &Arc<Services>, tracker: &TaskTracker, stop: &CancellationToken) {
    tracker.spawn(Arc::clone(services).publish_live(stop.clone()));
    let (watching, watch_stop) = (Arc::clone(services), stop.clone());
    tracker.spawn(async move { watching.watch_doors(watch_stop).await });
    tracker.spawn(Arc::clone(services).carry_mails(stop.clone()));
    for (index, job) in JOBS.iter().enumerate() {
        let (services, stop) = (Arc::clone(services), stop.clone());
        match job.schedule {
            Schedule::Every(period) if period < SCHEDULED_FROM => {
                tracker.spawn(often(services, index, period, stop));
            }
            Schedule::Every(_) | Schedule::Daily(_) => {
                tracker.spawn(now_and_then(services, index, stop));
            }
        }
    }
    tracker.spawn(wake::run(Arc::clone(services), stop.clone()));
}

async fn often(services: Arc<Services>, index: usize, period: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(period);
    // After a stall one run is enough: a job asks what is due, not how often it was woken.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => services.run_woken_job(index).await,
        };
    }
}

async fn now_and_then(services: Arc<Services>, index: usize, stop: CancellationToken) {
    let mut wakes = services.job_wakes();
    loop {
        services.run_due_job(index).await;
        tokio::select! {
            () = stop.cancelled() => return,
            _ = wakes.changed() => {}
        }
    }
}
