//! `lockerd time`: an admin's word for the clock of this machine, where there is no web browser.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::say;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::DataDir;
use crate::store::clock::{leave_word, word_left_at};

/// How far the time that is told may be from the machine's.
const DIFFERENCE_MAX: SignedDuration = SignedDuration::from_mins(2);

/// How long a server that runs may take to hear it; it listens every second.
const HEARD_TIMEOUT: Duration = Duration::from_secs(3);

const LOOK_PERIOD: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum TimeCommand {
    /// Vouch for this machine's clock by the time that your own shows.
    ///
    /// A server that runs hears it at once, else the next one that starts within ten minutes. Good
    /// until the clock is set or the machine is switched off.
    ///
    /// Example: lockerd time confirm 14:05
    Confirm(ConfirmArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ConfirmArgs {
    /// What your own clock shows, by the site's time zone: 14:05 or 2026-09-01T14:05.
    time: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
}

pub(super) fn run(command: &TimeCommand) -> anyhow::Result<()> {
    match command {
        TimeCommand::Confirm(args) => confirm(args),
    }
}

fn confirm(args: &ConfirmArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let clock = Clock::system(config.zone()?);
    let now = clock.now();
    let said = read(&args.time, now, clock.zone())?;
    let difference = said.duration_since(now).abs();
    let local = now.to_zoned(clock.zone().clone()).strftime("%Y-%m-%d %H:%M:%S");
    anyhow::ensure!(
        difference <= DIFFERENCE_MAX,
        "this machine's clock says {local}: set it (timedatectl set-time) and confirm again"
    );
    let dir = DataDir::new(&config.data_dir);
    let path = leave_word(&dir)
        .with_context(|| format!("cannot write into {}", config.data_dir.display()))?;
    let mut waited = Duration::ZERO;
    while word_left_at(&path).is_some() && waited < HEARD_TIMEOUT {
        std::thread::sleep(LOOK_PERIOD);
        waited += LOOK_PERIOD;
    }
    if word_left_at(&path).is_none() {
        say(format!("The server has heard it: {local} is confirmed."));
    } else {
        say("No server runs: start it within ten minutes (lockerd serve), and it will hear it.");
    }
    Ok(())
}

/// A time without a date is today's, by the machine's clock.
fn read(text: &str, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    let local: DateTime = match text.parse::<Time>() {
        Ok(time) => now.to_zoned(zone.clone()).date().to_datetime(time),
        Err(_) => text.parse().map_err(|_| {
            anyhow::anyhow!("{text:?} is no time: write it as 14:05 or 2026-09-01T14:05")
        })?,
    };
    Ok(local.to_zoned(zone.clone())?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_by_the_sites_clock() {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        let now: Timestamp = "2026-08-31T15:30:00Z".parse().expect("a time");
        for (text, read_as) in [
            ("00:31", "2026-08-31T15:31:00Z"),
            ("00:31:20", "2026-08-31T15:31:20Z"),
            ("2026-09-01T00:31", "2026-08-31T15:31:00Z"),
            ("2026-09-01 00:31", "2026-08-31T15:31:00Z"),
        ] {
            assert_eq!(read(text, now, &seoul).expect(text).to_string(), read_as);
        }
        for text in ["noon", "25:00", ""] {
            let error = read(text, now, &seoul).expect_err(text).to_string();
            assert!(error.contains("14:05"), "{error}");
        }
    }
}
