//! Proof that somebody stands before a bank: signed in at its kiosk, or with the code that the
//! kiosk shows.
//!
//! The code is a TOTP of the bank's own key, which lies sealed in the published state; it is
//! unsealed for each look and never written down in the clear. A member uses a step once: the
//! statement in the transaction of the opening's intent decides that. While the database fails a
//! guard in memory decides instead, so that the rightful renter with a right code still gets in.
//!
//! Ways to open a locker, and who must prove presence:
//! - `POST reservations/{id}/check-in`: as for an opening, but the code is not used up.
//! - `POST lockers/{id}/open` as its renter: at a bank with `open_from = "presence"`, and with a
//!   roster log-in in `claim` mode at every bank. At a kiosk: only lockers of its banks.
//! - The same as staff of the bank, and mass openings: staff are exempt.
//! - Proving a board while commissioning, and `lockerd bus open`: technicians, no rented locker.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::Services;
use super::accounts::RosterLogin;
use super::commissioning::demand_admin;
use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::secrets;
use super::tokens::{Caller, Method};
use crate::clock::Clock;
use crate::domain::bank::{Bank, OpenFrom};
use crate::domain::id::{BankId, MemberId};
use crate::domain::kiosk::Kiosk;
use crate::domain::limit::{FAILURES_MAX, LimitKind, Subject};
use crate::domain::time::Monotonic;
use crate::domain::totp::{SKEW_STEPS, Secret, next_step_ms};
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Tx, banks, presence, throttle};

/// Most uses kept in memory. They are forgotten after three steps; more members than that do not
/// open their lockers within these 90 s.
const USES_MAX: usize = 4_096;

/// Wrong codes of one member that memory bears while the database cannot count them, and for how
/// long it remembers them.
const WRONG_MAX: u32 = 10;
const WRONG_WINDOW_MS: u64 = 10 * 60 * 1_000;

/// The code that a kiosk shows for a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceCode {
    /// Which bank.
    pub bank_id: BankId,
    /// Six digits.
    pub code: String,
    /// When the next one is shown, unix milliseconds; this one is good one step longer.
    pub valid_until_ms: i64,
}

/// A right code that a member is about to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PresenceUse {
    bank: BankId,
    member: MemberId,
    step: i64,
}

/// What was used and missed lately, for when the database cannot tell.
#[derive(Default)]
pub struct PresenceGuard(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    used: HashMap<(BankId, MemberId), i64>,
    wrong: HashMap<MemberId, (u32, Monotonic)>,
}

impl PresenceGuard {
    fn with<T>(&self, work: impl FnOnce(&mut Remembered) -> T) -> T {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_used(&self, it: PresenceUse) -> bool {
        self.with(|all| all.used.get(&(it.bank, it.member)).is_some_and(|step| *step >= it.step))
    }

    /// Notes a use; false when it or a later one was used before.
    fn claim(&self, it: PresenceUse) -> bool {
        self.with(|all| {
            let key = (it.bank, it.member);
            if all.used.get(&key).is_some_and(|step| *step >= it.step) {
                return false;
            }
            if all.used.len() >= USES_MAX {
                // What is older than the window is refused by its age.
                all.used.retain(|_, step| *step + 2 * SKEW_STEPS >= it.step);
            }
            // A full memory keeps nobody from their things.
            if all.used.len() < USES_MAX || all.used.contains_key(&key) {
                all.used.insert(key, it.step);
            }
            true
        })
    }

    fn forget(&self, bank: BankId) {
        self.with(|all| all.used.retain(|(known, _), _| *known != bank));
    }

    fn count_wrong(&self, member: MemberId, now: Monotonic) {
        self.with(|all| {
            all.wrong.retain(|_, (_, since)| since.ms_until(now) < WRONG_WINDOW_MS);
            if all.wrong.len() < USES_MAX || all.wrong.contains_key(&member) {
                all.wrong.entry(member).or_insert((0, now)).0 += 1;
            }
        });
    }

    fn bears(&self, member: MemberId, now: Monotonic) -> bool {
        self.with(|all| {
            let wrong = all.wrong.get(&member);
            wrong.is_none_or(|(count, since)| {
                *count < WRONG_MAX || since.ms_until(now) >= WRONG_WINDOW_MS
            })
        })
    }
}

impl Services {
    /// The codes that a kiosk shows now, one for each of its banks. A bank without a key gets one.
    pub async fn presence_codes(&self, kiosk: &Kiosk) -> Result<Vec<PresenceCode>, Error> {
        let known = self.store.snapshot();
        let lacking = kiosk.banks.iter().filter(|id| !known.site.presence_keys.contains_key(id));
        let lacking: Vec<BankId> = lacking.copied().collect();
        if !lacking.is_empty() {
            self.make_presence_keys(lacking).await?;
        }
        let now = self.clock.now();
        let code = |bank: &BankId| {
            let code = self.presence_secret(*bank)?.code_at(now);
            Some(PresenceCode { bank_id: *bank, code, valid_until_ms: next_step_ms(now) })
        };
        Ok(kiosk.banks.iter().filter_map(code).collect())
    }

