//! What is known of kiosks in memory: who is signed in, and when each was heard of.
//!
//! A sign-in lives here and nowhere else: one that is not in the table, or was not used for a
//! while, is over whatever its token says. So after a restart all of them are. Both maps have at
//! most one entry for each kiosk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::id::{KioskId, MemberId, SessionId};
use crate::domain::time::Monotonic;
use crate::service::KioskSettings;
use crate::store::kiosks::Seen;

/// Longest address or version kept of a kiosk, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// A member at a kiosk.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    pub(super) session_id: SessionId,
    pub(super) member_id: MemberId,
    pub(super) student_id: String,
    pub(super) name: String,
    pub(super) since: Timestamp,
    /// When it began and when it was used last.
    pub(super) begun: Monotonic,
    pub(super) used: Monotonic,
}

impl SignIn {
    /// Why it is over, if it is; a reason that the schema knows.
    fn over(&self, now: Monotonic, limits: &KioskSettings) -> Option<&'static str> {
        let ms = |limit: SignedDuration| u64::try_from(limit.as_millis()).unwrap_or(0);
        if self.begun.ms_until(now) >= ms(limits.session) {
            Some("expired")
        } else if self.used.ms_until(now) >= ms(limits.idle) {
            Some("idle")
        } else {
            None
        }
    }
}

/// Sign-ins and signs of life.
#[derive(Default)]
pub struct KioskTable(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    sign_ins: HashMap<KioskId, SignIn>,
    /// The last sign of life, and whether it was written down.
    seen: HashMap<KioskId, (Seen, bool)>,
}

impl KioskTable {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn begin(&self, kiosk: KioskId, sign_in: SignIn) {
        self.with(|inner| {
            // Of two at once the later one counts, whichever comes here first.
            let newer = |known: &SignIn| known.session_id.0 > sign_in.session_id.0;
            if !inner.sign_ins.get(&kiosk).is_some_and(newer) {
                inner.sign_ins.insert(kiosk, sign_in);
            }
        });
    }

    /// The kiosk of a live sign-in, which is used now; `None` when it is over.
    pub(super) fn touch(
        &self,
        session: SessionId,
        now: Monotonic,
        limits: &KioskSettings,
    ) -> Option<KioskId> {
        self.with(|inner| {
            let (kiosk, sign_in) =
                inner.sign_ins.iter_mut().find(|(_, it)| it.session_id == session)?;
            if sign_in.over(now, limits).is_some() {
                return None;
            }
            sign_in.used = now;
            Some(*kiosk)
        })
    }

    /// The kiosk of a sign-in.
    pub(in crate::service) fn kiosk_of(&self, session: SessionId) -> Option<KioskId> {
        self.with(|inner| {
            let found = inner.sign_ins.iter().find(|(_, it)| it.session_id == session);
            found.map(|(kiosk, _)| *kiosk)
        })
    }

    /// Who is signed in at a kiosk.
    pub(super) fn signed_in(
        &self,
        kiosk: KioskId,
        now: Monotonic,
        limits: &KioskSettings,
    ) -> Option<SignIn> {
        self.with(|inner| inner.sign_ins.get(&kiosk).cloned())
            .filter(|it| it.over(now, limits).is_none())
    }

    /// Sign-ins that are over, with why.
    pub(super) fn all_over(
        &self,
        now: Monotonic,
        limits: &KioskSettings,
    ) -> Vec<(SessionId, &'static str)> {
        self.with(|inner| {
            let all = inner.sign_ins.values();
            all.filter_map(|it| Some((it.session_id, it.over(now, limits)?))).collect()
        })
    }

    pub(super) fn end(&self, session: SessionId) {
        self.with(|inner| inner.sign_ins.retain(|_, it| it.session_id != session));
    }

    /// Forgets a kiosk with whoever is signed in there.
    pub(super) fn forget(&self, kiosk: KioskId) {
        self.with(|inner| {
            inner.sign_ins.remove(&kiosk);
            inner.seen.remove(&kiosk);
        });
    }

    /// Notes a sign of life.
    pub(super) fn hear(&self, kiosk: KioskId, at_ms: i64, address: &str, version: Option<&str>) {
        let short = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect::<String>();
        self.with(|inner| {
            let known = inner.seen.remove(&kiosk).and_then(|(seen, _)| seen.version);
            let version = version.map(short).or(known);
            inner.seen.insert(kiosk, (Seen { at_ms, address: short(address), version }, false));
        });
    }

    /// The last sign of life of this run of the program.
    pub(super) fn seen(&self, kiosk: KioskId) -> Option<Seen> {
        self.with(|inner| inner.seen.get(&kiosk).map(|(seen, _)| seen.clone()))
    }

    /// Signs of life that were not taken before.
    pub(super) fn take_news(&self) -> Vec<(KioskId, Seen)> {
        self.with(|inner| {
            let news = inner.seen.iter_mut().filter(|(_, (_, written))| !written);
            news.map(|(id, (seen, written))| {
                *written = true;
                (*id, seen.clone())
            })
            .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: KioskSettings = KioskSettings {
        idle: SignedDuration::from_secs(10),
        session: SignedDuration::from_secs(25),
        silent: SignedDuration::from_secs(60),
    };

    fn sign_in(session: i64, at: u64) -> SignIn {
        SignIn {
            session_id: SessionId(session),
            member_id: MemberId(1),
            student_id: String::new(),
            name: String::new(),
            since: Timestamp::UNIX_EPOCH,
            begun: Monotonic(at),
            used: Monotonic(at),
        }
    }

    #[test]
    fn a_sign_in_ends_when_it_is_not_used_and_at_last_in_any_case() {
        let (table, kiosk) = (KioskTable::default(), KioskId(1));
        let touch = |ms| table.touch(SessionId(7), Monotonic(ms), &LIMITS);
        assert_eq!(touch(0), None);
        table.begin(kiosk, sign_in(7, 0));
        assert_eq!(touch(9_999), Some(kiosk));
        assert_eq!(touch(19_998), Some(kiosk));
        assert!(table.all_over(Monotonic(24_999), &LIMITS).is_empty());
        assert_eq!(table.all_over(Monotonic(25_000), &LIMITS), [(SessionId(7), "expired")]);
        assert_eq!(touch(25_000), None, "it was used, but it has had its time");
        table.begin(kiosk, sign_in(8, 0));
        assert_eq!(touch(1), None, "somebody else stands there now");
        assert_eq!(table.all_over(Monotonic(10_000), &LIMITS), [(SessionId(8), "idle")]);
        table.end(SessionId(8));
        assert_eq!(table.kiosk_of(SessionId(8)), None);
    }

    #[test]
    fn a_sign_of_life_is_written_down_once_and_keeps_the_version() {
        let (table, kiosk) = (KioskTable::default(), KioskId(1));
        table.hear(kiosk, 1, "10.0.0.9", Some("1.0"));
        table.hear(kiosk, 2, "10.0.0.9", None);
        let seen = Seen { at_ms: 2, address: "10.0.0.9".into(), version: Some("1.0".into()) };
        assert_eq!(table.take_news(), [(kiosk, seen.clone())]);
        assert!(table.take_news().is_empty());
        assert_eq!(table.seen(kiosk), Some(seen));
        table.hear(kiosk, 3, "10.0.0.9", None);
        assert_eq!(table.take_news().len(), 1);
    }
}
