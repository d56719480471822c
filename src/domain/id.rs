//! Identifiers as types, so that a member's number is never taken for a locker's.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    };
}

integer_id! {
    /// The number of a locker, unique on the site: what people see on the door (101).
    LockerId
}
integer_id! {
    /// A bank of lockers.
    BankId
}
integer_id! {
    /// A named place with one or more banks.
    LocationId
}
integer_id! {
    /// A person with an account.
    MemberId
}
integer_id! {
    /// One hold or rental; never reused.
    RentalId
}
integer_id! {
    /// An application window with the dates it grants.
    TermId
}
integer_id! {
    /// One place in the line before a bank; never reused.
    WaitingId
}
integer_id! {
    /// What becomes of one rental that was not returned in time; never reused.
    OverdueCaseId
}
integer_id! {
    /// Days on which a member may claim nothing; never reused.
    PenaltyId
}
integer_id! {
    /// One log-in of one member on one device; never reused.
    SessionId
}
integer_id! {
    /// A screen beside banks; never reused.
    KioskId
}
integer_id! {
    /// A browser that was given a secret of its own.
    DeviceId
}

integer_id! {
    /// One alarm; never reused.
    AlarmId
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// One attempt to open one locker (UUID version 7). It is made before anything is stored, so
    /// that an opening has its name even while the database is failing.
    OpeningId
}
uuid_id! {
    /// One order to open many lockers (UUID version 7).
    MassOpeningId
}
uuid_id! {
    /// One order to end many rentals (UUID version 7).
    BulkEndId
}
