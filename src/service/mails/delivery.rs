//! Carrying mails out: one task, one mail after the other, each marked before the next is tried.
//!
//! At least once: a mail is marked as sent after the server took it, so a crash between the two sends
//! it again with the same Message-ID. A failing server costs nobody else anything: mails wait in the
//! outbox, longer after each attempt, until they are given up. While the database refuses changes
//! nothing is sent, for it could not be marked; what was sent when it began to fail is remembered and
//! marked first. Codes are delivered only as long as they are good.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{place, purpose};
use crate::domain::id::{BankId, LockerId};
use crate::mail::{Connection, Failure, Letter};
use crate::service::Services;
use crate::service::error::Error;
use crate::service::secrets::draw;
use crate::store::outbox::{self, DueMessage};
use crate::store::{Lane, StoreError};

/// How often the outbox is looked at when no bell rings.
const PERIOD: Duration = Duration::from_secs(2);

/// Most mails of one look at the outbox.
const PAGE: u32 = 50;

/// Most mails of one run; what is left waits for the next.
const MAILS_MAX: usize = 2_000;

/// Most pages that one run drops on a site without mail.
const PAGES_MAX: usize = 40;

/// How long a mail waits after its n-th failed attempt, in seconds; the last one for all others.
const LADDER_S: [i64; 5] = [30, 120, 600, 3_600, 21_600];

/// How long a code waits at most: it is good for minutes.
const CODE_WAIT_S_MAX: i64 = 60;

/// Attempts after which a mail is given up; with the ladder, three days.
const ATTEMPTS_MAX: u32 = 16;

/// How long a mail is tried at least, however often a restart hurried it.
const TRIED_MS_MIN: i64 = 3 * 24 * 60 * 60 * 1000;

/// How long the server may be out of reach before the site counts as degraded.
const UNREACHABLE_MAX: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

const MAIL_OFF: &str = "this site sends no mail";

/// The delivery's own memory.
#[derive(Debug, Default)]
pub struct Delivering {
    /// Held by the one run there may be.
    run: tokio::sync::Mutex<Run>,
    known: Mutex<Known>,
}

/// What one run leaves to the next.
#[derive(Debug, Default)]
struct Run {
    /// Sent, but the database would not take note: number and when.
    unmarked: BTreeMap<i64, i64>,
}

/// What health shows without asking the database.
#[derive(Debug, Default, Clone)]
struct Known {
    due: i64,
    dead: i64,
    /// Since when the server could not be reached, and what was said last.
    unreachable: Option<(Timestamp, String)>,
}

/// How mails fare.
#[derive(Debug, Clone, Serialize)]
pub struct MailHealth {
    /// `off`, `ok`, or `unreachable` when the mail server could not be reached last time.
    pub status: &'static str,
    /// Mails that wait, as of the last look.
    pub due: i64,
    /// Mails that were given up and wait for people.
    pub dead: i64,
    /// Since when the server cannot be reached.
    pub since: Option<Timestamp>,
    /// What was said then.
    pub reason: Option<String>,
}

/// What becomes of a mail after an attempt.
#[derive(Debug)]
enum Fate {
    Sent,
    /// Later; whether the others would fare the same.
    PutOff(String, bool),
    Dead(String),
    Dropped(String),
}

