//! The settings of a bank as JSON: the same shapes are read and written.
//!
//! Each group stands for itself; one that is left out of a `PUT` stays as it is. What the settings mean
//! and which contradict each other is the domain's business.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::options::Options;
use crate::domain::overdue::{LateOpening, OverduePolicy};
use crate::domain::pool::PoolPolicy;
use crate::domain::returning::{ReturnPolicy, Unseen};

/// How lockers are taken back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnsBody {
    /// How long a former renter may open the locker again, in minutes; 0 to 1440.
    grace_minutes: u32,
    /// Whose word counts where no sensor shows the door: renter or staff.
    #[schema(value_type = String)]
    unseen: Unseen,
    /// Whether a return may be the door's last opening and closing.
    by_door: bool,
}

impl From<ReturnPolicy> for ReturnsBody {
    fn from(ReturnPolicy { grace_minutes, unseen, by_door }: ReturnPolicy) -> Self {
        Self { grace_minutes, unseen, by_door }
    }
}

impl From<ReturnsBody> for ReturnPolicy {
    fn from(ReturnsBody { grace_minutes, unseen, by_door }: ReturnsBody) -> Self {
        Self { grace_minutes, unseen, by_door }
    }
}

/// How reservations are taken, in pool mode.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolBody {
    /// Most days of one reservation; 1 to 366. A bank in pool mode must have it.
    days_max: Option<u16>,
    /// How many days ahead a reservation may begin; 1 to 366.
    advance_days: u16,
    /// Within how many days to check in, the first one counted; 1 to 366. `null`: until the last day.
    check_in_days: Option<u16>,
    /// How many reservations of one member may wait for their day; 1 to 10.
    reservations_max: u16,
}

impl From<PoolPolicy> for PoolBody {
    fn from(it: PoolPolicy) -> Self {
        let PoolPolicy { days_max, advance_days, check_in_days, reservations_max } = it;
        Self { days_max, advance_days, check_in_days, reservations_max }
    }
}

impl From<PoolBody> for PoolPolicy {
    fn from(it: PoolBody) -> Self {
        let PoolBody { days_max, advance_days, check_in_days, reservations_max } = it;
        Self { days_max, advance_days, check_in_days, reservations_max }
    }
}

/// How those who are late are dealt with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverdueBody {
    /// How many days before the last day the renter is reminded; at most five of 1 to 60.
    reminder_days: Vec<u16>,
    /// Whether the renter is reminded on the last day.
    remind_on_last_day: bool,
    /// Whether the renter is told each day while late.
    remind_while_late: bool,
    /// Whether a late renter may open: never, `until_sealed` or always.
    #[schema(value_type = String)]
    late_opening: LateOpening,
    /// After how many days late a case is sealed by itself; 1 to 366. `null`: staff seal it.
    seal_after_days: Option<u16>,
    /// Penalty days for each day late; 0 to 30, 0: there is no penalty.
    penalty_factor: u16,
    /// Most days of one penalty; 0 to 366.
    penalty_max_days: u16,
}

impl From<OverduePolicy> for OverdueBody {
    fn from(it: OverduePolicy) -> Self {
        let OverduePolicy {
            reminder_days,
            remind_on_last_day,
            remind_while_late,
            late_opening,
            seal_after_days,
            penalty_factor,
            penalty_max_days,
        } = it;
        Self {
            reminder_days,
            remind_on_last_day,
            remind_while_late,
            late_opening,
            seal_after_days,
            penalty_factor,
            penalty_max_days,
        }
    }
}

impl From<OverdueBody> for OverduePolicy {
    fn from(it: OverdueBody) -> Self {
        let OverdueBody {
            reminder_days,
            remind_on_last_day,
            remind_while_late,
            late_opening,
            seal_after_days,
            penalty_factor,
            penalty_max_days,
        } = it;
        Self {
            reminder_days,
            remind_on_last_day,
            remind_while_late,
            late_opening,
            seal_after_days,
            penalty_factor,
            penalty_max_days,
        }
    }
}

/// What is offered beyond the plain rental.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionsBody {
    /// How often a rental may be extended; 0 to 12, 0: never.
    extensions_max: u16,
    /// By how many days; 1 to 366. Must be set where extensions are.
    extension_days: Option<u16>,
    /// How many days before its last day a rental may be extended; 1 to 366.
    extension_from_days: u16,
    /// Whether a renter may swap to another free locker, keeping the dates.
    swaps: bool,
    /// Whether people may wait for a locker that gets free.
    waiting_list: bool,
    /// How long a locker is offered to who waits, in minutes; 1 to 2880.
    offer_minutes: u16,
    /// Whether a hold may be extended, once.
    hold_extension: bool,
}

impl From<Options> for OptionsBody {
    fn from(it: Options) -> Self {
        let Options {
            extensions_max,
            extension_days,
            extension_from_days,
            swaps,
            waiting_list,
            offer_minutes,
            hold_extension,
        } = it;
        Self {
            extensions_max,
            extension_days,
            extension_from_days,
            swaps,
            waiting_list,
            offer_minutes,
            hold_extension,
        }
    }
}

impl From<OptionsBody> for Options {
    fn from(it: OptionsBody) -> Self {
        let OptionsBody {
            extensions_max,
            extension_days,
            extension_from_days,
            swaps,
            waiting_list,
            offer_minutes,
            hold_extension,
        } = it;
        Self {
            extensions_max,
            extension_days,
            extension_from_days,
            swaps,
            waiting_list,
            offer_minutes,
            hold_extension,
        }
    }
}
