//! What staff do about a case: seal, unseal, collect, hand back, let it be.
//!
//! Whoever leaves the usual way says why, and the reason stays in the history. Collecting is the word
//! of staff that the locker is empty: it wants an opening by staff since the case is there, no opening
//! under way and a closed door; a reason stands for the first and the last.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{drop_case, returned_on, seal, take, unseal};
use crate::domain::channel::DoorState;
use crate::domain::id::{MemberId, OverdueCaseId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::overdue_case::{
    CaseState, CaseStep, ITEM_CHARS_MAX, ITEMS_MAX, PLACE_CHARS_MAX, Transition, late_days,
    parse_line,
};
use crate::domain::rental::{EndReason, Rental};
use crate::service::clock::clock_untrusted;
use crate::service::commissioning::demand_staff;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey, once};
use crate::service::rentals::refuse;
use crate::service::tokens::Caller;
use crate::service::{Services, is_staff_for, penalties};
use crate::store::overdue::{self, CaseRow, Item};
use crate::store::{Change, Lane, Tx, rentals};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The renter may not open any more.
    Seal,
    /// The renter may open again.
    Unseal,
    /// The locker was emptied.
    Collect {
        /// What was found; 1 to 50.
        items: Vec<Item>,
        /// Where it is kept.
        storage: String,
    },
    /// The things were fetched.
    HandBack {
        /// By whom.
        to: String,
    },
    /// Nothing more is to be done.
    Drop,
}

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub act: Act,
    /// Why; needed where the usual way is left.
    pub reason: Option<String>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTaken {
    /// Of which case.
    pub case_id: OverdueCaseId,
    /// Where it stands now.
    pub state: CaseState,
    /// The last day of the penalty that it led to.
    pub penalty_until: Option<jiff::civil::Date>,
}

impl Act {
    const fn step(&self) -> CaseStep {
        match self {
            Self::Seal => CaseStep::Seal,
            Self::Unseal => CaseStep::Unseal,
            Self::Collect { .. } => CaseStep::Collect,
            Self::HandBack { .. } => CaseStep::HandBack,
            Self::Drop => CaseStep::Drop,
        }
    }

    /// Checks what was written down.
    fn validated(self) -> Result<Self, String> {
        match self {
            Self::Collect { items, storage } => {
                if !(1..=ITEMS_MAX).contains(&items.len()) {
                    return Err(format!(
                        "items must be 1 to {ITEMS_MAX} things: name at least one"
                    ));
                }
                let one = |Item { description, photo }| {
                    let line = |text: String, what| parse_line(&text, what, ITEM_CHARS_MAX);
                    let photo = photo.map(|text| line(text, "photo")).transpose()?;
                    Ok::<_, String>(Item { description: line(description, "description")?, photo })
                };
                let items = items.into_iter().map(one).collect::<Result<_, _>>()?;
                let storage = parse_line(&storage, "storage", PLACE_CHARS_MAX)?;
                Ok(Self::Collect { items, storage })
            }
            Self::HandBack { to } => {
                Ok(Self::HandBack { to: parse_line(&to, "to", PLACE_CHARS_MAX)? })
            }
            plain => Ok(plain),
        }
    }
}

impl Wish {
    fn validated(self) -> Result<Self, Error> {
        let given = |text: String| parse_reason(&text);
        let reason = self.reason.map(given).transpose();
        let checked = || Ok(Self { act: self.act.validated()?, reason: reason? });
        checked().map_err(|text: String| Error::new(Code::Invalid, text))
    }
}

impl Services {
    /// Takes a step of a case, for staff of its bank.
    pub async fn take_overdue_step(
        &self,
        caller: Caller,
        id: OverdueCaseId,
        wish: Wish,
        key: Option<RequestKey>,
    ) -> Result<Answer<StepTaken>, Error> {
        demand_staff(caller)?;
        let (wish, own) = (wish.validated()?, self.own()?);
        self.store
            .write(Lane::Change, move |tx| {
                let wish = wish.clone();
                once(tx, caller.member_id, wish.act.step().name(), key.as_ref(), |tx| {
                    step_job(tx, &own, caller, id, wish)
                })
            })
            .await
    }
}

pub(super) fn case_not_found(id: OverdueCaseId) -> Error {
    let detail = format!("there is no overdue case {id} of your banks");
    Error::new(Code::OverdueCaseNotFound, detail)
}

fn step_job(
    tx: &mut Tx<'_>,
    own: &Services,
    caller: Caller,
    id: OverdueCaseId,
    wish: Wish,
) -> Result<StepTaken, Error> {
    let Wish { act, reason } = wish;
    let (by, reason) = (caller.member_id, reason.as_deref());
    let is_theirs = |case: &CaseRow| is_staff_for(tx.snapshot(), caller, case.bank_id);
    let found = overdue::find(tx.conn, id)?.filter(is_theirs);
    let case = found.ok_or_else(|| case_not_found(id))?;
    let Some(taken) = case.state.after(act.step()) else {
        let (state, step) = (case.state.name(), act.step().name());
        let detail = format!("this case is {state}: {step} is no step from there");
        return Err(Error::new(Code::OverdueStep, detail).with("state", state));
    };
    if taken.needs_reason && reason.is_none() {
        return Err(reason_needed(taken));
    }
    let mut penalty_until = None;
    let case = match act {
        Act::Seal => {
            let rental = rental_of(tx, &case)?;
            seal(tx, case, &rental, taken, Some(by), reason)?
        }
        Act::Unseal => {
            unseal(tx, &case)?;
            let case = CaseRow { sealed_ms: None, unsealed_ms: Some(tx.now_ms()), ..case };
            take(tx, case, taken, Some(by), reason, json!({}))?
        }
        Act::Collect { items, storage } => {
            let found = Found { items, storage };
            let case = collect(tx, own, case, found, taken, (by, reason))?;
            penalty_until = tx.snapshot().penalty_until(case.member_id);
            case
        }
        Act::HandBack { to } => {
            let items = overdue::count_items(tx.conn, id)?;
            let now = Some(tx.now_ms());
            let told = json!({ "items": items, "handed_to": to });
            let case = CaseRow { handed_back_ms: now, handed_to: Some(to), closed_ms: now, ..case };
            take(tx, case, taken, Some(by), reason, told)?
        }
        Act::Drop => {
            unseal(tx, &case)?;
            let lifted = penalties::waive_of_case(tx, id, by, reason.unwrap_or_default())?;
            drop_case(tx, case, taken, Some(by), reason, lifted)?
        }
    };
    Ok(StepTaken { case_id: id, state: case.state, penalty_until })
}

