//! What may happen next. What a request is about is three dice: they are read when it happens, by what
//! is there then (`deed`), so that any part of a sequence is a sequence.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use super::super::world::{DAY_MS, HOUR_MS};
use super::plan::{HOLD_MS, OFFER_MS, Plan, Theme};

/// How far the wall clock may come from the start, in days: past the last term.
const DAYS_MAX: u64 = 70;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hold a locker.
    Hold,
    /// Hold any of the first bank.
    HoldAny,
    /// Confirm a hold.
    Confirm,
    /// Give a hold up.
    GiveUp,
    /// Extend a hold.
    ExtendHold,
    /// Extend a rental.
    Extend,
    /// Take another locker for one's own.
    Swap,
    /// Take another locker for one that is not to be had.
    Replace,
    /// Return a locker.
    Return,
    /// Open a locker.
    Open,
    /// Join the line.
    Join,
    /// Leave it.
    Leave,
    /// Reserve days.
    Reserve,
    /// Give a reservation up.
    Cancel,
    /// Check a reservation in.
    CheckIn,
    /// Staff give somebody a locker.
    Assign,
    /// Staff move somebody to another locker.
    Move,
    /// Staff end a rental.
    End,
    /// Staff give a rental another last day.
    Change,
    /// Staff end many.
    BulkEnd,
    /// Staff free a returned locker.
    Free,
    /// Staff take a locker out of service, or put it back.
    Service,
    /// Staff take a step of an overdue case.
    Case,
    /// Staff take a penalty back.
    Waive,
    /// Staff take somebody off the line.
    TakeOff,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Of which kind.
    pub kind: Kind,
    /// About what.
    pub dice: [usize; 3],
    /// Whether it has an idempotency key: then the writer alone decides.
    pub keyed: bool,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// Somebody asks.
    Asks(Ask),
    /// Two ask at the same moment.
    AtOnce([Ask; 2]),
    /// Time goes on.
    Pass(u64),
    /// The wall clock is set forward or back.
    Jump(i64),
    /// Somebody vouches for the wall clock, or nobody does.
    Vouch(bool),
    /// One job runs.
    Job(usize),
    /// All jobs run until nothing is left to do.
    AllJobs,
    /// The program ends and is started again.
    Restart,
}

/// Where a sequence is, as far as the next step depends on it.
#[derive(Debug, Clone)]
pub struct Course {
    /// How the banks are run.
    pub plan: Plan,
    /// How far the wall clock is from the start, and how far it was at most.
    since_ms: i64,
    newest_ms: i64,
    /// Whether somebody vouches for it.
    vouched: bool,
}

impl ReferenceStateMachine for Course {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let start = |plan| Self { plan, since_ms: 0, newest_ms: 0, vouched: true };
        Plan::any().prop_map(start).boxed()
    }

    fn transitions(course: &Self) -> BoxedStrategy<Step> {
        let ask = ask(course.plan.theme);
        let pair = (ask.clone(), ask.clone()).prop_map(|(one, other)| Step::AtOnce([one, other]));
        // Most is refused as long as nobody believes the clock: it is soon mended.
        let behind_ms = course.newest_ms - course.since_ms;
        let (jump, mend) = if behind_ms > 0 {
            (Just(Step::Jump(behind_ms)).boxed(), 14)
        } else {
            (jump().boxed(), 1)
        };
        prop_oneof![
            34 => ask.prop_map(Step::Asks),
            4 => pair,
            6 => pass(course.plan.theme),
            mend => jump,
            if course.vouched { 1 } else { 14 } => Just(Step::Vouch(!course.vouched)),
            4 => any::<usize>().prop_map(Step::Job),
            3 => Just(Step::AllJobs),
            2 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn apply(course: Self, step: &Step) -> Self {
        let since_ms = course.since_ms + moved_ms(step);
        let newest_ms = course.newest_ms.max(since_ms);
        let vouched = if let Step::Vouch(vouched) = step { *vouched } else { course.vouched };
        Self { since_ms, newest_ms, vouched, ..course }
    }

    fn preconditions(course: &Self, step: &Step) -> bool {
        let most_ms = i64::try_from(DAYS_MAX * DAY_MS).unwrap_or(i64::MAX);
        (course.since_ms + moved_ms(step)).abs() < most_ms
    }
}

/// By how much a step moves the wall clock.
fn moved_ms(step: &Step) -> i64 {
    match step {
        Step::Pass(ms) => i64::try_from(*ms).unwrap_or(i64::MAX),
        Step::Jump(by_ms) => *by_ms,
        _ => 0,
    }
}

fn ask(theme: Theme) -> impl Strategy<Value = Ask> + Clone {
    let dice = prop::array::uniform3(0_usize..10_000);
    (kind(theme), dice, any::<bool>()).prop_map(|(kind, dice, keyed)| Ask { kind, dice, keyed })
}

fn kind(theme: Theme) -> impl Strategy<Value = Kind> + Clone {
    let (choose, pool) = match theme {
        Theme::Choose => (6, 1),
        Theme::Pool => (1, 6),
        Theme::All => (3, 3),
    };
    let staff = prop::sample::select(vec![
        Kind::Assign,
        Kind::Assign,
        Kind::Move,
        Kind::Move,
        Kind::End,
        Kind::Change,
        Kind::Change,
        Kind::Change,
        Kind::BulkEnd,
        Kind::Free,
        Kind::Service,
        Kind::Service,
        Kind::Service,
        Kind::Case,
        Kind::Case,
        Kind::Case,
        Kind::Case,
        Kind::Case,
        Kind::Waive,
        Kind::TakeOff,
    ]);
    let claim = [
        Kind::Hold,
        Kind::Hold,
        Kind::HoldAny,
        Kind::Confirm,
        Kind::Confirm,
        Kind::Confirm,
        Kind::GiveUp,
        Kind::ExtendHold,
        Kind::Join,
        Kind::Join,
        Kind::Leave,
    ];
    let reserve =
        [Kind::Reserve, Kind::Reserve, Kind::Reserve, Kind::CheckIn, Kind::CheckIn, Kind::Cancel];
    let rent = [
        Kind::Extend,
        Kind::Extend,
        Kind::Swap,
        Kind::Replace,
        Kind::Return,
        Kind::Open,
        Kind::Open,
    ];
    prop_oneof![
        2 * choose => prop::sample::select(claim.to_vec()),
        2 * pool => prop::sample::select(reserve.to_vec()),
        7 => prop::sample::select(rent.to_vec()),
        4 => staff,
    ]
}

/// To the last millisecond of a hold, past an offer, into the evening, past days and terms.
fn pass(theme: Theme) -> impl Strategy<Value = Step> {
    let mut lengths =
        vec![1_000, HOLD_MS - 1, HOLD_MS, OFFER_MS, 9 * HOUR_MS, DAY_MS, DAY_MS, 2 * DAY_MS];
    match theme {
        Theme::Pool => lengths.extend([DAY_MS; 4]),
        _ => lengths.extend([5 * DAY_MS, 5 * DAY_MS, 11 * DAY_MS]),
    }
    prop::sample::select(lengths).prop_map(Step::Pass)
}

fn jump() -> impl Strategy<Value = Step> {
    let hour = i64::try_from(HOUR_MS).unwrap_or(i64::MAX);
    let far = [-120 * hour, -24 * hour, -hour, -60_000, hour, 24 * hour, 72 * hour];
    prop::sample::select(far.to_vec()).prop_map(Step::Jump)
}