impl Services {
    /// Carries mails out until `stop`: when one was posted, and every two seconds.
    pub async fn carry_mails(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whoever starts the program again may have mended what kept mails back.
        let mut hurry = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.store.posted().notified() => {}
                _ = ticks.tick() => {}
            }
            if hurry {
                match self.hurry_mails().await {
                    Ok(()) => hurry = false,
                    Err(error) => tracing::debug!(area = "mail", %error, "mails wait on"),
                }
            }
            if let Err(error) = self.deliver_mails().await {
                tracing::warn!(area = "mail", %error, "mails were not delivered, tried again");
            }
        }
    }

    /// Delivers what is due; says how many mails were sent. A second call meanwhile does nothing.
    pub async fn deliver_mails(&self) -> Result<usize, Error> {
        let Ok(mut run) = self.delivering.run.try_lock() else { return Ok(0) };
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        self.mark_unmarked(&mut run).await?;
        let sent = if self.mail_on() {
            self.deliver_due(&mut run).await?
        } else {
            self.drop_due().await?;
            0
        };
        self.count_mails().await?;
        Ok(sent)
    }

    /// How mails fare, as of the last run.
    #[must_use]
    pub fn mail_health(&self) -> MailHealth {
        let known = self.delivering.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (since, reason) = known.unreachable.unzip();
        let status = match (self.mail_on(), since) {
            (false, _) => "off",
            (true, None) => "ok",
            (true, Some(_)) => "unreachable",
        };
        MailHealth { status, due: known.due, dead: known.dead, since, reason }
    }

    /// Whether the mail server is out of reach for longer than a restart of it takes.
    pub(in crate::service) fn mail_fails(&self) -> bool {
        let now = self.clock.now();
        self.mail_health().since.is_some_and(|since| now.duration_since(since) > UNREACHABLE_MAX)
    }

    pub(super) async fn count_mails(&self) -> Result<(), Error> {
        let count = |conn: &_| Ok((outbox::count_due(conn)?, outbox::count_dead(conn)?));
        let (due, dead) = self.store.read(count).await?;
        self.know_of_mails(|known| (known.due, known.dead) = (due, dead));
        Ok(())
    }

    fn know_of_mails(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.delivering.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn hurry_mails(&self) -> Result<(), Error> {
        self.store
            .write(Lane::Housekeeping, |tx| {
                Ok::<_, Error>(outbox::update_hurried(tx.conn, tx.now_ms()).map(drop)?)
            })
            .await
    }

    /// A site without mail must not pile them up.
    async fn drop_due(&self) -> Result<(), Error> {
        for _ in 0..PAGES_MAX {
            let waiting = self.store.read(outbox::count_due).await?;
            if waiting == 0 {
                break;
            }
            self.store
                .write::<_, StoreError, _>(Lane::Housekeeping, |tx| {
                    outbox::update_all_dropped(tx.conn, tx.now_ms(), MAIL_OFF, PAGE)
                })
                .await?;
        }
        Ok(())
    }

    async fn deliver_due(&self, run: &mut Run) -> Result<usize, Error> {
        let mut connection = self.mailer.connection();
        let (mut sent, mut waiting) = (0, VecDeque::new());
        for _ in 0..MAILS_MAX {
            // What was posted meanwhile may be a code, which goes first: it is good for minutes.
            if waiting.is_empty() || self.store.posted().notified().now_or_never().is_some() {
                let now_ms = self.clock.now().as_millisecond();
                let list = move |conn: &_| outbox::list_due(conn, now_ms, PAGE);
                waiting = self.store.read(list).await?.into();
            }
            let Some(message) = waiting.pop_front() else { break };
            if self.stopping.is_cancelled() {
                break;
            }
            let fate = self.attempt_mail(&mut connection, &message).await;
            sent += usize::from(matches!(fate, Fate::Sent));
            let unreachable = matches!(fate, Fate::PutOff(_, true));
            self.note_reached(&fate).await;
            let others = if unreachable { waiting.drain(..).collect() } else { Vec::new() };
            self.settle_mail(run, message, fate, others).await?;
            if unreachable {
                break;
            }
        }
        connection.close().await;
        Ok(sent)
    }

    /// Notes whether the server could be reached. When it is back, nothing has to wait any longer.
    async fn note_reached(&self, fate: &Fate) {
        match fate {
            Fate::PutOff(text, true) => {
                let now = self.clock.now();
                self.know_of_mails(|known| {
                    let before = known.unreachable.take();
                    if before.is_none() {
                        tracing::warn!(area = "mail", text, "the mail server is out of reach");
                    }
                    let since = before.map_or(now, |(since, _)| since);
                    known.unreachable = Some((since, text.clone()));
                });
            }
            Fate::Sent => {
                let mut was_gone = false;
                self.know_of_mails(|known| was_gone = known.unreachable.take().is_some());
                if was_gone {
                    tracing::info!(area = "mail", "the mail server takes mails again");
                    if let Err(error) = self.hurry_mails().await {
                        tracing::debug!(area = "mail", %error, "mails wait on");
                    }
                }
            }
            Fate::PutOff(_, false) | Fate::Dead(_) | Fate::Dropped(_) => {}
        }
    }

    async fn attempt_mail(&self, connection: &mut Connection<'_>, message: &DueMessage) -> Fate {
        let letter = match self.write_letter(message) {
            Ok(letter) => letter,
            Err(fate) => return fate,
        };
        match connection.send(&letter).await {
            Ok(said) => {
                tracing::debug!(
                    area = "mail",
                    mail.id = message.id,
                    kind = message.kind,
                    said,
                    "sent"
                );
                Fate::Sent
            }
            Err(error) if error.failure == Failure::Permanent => Fate::Dead(error.text),
            Err(error) => Fate::PutOff(error.text, error.failure == Failure::Unreachable),
        }
    }

    fn write_letter(&self, message: &DueMessage) -> Result<Letter, Fate> {
        if message.member.as_ref().is_some_and(|member| member.left) {
            return Err(Fate::Dropped("the account is gone".to_owned()));
        }
        let Some(to) = message.address.clone() else {
            let text = "the account has no e-mail address".to_owned();
            // Somebody waits for a code; the rest is only good to know.
            let awaited = message.sealed.is_some();
            return Err(if awaited { Fate::Dead(text) } else { Fate::Dropped(text) });
        };
        let values = self.mail_values(message)?;
        if message.sealed.is_some() && self.is_mail_late(message, &values) {
            return Err(Fate::Dead("its code is not good any more".to_owned()));
        }
        let text = self
            .mailer
            .texts()
            .render(&message.kind, &message.language, &values)
            .map_err(Fate::Dead)?;
        Ok(Letter {
            to,
            subject: text.subject,
            text: text.text,
            html: text.html,
            message_id: message.message_id.clone(),
            date: Timestamp::from_millisecond(message.created_ms).unwrap_or_default(),
        })
    }

    /// What the text needs: the name of whom it is for, the payload, what was sealed, and the place.
    fn mail_values(&self, message: &DueMessage) -> Result<Map<String, Value>, Fate> {
        let unreadable = || Fate::Dead("what it says cannot be read".to_owned());
        let name = message.member.as_ref().map_or("", |member| member.name.as_str());
        let mut values = Map::from_iter([("name".to_owned(), name.into())]);
        let payload: Map<String, Value> =
            serde_json::from_str(&message.payload).map_err(|_| unreadable())?;
        values.extend(payload);
        if let Some(sealed) = &message.sealed {
            let opened =
                self.vault.open(&purpose(&message.message_id), sealed).ok_or_else(|| {
                    Fate::Dead("its code was sealed with another vault.key".to_owned())
                })?;
            let secret: Map<String, Value> =
                serde_json::from_slice(&opened).map_err(|_| unreadable())?;
            values.extend(secret);
        }
        self.add_place(&mut values);
        Ok(values)
    }

    /// Says where it is of what names a locker or a bank and was posted without that; nothing is known
    /// of one that is gone.
    fn add_place(&self, values: &mut Map<String, Value>) {
        let number = |key: &str| values.get(key).and_then(Value::as_i64);
        let names_one = values.contains_key("locker_id") || values.contains_key("bank_id");
        if !names_one || values.contains_key("bank") {
            return;
        }
        let snapshot = self.store.snapshot();
        let of_locker = || number("locker_id").and_then(|id| snapshot.site.bank_of(LockerId(id)));
        let bank = number("bank_id").map(BankId).or_else(of_locker);
        if let Value::Object(place) = place(&snapshot, bank) {
            values.extend(place);
        }
    }

    fn is_mail_late(&self, message: &DueMessage, values: &Map<String, Value>) -> bool {
        let minutes = values.get("minutes").and_then(Value::as_i64);
        let age_ms = self.clock.now().as_millisecond().saturating_sub(message.created_ms);
        minutes.is_some_and(|minutes| age_ms >= minutes.saturating_mul(60_000))
    }

    /// Writes down what became of a mail; `others` could not be tried for the same reason.
    async fn settle_mail(
        &self,
        run: &mut Run,
        message: DueMessage,
        fate: Fate,
        others: Vec<DueMessage>,
    ) -> Result<(), Error> {
        let id = message.id;
        match fate {
            Fate::Sent => {
                let now_ms = self.clock.now().as_millisecond();
                run.unmarked.insert(id, now_ms);
                self.mark_unmarked(run).await
            }
            Fate::Dead(text) => {
                // Not why: servers like to repeat the address.
                tracing::warn!(area = "mail", mail.id = id, kind = message.kind, "given up");
                self.store
                    .write(Lane::Housekeeping, move |tx| {
                        outbox::update_dead(tx.conn, id, tx.now_ms(), &text)?;
                        Ok::<_, Error>(())
                    })
                    .await
            }
            Fate::Dropped(text) => {
                self.store
                    .write(Lane::Housekeeping, move |tx| {
                        outbox::update_dropped(tx.conn, id, tx.now_ms(), &text)?;
                        Ok::<_, Error>(())
                    })
                    .await
            }
            Fate::PutOff(text, _) => {
                let failed = std::iter::once(message).chain(others).collect();
                self.put_mails_off(failed, text).await
            }
        }
    }

    async fn put_mails_off(&self, failed: Vec<DueMessage>, text: String) -> Result<(), Error> {
        let now_ms = self.clock.now().as_millisecond();
        let mut waits = Vec::with_capacity(failed.len());
        for message in &failed {
            let old = now_ms.saturating_sub(message.created_ms) >= TRIED_MS_MIN;
            let exhausted = message.attempts + 1 >= ATTEMPTS_MAX && old;
            waits.push((message.id, if exhausted { None } else { Some(wait_ms(message)?) }));
        }
        tracing::info!(area = "mail", mails = failed.len(), "put off");
        self.store
            .write(Lane::Housekeeping, move |tx| {
                for (id, wait_ms) in &waits {
                    match wait_ms {
                        Some(ms) => {
                            outbox::update_put_off(tx.conn, *id, tx.now_ms() + ms, &text)?;
                        }
                        None => {
                            outbox::update_dead(tx.conn, *id, tx.now_ms(), &text)?;
                        }
                    }
                }
                Ok::<_, Error>(())
            })
            .await
    }

    async fn mark_unmarked(&self, run: &mut Run) -> Result<(), Error> {
        if run.unmarked.is_empty() {
            return Ok(());
        }
        let sent = run.unmarked.clone();
        self.store
            .write(Lane::Housekeeping, move |tx| {
                for (id, sent_ms) in &sent {
                    outbox::update_sent(tx.conn, *id, *sent_ms)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        run.unmarked.clear();
        Ok(())
    }
}

/// How long a mail waits for its next attempt, in milliseconds: by the ladder, a fifth more or less,
/// so that what failed together does not come back together.
fn wait_ms(message: &DueMessage) -> Result<i64, Error> {
    let step = usize::try_from(message.attempts).unwrap_or(usize::MAX).min(LADDER_S.len() - 1);
    let most_s = if message.sealed.is_some() { CODE_WAIT_S_MAX } else { i64::MAX };
    let wait_ms = LADDER_S[step].min(most_s) * 1_000;
    let [chance] = draw::<1>()?;
    Ok(wait_ms * 4 / 5 + wait_ms * 2 / 5 * i64::from(chance) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attempts: u32, code: bool) -> DueMessage {
        DueMessage {
            id: 1,
            kind: "x".to_owned(),
            member: None,
            address: None,
            language: "ko".to_owned(),
            payload: "{}".to_owned(),
            sealed: code.then(Vec::new),
            message_id: "x".to_owned(),
            created_ms: 0,
            attempts,
        }
    }

    #[test]
    fn waits_grow_and_scatter_and_codes_wait_a_minute_at_most() {
        for (attempts, wait_s) in
            [(0, 30), (1, 120), (2, 600), (3, 3_600), (4, 21_600), (99, 21_600)]
        {
            let waits: Vec<i64> =
                (0..50).map(|_| wait_ms(&message(attempts, false)).expect("random")).collect();
            let range = wait_s * 800..=wait_s * 1_200;
            assert!(waits.iter().all(|wait| range.contains(wait)), "{attempts}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{attempts}: {waits:?}");
            assert!(wait_ms(&message(attempts, true)).expect("random") <= 72_000);
        }
        let whole: i64 = (0..ATTEMPTS_MAX)
            .map(|n| LADDER_S[usize::try_from(n).unwrap_or(0).min(LADDER_S.len() - 1)])
            .sum();
        assert!(whole >= TRIED_MS_MIN / 1_000 * 95 / 100, "{whole} s is not three days");
    }
}
