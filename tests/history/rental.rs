//! The sequential model: one locker seen over its members, or one member seen over their lockers.
//!
//! Both are the same machine, because a hold ties one of each together: `who` is the member where a
//! locker is looked at, and the locker where a member is. Time is not part of the state. That a hold
//! dies is an operation of its own, which happens somewhere between the earliest and the latest
//! moment at which the server can have put its deadline.

use std::fmt::{self, Display};

use super::checker::{Micros, Step};

/// What a locker or a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody's.
    Free,
    /// Held.
    Held(Hold),
    /// Held until a moment ago. Whoever looks sees nobody's; nothing has written it down yet.
    Lapsed(Hold),
    /// Rented.
    Rented(i64),
    /// Given back, and others wait until it was emptied: it may be nobody's at any moment, and its
    /// member may have another one at once.
    Returned,
}

/// One hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hold {
    /// Whose, or of what.
    pub who: i64,
    /// Which: a hold that is renewed by a restart is another one.
    pub token: usize,
    /// The latest moment of its deadline.
    pub until: Micros,
}

/// What an answer says of the state at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Nobody's.
    Free,
    /// Not to be had.
    NotFree,
    /// Held by somebody.
    Held,
    /// Rented by somebody, or not yet emptied.
    Rented,
    /// Held by this one.
    HeldBy(i64),
    /// Rented by this one.
    RentedBy(i64),
    /// Held or rented by this one.
    OfThis(i64),
    /// Somebody other than this one has it.
    OfAnother(i64),
    /// Neither held nor rented by this one.
    NotOfThis(i64),
    /// A hold of this one, alive or not.
    NoMoreThanHeldBy(i64),
}

/// What was done, with its answer.
#[derive(Debug, Clone)]
pub enum RentalStep {
    /// A hold was granted: a new one with its full time, or the one that there was.
    Hold {
        /// The hold if it is a new one.
        hold: Hold,
        /// Whether it may be new: it has its full time.
        full: bool,
    },
    /// A hold became a rental.
    Confirm(i64),
    /// A confirmation was refused because there is no hold; a dead one is written down by it.
    ConfirmDead(i64),
    /// A hold was given up.
    GiveUp(i64),
    /// A rental was given back.
    Return {
        /// By whom.
        who: i64,
        /// Whether others may have it at once.
        freed: bool,
    },
    /// One of these was asked for and never answered: it happened, or nothing did.
    Maybe(Vec<RentalStep>),
    /// This hold's time is up.
    Expire(usize),
    /// The program was started again: open holds have their full time again.
    Restart {
        /// Of the holds from then on.
        token: usize,
        /// The latest moment of their deadline.
        until: Micros,
    },
    /// An answer that changed nothing.
    Saw(View),
}

impl Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Held(hold) => write!(f, "held with {} (hold {})", hold.who, hold.token),
            Self::Lapsed(hold) => write!(f, "no more held with {} (hold {})", hold.who, hold.token),
            Self::Rented(who) => write!(f, "rented with {who}"),
            Self::Returned => f.write_str("given back"),
        }
    }
}

impl Display for RentalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold { hold, full: true } => {
                write!(f, "hold with {} granted (hold {})", hold.who, hold.token)
            }
            Self::Hold { hold, full: false } => write!(f, "hold with {} again", hold.who),
            Self::Confirm(who) => write!(f, "hold with {who} confirmed"),
            Self::ConfirmDead(who) => write!(f, "confirmation with {who} refused: no hold"),
            Self::GiveUp(who) => write!(f, "hold with {who} given up"),
            Self::Return { who, .. } => write!(f, "rental with {who} given back"),
            Self::Maybe(steps) => {
                f.write_str("cut off:")?;
                steps.iter().try_for_each(|step| write!(f, " {step};"))
            }
            Self::Expire(token) => write!(f, "the time of hold {token} is up"),
            Self::Restart { token, .. } => write!(f, "restart: a hold becomes hold {token}"),
            Self::Saw(view) => write!(f, "seen: {view:?}"),
        }
    }
}

