//! Signals and systemd: when to stop, and telling the service manager how it goes.
//!
//! The first SIGTERM or SIGINT stops in order, a second one at once. Whoever overruns
//! [`STOP_TIMEOUT`] is cut off, so that the process is gone within the unit's `TimeoutStopSec`.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Longest orderly end; below the ten seconds that people and the unit grant.
pub const STOP_TIMEOUT: Duration = Duration::from_millis(9_500);

/// Exit status after an end that was not orderly.
const CUT_OFF: i32 = 70;

/// Cancels `stop` at the first signal; a second one, or an end that takes too long, exits.
pub fn stop_on_signals(stop: &CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        tracing::info!(area = "http", "stopping: no new requests, locks off, everything stored");
        stop.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = tokio::time::sleep(STOP_TIMEOUT) => {}
        }
        tracing::error!(area = "http", "the orderly end was cut off");
        std::process::exit(CUT_OFF);
    });
    Ok(())
}

/// Tells systemd that requests are answered.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Tells systemd that the end has begun.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Tells systemd that the program is alive.
pub fn alive() {
    notify(NotifyState::Watchdog);
}

/// How often [`alive`] is due: half of what the unit allows; `None` without a watchdog.
#[must_use]
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(area = "http", %error, "systemd was not told");
    }
}
