//! Closing an account for good: by its owner, by an admin, and by retention.
//!
//! Everything personal is blanked at once; rentals, openings and the audit log keep the member's
//! number, which names nobody any more. Who holds or rents a locker must give it back first, and what
//! staff collected must be fetched; nobody sheds a penalty by leaving; reservations are given up.

use serde_json::json;

use super::change::demand_reason;
use super::{Actor, audit, demand_other_admin, managed, member_not_found};
use crate::domain::id::MemberId;
use crate::domain::rental::{Rental, RentalState};
use crate::service::Services;
use crate::service::accounts::RosterLogin;
use crate::service::error::{Code, Error};
use crate::service::mails::{Mail, post};
use crate::service::penalties::demand_penalty_over;
use crate::service::pool;
use crate::service::rentals::expire;
use crate::service::secrets::Vault;
use crate::service::sessions::{Device, end_sessions_of};
use crate::service::tokens::{Caller, Method};
use crate::service::waiting;
use crate::store::members::{self, MemberRow, privacy};
use crate::store::outbox::Recipient;
use crate::store::{Change, Lane, Tx, overdue};

impl Services {
    /// Deletes the caller's own account. Whoever has a password types it again; the others have
    /// just logged in.
    pub async fn delete_own_account(
        &self,
        caller: Caller,
        password: Option<String>,
        device: &Device,
    ) -> Result<(), Error> {
        if caller.method == Method::Kiosk {
            return Err(super::not_at_kiosk());
        }
        if caller.method == Method::Roster && self.settings.roster_login != RosterLogin::Full {
            let detail = "log in with your password to delete your account";
            return Err(Error::new(Code::PasswordNeeded, detail));
        }
        let id = caller.member_id;
        let row = self.store.read(move |conn| members::find_by_id(conn, id)).await?;
        let row = row.ok_or_else(|| member_not_found(id))?;
        if row.password_hash.is_some() {
            let Some(password) = password else {
                let detail = "send your password as well: deleting an account cannot be undone";
                return Err(Error::new(Code::BadCredentials, detail));
            };
            let ticket = self.passwords.enter()?;
            self.prove_again(caller, password, &ticket, &device.address).await?;
        } else if !self.has_shown(caller).await? {
            let detail = "log in again and delete the account within 10 minutes";
            return Err(Error::new(Code::SessionEnded, detail));
        }
        let (vault, clock) = (self.vault.clone(), self.clock.clone());
        self.store
            .write(Lane::Change, move |tx| {
                let row = members::find_by_id(tx.conn, id)?.ok_or_else(|| member_not_found(id))?;
                demand_nothing_left(tx, id)?;
                demand_penalty_over(tx.snapshot(), id, clock.today())?;
                blank(tx, &vault, Some(id), &row, None)
            })
            .await
    }

    /// Deletes somebody's account, for a reason that stays in the audit log.
    pub async fn delete_member(
        &self,
        actor: Actor,
        id: MemberId,
        reason: String,
    ) -> Result<(), Error> {
        actor.demand_admin()?;
        demand_reason(&reason)?;
        let vault = self.vault.clone();
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                delete(tx, &vault, actor.id(), &row, Some(reason.trim()))
            })
            .await
    }
}

/// Blanks a live account; a refusal while it has a locker, and of the last admin.
pub(in crate::service) fn delete(
    tx: &mut Tx<'_>,
    vault: &Vault,
    by: Option<MemberId>,
    row: &MemberRow,
    reason: Option<&str>,
) -> Result<(), Error> {
    demand_nothing_left(tx, row.id)?;
    blank(tx, vault, by, row, reason)
}

/// Blanks a live account that has nothing in a locker or with staff; a refusal of the last admin.
fn blank(
    tx: &mut Tx<'_>,
    vault: &Vault,
    by: Option<MemberId>,
    row: &MemberRow,
    reason: Option<&str>,
) -> Result<(), Error> {
    demand_other_admin(tx, row)?;
    waiting::end_all_of(tx, row.id)?;
    pool::end_all_of(tx, row.id, by)?;
    end_sessions_of(tx, row.id, "account_changed", None)?;
    privacy::anonymise(tx.conn, row.id, tx.now_ms())?;
    if let Some(email) = &row.email {
        let mail = Mail {
            kind: "account_deleted",
            // The account has no address any more.
            to: Recipient::Address(email, &row.language),
            payload: json!({ "name": row.name }),
            secret: None,
        };
        post(tx, vault, &mail)?;
    }
    audit(tx, by, "member.delete", row.id, &json!({ "reason": reason }))?;
    // They may have looked after banks, or been leaving.
    tx.apply(&Change::Site);
    Ok(())
}

/// Refuses whoever has a locker, or things that staff keep.
fn demand_nothing_left(tx: &mut Tx<'_>, id: MemberId) -> Result<(), Error> {
    demand_nothing_rented(tx, id)?;
    if overdue::has_kept_things(tx.conn, id)? {
        let detail = "staff keep what they collected from a locker: it must be handed back first";
        return Err(Error::new(Code::StillRenting, detail));
    }
    Ok(())
}

fn demand_nothing_rented(tx: &mut Tx<'_>, id: MemberId) -> Result<(), Error> {
    let (now, mine) = (tx.monotonic, tx.snapshot().of_member(id));
    let mine: Vec<Rental> = mine.copied().collect();
    for rental in mine {
        if rental.is_expired_hold(now) {
            expire(tx, &rental)?;
            continue;
        }
        let locker = rental.locker_id;
        let detail = match rental.state {
            RentalState::Held { .. } => format!("locker {locker} is held: give the hold up first"),
            RentalState::Returned(_) => {
                format!(
                    "locker {locker} was returned, but others cannot have it yet: wait for that"
                )
            }
            _ => format!("locker {locker} is rented: it must be emptied and returned first"),
        };
        return Err(Error::new(Code::StillRenting, detail).with("locker_id", locker.0));
    }
    Ok(())
}