/// What was in the locker, and where it is now.
struct Found {
    items: Vec<Item>,
    storage: String,
}

fn collect(
    tx: &mut Tx<'_>,
    own: &Services,
    case: CaseRow,
    found: Found,
    taken: Transition,
    (by, reason): (MemberId, Option<&str>),
) -> Result<CaseRow, Error> {
    if !own.clock_is_trusted() {
        return Err(clock_untrusted());
    }
    let rental = rental_of(tx, &case)?;
    demand_emptied(tx, own, &case, reason.is_some())?;
    let over = rental.collected().map_err(|error| refuse(error, case.locker_id))?;
    rentals::update_ended(tx.conn, rental.id, EndReason::Collected, tx.now_ms())?;
    tx.apply(&Change::Rental(over));
    let times = overdue::rental_times(tx.conn, case.rental_id)?;
    let returned_on = returned_on(tx, own, &case, &times);
    let case = CaseRow {
        collected_ms: Some(tx.now_ms()),
        storage: Some(found.storage),
        late_days: Some(late_days(case.ended_on, returned_on)),
        ..case
    };
    overdue::insert_items(tx.conn, case.id, &found.items)?;
    let until = penalties::impose(tx, &case, returned_on)?;
    let told = json!({
        "items": found.items.len(), "storage": case.storage, "penalty_until": until,
    });
    take(tx, case, taken, Some(by), reason, told)
}

/// Demands what speaks for an empty locker, as far as a reason does not stand for it.
fn demand_emptied(
    tx: &Tx<'_>,
    own: &Services,
    case: &CaseRow,
    explained: bool,
) -> Result<(), Error> {
    let Some((locker, _)) = tx.snapshot().site.locker(case.locker_id) else { return Ok(()) };
    let sight = own.sight(locker.id, locker.channel.as_ref());
    if sight.under_way {
        let detail = "this locker is being opened right now: collect what is inside afterwards";
        return Err(Error::new(Code::OpeningUnderWay, detail));
    }
    if explained || locker.channel.is_none() {
        return Ok(());
    }
    if !overdue::was_opened_by_staff(tx.conn, locker.id, case.detected_ms)? {
        let detail = "no opening by staff is on record since the rental ended: open the locker, or \
                      give a reason";
        return Err(Error::new(Code::NotOpened, detail));
    }
    if sight.door.is_some_and(|door| door.state == DoorState::Open) {
        let detail = "the door stands open: close it, or give a reason";
        return Err(Error::new(Code::DoorOpen, detail));
    }
    Ok(())
}

/// The live rental of a case.
fn rental_of(tx: &Tx<'_>, case: &CaseRow) -> Result<Rental, Error> {
    tx.snapshot().rental(case.rental_id).copied().ok_or_else(|| {
        let detail = "the rental has ended: the case is closed within a minute";
        Error::new(Code::OverdueStep, detail).with("state", case.state.name())
    })
}

fn reason_needed(taken: Transition) -> Error {
    let (step, state) = (taken.step.name(), taken.from.name());
    Error::new(Code::Invalid, format!("reason: {step} from {state} leaves the usual way: say why"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(description: &str, photo: Option<&str>) -> Item {
        Item { description: description.to_owned(), photo: photo.map(str::to_owned) }
    }

    #[test]
    fn what_is_written_down_has_its_bounds() {
        let collect = |items: Vec<Item>, storage: &str| {
            let act = Act::Collect { items, storage: storage.to_owned() };
            Wish { act, reason: None }.validated()
        };
        let whole = collect(vec![item(" 파란 가방 ", Some("p1.jpg"))], " 2층 ").expect("valid");
        let found = Act::Collect {
            items: vec![item("파란 가방", Some("p1.jpg"))],
            storage: "2층".to_owned(),
        };
        assert_eq!(whole.act, found);
        let long = "가".repeat(ITEM_CHARS_MAX + 1);
        for (items, storage, says) in [
            (vec![], "x", "items must be"),
            (vec![item("x", None); ITEMS_MAX + 1], "x", "items must be"),
            (vec![item(" ", None)], "x", "description must be"),
            (vec![item(&long, None)], "x", "description must be"),
            (vec![item("x", Some(&long))], "x", "photo must be"),
            (vec![item("x", None)], "", "storage must be"),
        ] {
            let error = collect(items, storage).expect_err(says);
            assert!(error.detail.starts_with(says), "{error}");
        }
        let hand = Wish { act: Act::HandBack { to: "\n".to_owned() }, reason: None };
        assert!(hand.validated().expect_err("nobody").detail.starts_with("to must be"));
        let reason = Some(" ".to_owned());
        assert!(Wish { act: Act::Drop, reason }.validated().is_err(), "an empty reason is none");
    }
}
