//! Penalties: whoever returned a locker late claims none for some days.
//!
//! A penalty is made where an overdue case learns how late its locker was emptied (`overdue.rs`), and
//! taken back by staff with a reason. Claims ask [`demand_no_penalty`], first of the snapshot and
//! again inside their job; what was held before may still be confirmed.

use jiff::ToSpan;
use jiff::civil::Date;

use super::error::{Code, Error};
use crate::domain::id::MemberId;
use crate::store::Snapshot;

/// Whoever returned a locker late claims nothing until the last day of the penalty is over.
pub(super) fn demand_no_penalty(
    snapshot: &Snapshot,
    member: MemberId,
    today: Date,
) -> Result<(), Error> {
    let Some(until) = snapshot.penalty_until(member).filter(|until| today <= *until) else {
        return Ok(());
    };
    let from = until.saturating_add(1.day());
    let detail = format!("you returned a locker late: you can have one again from {from} on");
    Err(Error::new(Code::Penalty, detail).with("until", until.to_string()))
}
