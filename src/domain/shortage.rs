//! A rental whose locker is not to be had: somebody has not emptied it, or it is out of service; and a
//! reservation for which no compartment is left.
//!
//! Occupied is not rented: the renter of such a rental cannot open the locker, is told beforehand
//! and offered another one for the same dates. Used by `service/shortages.rs`.

use serde::{Deserialize, Serialize};

use super::id::LockerId;
use super::locker::Locker;

/// Why the locker is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortageReason {
    /// Somebody earlier has not emptied it yet.
    Occupied,
    /// It is broken or set aside.
    OutOfService,
    /// Of a reservation: fewer compartments are left than were promised.
    TooFew,
}

impl ShortageReason {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Occupied => "occupied",
            Self::OutOfService => "out_of_service",
            Self::TooFew => "too_few",
        }
    }
}

/// How near another locker is, to be compared: those of the same bank first, then by number, since
/// neighbours have neighbouring numbers.
#[must_use]
pub fn nearness(locker: &Locker, other: &Locker) -> (bool, u64, LockerId) {
    (other.bank_id != locker.bank_id, locker.id.0.abs_diff(other.id.0), other.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::BankId;

    #[test]
    fn the_bank_comes_before_the_number_and_the_lower_of_two_first() {
        let locker = |id, bank| Locker::new(LockerId(id), BankId(bank));
        let mine = locker(103, 1);
        let mut others =
            [(104, 2), (110, 1), (101, 1), (105, 1)].map(|(id, bank)| locker(id, bank));
        others.sort_by_key(|other| nearness(&mine, other));
        assert_eq!(others.map(|other| other.id.0), [101, 105, 110, 104]);
        for reason in
            [ShortageReason::Occupied, ShortageReason::OutOfService, ShortageReason::TooFew]
        {
            let told = serde_json::to_value(reason).expect("JSON");
            assert_eq!(told, reason.name());
        }
    }
}