    async fn make_presence_keys(&self, banks: Vec<BankId>) -> Result<(), Error> {
        let keys = banks.into_iter().map(|bank| Ok((bank, self.draw_presence_key(bank)?)));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                for (bank, sealed) in &keys {
                    // Another kiosk may have asked at the same moment: the first key stays.
                    if !presence::has_key(tx.conn, *bank)? {
                        presence::replace_key(tx.conn, *bank, sealed, tx.now_ms())?;
                        audit(tx, None, *bank, "bank.presence_key", &json!({}))?;
                    }
                }
                tx.apply(&Change::Site);
                Ok(())
            })
            .await
    }

    /// Gives a bank a new presence key: every code shown until now is worth nothing.
    pub async fn rotate_presence_key(&self, caller: Caller, bank: BankId) -> Result<(), Error> {
        demand_admin(caller)?;
        self.demand_bank(bank)?;
        let sealed = self.draw_presence_key(bank)?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                presence::replace_key(tx.conn, bank, &sealed, tx.now_ms())?;
                audit(tx, Some(caller.member_id), bank, "bank.presence_key", &json!({}))?;
                tx.apply(&Change::Site);
                Ok(())
            })
            .await?;
        self.presence.forget(bank);
        Ok(())
    }

    /// Says from where renters may open a bank.
    pub async fn set_open_from(
        &self,
        caller: Caller,
        bank: BankId,
        from: OpenFrom,
    ) -> Result<(), Error> {
        demand_admin(caller)?;
        self.demand_bank(bank)?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                banks::update_open_from(tx.conn, bank, from)?;
                let detail = json!({ "open_from": from });
                audit(tx, Some(caller.member_id), bank, "bank.opening", &detail)?;
                tx.apply(&Change::Site);
                Ok(())
            })
            .await
    }

    /// What proves that a renter may open here and now; nothing for those who need no proof or
    /// stand at a kiosk of the bank.
    pub(super) fn prove_presence(
        &self,
        caller: Caller,
        bank: &Bank,
        code: Option<&str>,
    ) -> Result<Option<PresenceUse>, Error> {
        if self.at_kiosk_of(caller, bank.id)? {
            return Ok(None);
        }
        let weak =
            caller.method == Method::Roster && self.settings.roster_login != RosterLogin::Full;
        let here_only = bank.policy.open_from == OpenFrom::Presence;
        if !weak && !here_only {
            return Ok(None);
        }
        let Some(code) = code else {
            return Err(if here_only {
                let detail = "this bank opens only to people who stand before it: type the code \
                              that the screen beside it shows, or sign in there";
                Error::new(Code::PresenceNeeded, detail).with("bank_id", bank.id.0)
            } else {
                let detail = "log in with your password to open a locker, or type the code that \
                              the screen beside it shows";
                Error::new(Code::PasswordNeeded, detail).with("bank_id", bank.id.0)
            });
        };
        let member = caller.member_id;
        if !self.presence.bears(member, self.clock.monotonic()) {
            return Err(Error::new(Code::TooManyAttempts, "too many wrong codes: wait")
                .retry_after_ms(WRONG_WINDOW_MS));
        }
        let step =
            self.presence_secret(bank.id).and_then(|secret| secret.step_of(code, self.clock.now()));
        let step = step.ok_or_else(|| {
            let detail = "the code is wrong or too old: type the one that the screen shows now";
            Error::new(Code::PresenceWrong, detail).with("bank_id", bank.id.0)
        })?;
        let it = PresenceUse { bank: bank.id, member, step };
        if self.presence.is_used(it) { Err(presence_used(&self.clock)) } else { Ok(Some(it)) }
    }

    /// Notes a use that the database has taken.
    pub(super) fn note_presence(&self, it: Option<PresenceUse>) {
        if let Some(it) = it {
            self.presence.claim(it);
        }
    }

    /// Notes a use that the database cannot take; refused when there was one.
    pub(super) fn claim_presence(&self, it: Option<PresenceUse>) -> Result<(), Error> {
        match it {
            Some(it) if !self.presence.claim(it) => Err(presence_used(&self.clock)),
            _ => Ok(()),
        }
    }

    /// Counts a wrong code; gives the refusal with what is left.
    pub(super) async fn count_wrong_presence(&self, caller: Caller, refusal: Error) -> Error {
        let (member, rules) = (caller.member_id, self.settings.limits);
        let limits = presence_limits(member);
        let counted = self
            .store
            .write::<_, Error, _>(Lane::Opening, move |tx| {
                limits::check(tx, &limits)?;
                limits::fail(tx, &rules, &limits)?;
                Ok(throttle::find(tx.conn, limits[0].0, &limits[0].1)?.map(|tally| tally.count))
            })
            .await;
        match counted {
            Ok(count) => {
                let left = FAILURES_MAX.saturating_sub(count.unwrap_or_default());
                refusal.with("tries_left", left)
            }
            Err(held) if held.code == Code::TooManyAttempts => held,
            Err(_) => {
                self.presence.count_wrong(member, self.clock.monotonic());
                refusal
            }
        }
    }

    fn presence_secret(&self, bank: BankId) -> Option<Secret> {
        let snapshot = self.store.snapshot();
        let sealed = snapshot.site.presence_keys.get(&bank)?;
        let plain = self.vault.open(&purpose(bank), sealed);
        if plain.is_none() {
            tracing::error!(area = "store", bank.id = %bank, "a presence key cannot be unsealed");
        }
        Secret::from_slice(&plain?)
    }

    fn draw_presence_key(&self, bank: BankId) -> Result<Vec<u8>, Error> {
        let secret = Secret::new(secrets::draw()?);
        self.vault.seal(&purpose(bank), secret.bytes())
    }

    fn demand_bank(&self, bank: BankId) -> Result<(), Error> {
        if self.store.snapshot().site.banks.contains_key(&bank) {
            return Ok(());
        }
        Err(Error::new(Code::BankNotFound, format!("there is no bank {bank}")))
    }
}

