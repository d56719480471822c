//! The daily mail to admins: what happened yesterday, what waits, and the signed head of the audit
//! chain. It leaves the house with the mail, so that whoever keeps it can prove later that no row
//! before it was changed.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{Mail, post};
use crate::service::Services;
use crate::service::error::Error;
use crate::store::outbox::{self, Recipient};
use crate::store::{Lane, StoreError, counts, members};

/// How many days counts are kept.
const COUNTS_DAYS: i32 = 400;

impl Services {
    /// Writes the daily mail when its time has come and it is not written yet; says how many people
    /// get it. After some days off there is one mail, not one for each day.
    pub async fn write_daily_mail(&self) -> Result<usize, Error> {
        let now = self.clock.now().to_zoned(self.clock.zone().clone());
        let today = now.date();
        if !self.mail_on() || now.time() < self.settings.daily_mail_at {
            return Ok(0);
        }
        if self.store.read(move |conn| counts::has_daily_mail(conn, today)).await? {
            return Ok(0);
        }
        let told = self.tell_of_day(today).await?;
        let vault = self.vault.clone();
        let key = self.audit_key.clone();
        self.store
            .write(Lane::Housekeeping, move |tx| {
                if !counts::insert_daily_mail(tx.conn, today, tx.now_ms())? {
                    return Ok(0);
                }
                let kept_from = today.checked_sub(COUNTS_DAYS.days()).unwrap_or(today);
                counts::delete_before(tx.conn, kept_from)?;
                let head = tx.audit_head();
                let mut payload = told.clone();
                payload["audit_rows"] = head.rows.into();
                payload["audit_head"] = key.sign(&head).into();
                let mut people = 0;
                for admin in members::list_admins(tx.conn)? {
                    let member = members::find_by_id(tx.conn, admin)?;
                    if member.is_none_or(|member| member.email.is_none()) {
                        continue;
                    }
                    let (to, payload) = (Recipient::Member(admin), payload.clone());
                    post(tx, &vault, &Mail { kind: "daily", to, payload, secret: None })?;
                    people += 1;
                }
                Ok::<_, Error>(people)
            })
            .await
    }

    /// What is told of the day before `today`, and of now.
    async fn tell_of_day(&self, today: Date) -> Result<Value, Error> {
        let yesterday = today.yesterday().unwrap_or(today);
        let (from_ms, to_ms) = (self.start_of(yesterday), self.start_of(today));
        let told = self
            .store
            .read(move |conn| {
                let (openings, failed) = counts::openings(conn, from_ms, to_ms)?;
                let pruned: Vec<Value> = counts::list_pruned(conn, from_ms, to_ms)?
                    .into_iter()
                    .map(|(what, rows)| json!({ "what": what, "rows": rows }))
                    .collect();
                Ok::<_, StoreError>(json!({
                    "day": today.to_string(),
                    "yesterday": yesterday.to_string(),
                    "openings": openings,
                    "openings_failed": failed,
                    "refused_log_ins": counts::find(conn, yesterday, counts::LOG_IN_REFUSED)?,
                    "alarms": counts::alarms_waiting(conn)?,
                    "dead_mails": outbox::count_dead(conn)?,
                    "pruned": pruned,
                }))
            })
            .await?;
        Ok(told)
    }

    /// When a day of the site's calendar begins, unix milliseconds.
    fn start_of(&self, day: Date) -> i64 {
        let start = day.to_zoned(self.clock.zone().clone());
        start.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp()).as_millisecond()
    }
}
