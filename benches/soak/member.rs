//! One member: opens the own locker again and again, closes it, and judges each opening by its lock.
//!
//! Nobody else touches the lock, so every pulse belongs to the opening under way. A request that was
//! cut off is repeated with its key: however often it is sent, it is one opening.

use std::time::{Duration, Instant};

use lockerd::sim::{DoorPosition, LockState};

use crate::client::{Reply, call};
use crate::dice::Dice;
use crate::site::{Member, Site};
use crate::tally::Tally;

/// Longest wait for an outcome, restarts included.
const OUTCOME_MAX: Duration = Duration::from_secs(90);
/// Pause before a server that was gone is asked again.
const GONE_PAUSE: Duration = Duration::from_millis(100);
/// Pause after an opening, and what is added at random: often too short for the lock. Milliseconds.
const REST_MS: u64 = 1_000;
const REST_MORE_MS: u64 = 3_000;
/// How long a door stands open, at random. Milliseconds.
const OPEN_MS: u64 = 600;

/// Lives until then; the opening under way is brought to its end.
pub fn live(site: &Site, number: usize, dice: &Dice, tally: &Tally, until: Instant) {
    let Some(member) = site.members.get(number) else { return };
    pause(dice.below(REST_MS));
    let mut count = 0_u64;
    while Instant::now() < until {
        count += 1;
        if let Err(error) = open_once(site, member, &format!("{number}-{count}"), dice, tally) {
            tally.breach(format!("{}: {error:#}", member.place));
            return;
        }
        pause(REST_MS + dice.below(REST_MORE_MS));
    }
}

/// One opening and everything that must hold of it.
fn open_once(
    site: &Site,
    member: &Member,
    key: &str,
    dice: &Dice,
    tally: &Tally,
) -> anyhow::Result<()> {
    site.shut(member.place)?;
    let generation = site.generation();
    let before = site.lock(member.place)?;
    let Some(id) = ask(site, member, key)? else {
        tally.refused();
        demand_still(site, member, &before, tally)?;
        return Ok(());
    };
    let Some(told) = outcome(site, member, &id, tally)? else { return Ok(()) };
    let after = site.lock(member.place)?;
    let phases = told.body["phases"].as_array().cloned().unwrap_or_default();
    let sent_again = phases.iter().any(|phase| phase["phase"] == "sent_again");
    // A server that was killed between its second pulse and the note of it could not tell of it.
    let killed = site.generation() != generation;
    let opening = Opening { before, after, sent_again, killed, outcome: told.text("outcome") };
    for words in opening.breaches() {
        tally.breach(format!("{} {id}: {words}: {}", member.place, told.body));
    }
    tally.opening(&id, opening.outcome, opening.pulses(), sent_again);
    let settled = opening.after.clone();
    pause(dice.below(OPEN_MS));
    demand_still(site, member, &settled, tally)?;
    site.shut(member.place)
}

/// Demands that no pulse came outside an opening.
fn demand_still(
    site: &Site,
    member: &Member,
    then: &LockState,
    tally: &Tally,
) -> anyhow::Result<()> {
    let now = site.lock(member.place)?;
    if now.pulses != then.pulses {
        let more = now.pulses - then.pulses;
        tally.breach(format!("{}: {more} pulses without an opening", member.place));
    }
    Ok(())
}

/// What is known of an opening at its end.
struct Opening<'a> {
    before: LockState,
    after: LockState,
    sent_again: bool,
    killed: bool,
    outcome: &'a str,
}

impl Opening<'_> {
    fn pulses(&self) -> u64 {
        self.after.pulses.saturating_sub(self.before.pulses)
    }

    /// What must not be.
    fn breaches(&self) -> Vec<&'static str> {
        let most = 1 + u64::from(self.sent_again || self.killed);
        let is_open = self.after.door == DoorPosition::Open;
        let rules = [
            (self.pulses() > most, "a doubled pulse"),
            (self.outcome == "opened" && !is_open, "told as opened, and the door is closed"),
            (self.outcome == "unreachable" && self.pulses() > 0, "unreachable, and it moved"),
            (self.outcome.is_empty(), "no outcome"),
        ];
        rules.into_iter().filter(|(broken, _)| *broken).map(|(_, words)| words).collect()
    }
}

/// Asks for an opening until the server answers; `None` when it refuses for now.
fn ask(site: &Site, member: &Member, key: &str) -> anyhow::Result<Option<String>> {
    let path = format!("/api/v1/lockers/{}/open", member.locker);
    let headers = format!("{}Idempotency-Key: soak-{key}\r\n", member.authorization);
    let give_up = Instant::now() + OUTCOME_MAX;
    loop {
        match call(site.address(), ("POST", &path), &headers, "") {
            Ok(reply) if reply.status == 202 => {
                return Ok(Some(reply.text("operation_id").to_owned()));
            }
            Ok(reply) if matches!(reply.status, 409 | 429 | 503) => return Ok(None),
            Ok(reply) => anyhow::bail!("answered {}: {}", reply.status, reply.body),
            Err(error) if Instant::now() > give_up => return Err(error),
            Err(_) => std::thread::sleep(GONE_PAUSE),
        }
    }
}

/// Waits for the outcome through restarts; `None` when it was lost, which is a breach.
fn outcome(site: &Site, member: &Member, id: &str, tally: &Tally) -> anyhow::Result<Option<Reply>> {
    let path = format!("/api/v1/openings/{id}?wait_s=10");
    let give_up = Instant::now() + OUTCOME_MAX;
    loop {
        match call(site.address(), ("GET", &path), &member.authorization, "") {
            Ok(reply) if reply.status == 200 && reply.body["outcome"].is_string() => {
                return Ok(Some(reply));
            }
            Ok(reply) if reply.status == 404 => {
                tally.breach(format!("{} {id}: accepted, and its record is lost", member.place));
                return Ok(None);
            }
            Ok(_) | Err(_) if Instant::now() < give_up => std::thread::sleep(GONE_PAUSE),
            Ok(reply) => {
                tally.breach(format!("{} {id}: never settled: {}", member.place, reply.body));
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