/// Takes a right code in the transaction of the opening's intent; false when it was used before.
pub(super) fn use_presence(tx: &Tx<'_>, it: PresenceUse) -> Result<bool, Error> {
    let limits = presence_limits(it.member);
    limits::check(tx, &limits)?;
    if !presence::upsert_use(tx.conn, it.bank, it.member, it.step)? {
        return Ok(false);
    }
    limits::succeed(tx, &limits)?;
    Ok(true)
}

/// Refuses whoever missed the code too often, for what a right code allows without being used up.
pub(super) fn demand_few_misses(tx: &Tx<'_>, it: PresenceUse) -> Result<(), Error> {
    limits::check(tx, &presence_limits(it.member))
}

/// The refusal of a code that the member used.
pub(super) fn presence_used(clock: &Clock) -> Error {
    let now = clock.now();
    let wait_ms = next_step_ms(now) - now.as_millisecond();
    Error::new(Code::PresenceUsed, "you have used this code: wait for the next one")
        .retry_after_ms(u64::try_from(wait_ms).unwrap_or(0))
}

fn presence_limits(member: MemberId) -> [Limit; 1] {
    [(LimitKind::Presence, Subject::member(member))]
}

fn purpose(bank: BankId) -> String {
    format!("presence:{bank}")
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    bank: BankId,
    action: &'static str,
    detail: &Value,
) -> Result<(), Error> {
    let (subject, detail) = (format!("bank:{bank}"), detail.to_string());
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::totp::step_at;

    fn step(member: i64, step: i64) -> PresenceUse {
        PresenceUse { bank: BankId(1), member: MemberId(member), step }
    }

    #[test]
    fn memory_takes_each_step_of_a_member_once() {
        let guard = PresenceGuard::default();
        assert!(guard.claim(step(1, 5)) && !guard.claim(step(1, 5)) && !guard.claim(step(1, 4)));
        assert!(guard.claim(step(2, 5)) && guard.claim(step(1, 6)));
        assert!(guard.is_used(step(1, 6)) && !guard.is_used(step(1, 7)));
        guard.forget(BankId(1));
        assert!(guard.claim(step(1, 6)), "the key is another one");
    }

    #[test]
    fn a_full_memory_drops_what_is_too_old_to_come_back() {
        let guard = PresenceGuard::default();
        for member in 0..i64::try_from(USES_MAX).expect("small") {
            assert!(guard.claim(step(member, 10)));
        }
        assert!(guard.claim(step(-1, 12)), "nobody is kept out");
        assert!(!guard.is_used(step(-1, 12)), "there was no room: step 10 may still come back");
        assert!(guard.claim(step(-1, 13)) && guard.is_used(step(-1, 13)));
        assert!(!guard.is_used(step(1, 10)));
    }

    #[test]
    fn wrong_codes_are_borne_up_to_a_number_within_a_window() {
        let (guard, member) = (PresenceGuard::default(), MemberId(1));
        for _ in 0..WRONG_MAX {
            assert!(guard.bears(member, Monotonic(1)));
            guard.count_wrong(member, Monotonic(1));
        }
        assert!(!guard.bears(member, Monotonic(WRONG_WINDOW_MS)));
        assert!(guard.bears(MemberId(2), Monotonic(1)));
        assert!(guard.bears(member, Monotonic(WRONG_WINDOW_MS + 1)));
        guard.count_wrong(member, Monotonic(WRONG_WINDOW_MS + 1));
        assert!(guard.bears(member, Monotonic(WRONG_WINDOW_MS + 2)), "a new window");
    }

    #[test]
    fn the_window_is_as_wide_as_memory_thinks() {
        let now = jiff::Timestamp::from_second(3_000).expect("in range");
        let secret = Secret::new([3; 20]);
        let oldest =
            secret.step_of(&secret.code_at(now), now + jiff::SignedDuration::from_secs(59));
        assert_eq!(oldest, Some(step_at(now)));
    }
}
