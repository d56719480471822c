//! What can be heard, and by whom.
//!
//! A [`Scope`] is one part of a topic that the same people may hear: the doors of one bank, the
//! openings of one member in one bank. Whether somebody belongs to its [`Audience`] is asked at each
//! delivery, against the published state: whoever loses a bank hears nothing more of it.

use crate::domain::id::{BankId, MemberId};
use crate::domain::member::Role;
use crate::service::is_staff_for;
use crate::service::tokens::Caller;
use crate::store::Snapshot;

/// A subject that clients subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Whether the server can change anything and knows the time.
    Site,
    /// What somebody holds, rents and has reserved, and alarms at it.
    Mine,
    /// Whether each locker can be claimed.
    Lockers,
    /// Whether each door is open, closed or unknown.
    Doors,
    /// How openings go.
    Openings,
    /// How orders to open many lockers go.
    MassOpenings,
    /// Alarms that people still have to see.
    Alarms,
    /// Whether database, buses and boards answer.
    Health,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 8] = [
        Self::Site,
        Self::Mine,
        Self::Lockers,
        Self::Doors,
        Self::Openings,
        Self::MassOpenings,
        Self::Alarms,
        Self::Health,
    ];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Mine => "mine",
            Self::Lockers => "lockers",
            Self::Doors => "doors",
            Self::Openings => "openings",
            Self::MassOpenings => "mass_openings",
            Self::Alarms => "alarms",
            Self::Health => "health",
        }
    }

    /// Finds a topic by its published name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// Who may hear a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Whoever is logged in.
    Members,
    /// This member alone.
    Member(MemberId),
    /// Staff of this bank, and admins.
    StaffOf(BankId),
    /// This member, staff of this bank, and admins.
    MemberOrStaffOf(MemberId, BankId),
    /// Staff of whatever bank, and admins.
    Staff,
}

impl Audience {
    /// Whether the caller belongs to it, as the published state says now.
    #[must_use]
    pub fn admits(self, caller: Caller, snapshot: &Snapshot) -> bool {
        match self {
            Self::Members => true,
            Self::Member(member) => member == caller.member_id,
            Self::StaffOf(bank) => is_staff_for(snapshot, caller, bank),
            Self::MemberOrStaffOf(member, bank) => {
                member == caller.member_id || is_staff_for(snapshot, caller, bank)
            }
            Self::Staff => matches!(caller.role, Role::Staff | Role::Admin),
        }
    }
}

/// A part of a topic that the same people may hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The topic.
    pub topic: Topic,
    /// The bank it is about, if it is about one.
    pub bank: Option<BankId>,
    /// Who may hear it.
    pub audience: Audience,
}

/// What a listener wants to hear: a topic, of all banks or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The topic.
    pub topic: Topic,
    /// Only this bank.
    pub bank: Option<BankId>,
}

impl Wish {
    /// Whether a scope belongs to what is wanted.
    #[must_use]
    pub fn covers(self, scope: &Scope) -> bool {
        self.topic == scope.topic && self.bank.is_none_or(|bank| scope.bank == Some(bank))
    }
}