impl View {
    fn fits(self, state: State) -> bool {
        let (held_by, rented_by, lapsed_of) = match state {
            State::Held(hold) => (Some(hold.who), None, None),
            State::Lapsed(hold) => (None, None, Some(hold.who)),
            State::Rented(who) => (None, Some(who), None),
            State::Free | State::Returned => (None, None, None),
        };
        let of = held_by.or(rented_by);
        let returned = state == State::Returned;
        match self {
            Self::Free => matches!(state, State::Free | State::Lapsed(_)),
            Self::NotFree => of.is_some() || returned,
            Self::Held => held_by.is_some(),
            Self::Rented => rented_by.is_some() || returned,
            Self::HeldBy(who) => held_by == Some(who),
            Self::RentedBy(who) => rented_by == Some(who),
            Self::OfThis(who) => of == Some(who) || returned,
            Self::OfAnother(who) => of.is_some_and(|it| it != who) || returned,
            Self::NotOfThis(who) => of != Some(who),
            Self::NoMoreThanHeldBy(who) => held_by == Some(who) || lapsed_of == Some(who),
        }
    }
}

impl RentalStep {
    fn after(&self, state: State, began: Micros) -> Vec<State> {
        // Whoever asked in time may be granted it a moment after a reader saw the hold dead: its
        // time is judged when the change begins, and the change is seen when it is on the disk.
        let alive_of = |who: i64| match state {
            State::Held(hold) => hold.who == who,
            State::Lapsed(hold) => hold.who == who && began <= hold.until,
            _ => false,
        };
        match self {
            Self::Hold { hold, full } => match state {
                State::Held(kept) if kept.who == hold.who => vec![state],
                State::Free | State::Lapsed(_) if *full => vec![State::Held(*hold)],
                _ => Vec::new(),
            },
            Self::Confirm(who) if alive_of(*who) => vec![State::Rented(*who)],
            Self::GiveUp(who) if alive_of(*who) => vec![State::Free],
            Self::ConfirmDead(who) => match state {
                State::Held(hold) if hold.who == *who => Vec::new(),
                State::Rented(renter) if renter == *who => Vec::new(),
                State::Lapsed(hold) if hold.who == *who => vec![State::Free],
                _ => vec![state],
            },
            Self::Return { who, freed } if state == State::Rented(*who) => {
                vec![if *freed { State::Free } else { State::Returned }]
            }
            Self::Maybe(steps) => {
                let done = steps.iter().flat_map(|step| step.next(state, began));
                std::iter::once(state).chain(done).collect()
            }
            Self::Expire(token) => match state {
                State::Held(hold) if hold.token == *token => vec![State::Lapsed(hold)],
                _ => vec![state],
            },
            Self::Restart { token, until } => {
                let renewed =
                    |hold: Hold| State::Held(Hold { token: *token, until: *until, ..hold });
                match state {
                    State::Held(hold) => vec![renewed(hold)],
                    State::Lapsed(hold) => vec![renewed(hold), State::Free],
                    _ => vec![state],
                }
            }
            Self::Saw(view) if view.fits(state) => vec![state],
            Self::Confirm(_) | Self::GiveUp(_) | Self::Return { .. } | Self::Saw(_) => Vec::new(),
        }
    }
}

impl Step for RentalStep {
    type State = State;

    fn next(&self, state: State, began: Micros) -> Vec<State> {
        let mut found = self.after(state, began);
        if state == State::Returned {
            let emptied = self.after(State::Free, began);
            found.extend(emptied.into_iter().filter(|it| *it != State::Returned));
        }
        found
    }

    fn only_looks(&self) -> bool {
        // A hold that is over cannot come to be the one whose time is up: by then its grant has long
        // been placed.
        matches!(self, Self::Saw(_) | Self::ConfirmDead(_) | Self::Expire(_))
    }
}
