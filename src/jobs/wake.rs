//! tokio-cron-scheduler, which does nothing but wake: once a minute.
//!
//! No work is done inside it, as its shutdown waits for nothing and it never makes up for a missed
//! tick. It is not told the jobs' own times either: it takes a zone's offset from UTC when a job is
//! added and keeps it, so that after a change to summer time every daily job would be an hour off; the
//! rule for that is `domain/schedule.rs`. It counts on the wall clock: when that is set back, the next
//! tick may be a year away, so it is built anew after each step.

use std::sync::Arc;
use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::service::Services;

/// The first second of each minute.
const EVERY_MINUTE: &str = "0 * * * * *";

/// How long until a scheduler that could not be built is tried again.
const RETRY_PERIOD: Duration = Duration::from_mins(1);

/// Wakes the jobs until `stop`.
pub(super) async fn run(services: Arc<Services>, stop: CancellationToken) {
    let mut steps = services.clock_steps();
    while !stop.is_cancelled() {
        services.wake_jobs();
        match scheduler(&services).await {
            Ok(mut scheduler) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = steps.changed() => {}
                }
                if let Err(error) = scheduler.shutdown().await {
                    tracing::debug!(area = "jobs", %error, "the scheduler did not stop");
                }
            }
            Err(error) => {
                tracing::error!(area = "jobs", %error, "the scheduler does not start");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(RETRY_PERIOD) => {}
                }
            }
        }
    }
}

async fn scheduler(services: &Arc<Services>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let services = Arc::clone(services);
    scheduler.add(Job::new(EVERY_MINUTE, move |_, _| services.wake_jobs())?).await?;
    scheduler.start().await?;
    Ok(scheduler)
}
