//! What may happen next: steps, and which are likely in a world.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use super::world::{Ask, DAY_MS, HOLD_MS, HOUR_MS, LOCKERS, MEMBERS, World};
use crate::support::inside::start_ms;

/// How far the wall clock may come from the start, in days: past the end of the first term.
const DAYS_MAX: u64 = 150;

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// A member asks; with a key the writer decides alone.
    Asks {
        /// Who.
        member: usize,
        /// What.
        ask: Ask,
        /// Whether it has an idempotency key.
        keyed: bool,
    },
    /// Two ask at the same moment.
    AtOnce([(usize, Ask); 2]),
    /// Time goes on.
    Pass(u64),
    /// The wall clock is set forward or back.
    Jump(i64),
    /// Somebody vouches for the wall clock, or nobody does.
    Vouch(bool),
    /// What died is written down.
    Tidy,
    /// The program ends and is started again.
    Restart,
}

/// The model as the generator of steps. Where more than one thing may happen it follows the first:
/// what it thinks is only used to make the next step an interesting one.
pub struct Generator;

impl ReferenceStateMachine for Generator {
    type State = World;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<World> {
        Just(World::new(start_ms())).boxed()
    }

    fn transitions(world: &World) -> BoxedStrategy<Step> {
        let likely = likely(world);
        let ask = prop_oneof![3 => prop::sample::select(likely), 2 => any_ask()];
        let asks = (ask.clone(), any::<bool>()).prop_map(|((member, ask), keyed)| Step::Asks {
            member,
            ask,
            keyed,
        });
        let at_once = (ask.clone(), ask).prop_map(|(one, other)| Step::AtOnce([one, other]));
        prop_oneof![
            10 => asks,
            3 => at_once,
            4 => pass(),
            1 => jump(),
            1 => any::<bool>().prop_map(Step::Vouch),
            1 => Just(Step::Tidy),
            1 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn apply(mut world: World, step: &Step) -> World {
        match step {
            Step::Asks { member, ask, .. } => first(&world, *member, *ask),
            Step::AtOnce([one, other]) => {
                let world = first(&world, one.0, one.1);
                first(&world, other.0, other.1)
            }
            Step::Pass(ms) => {
                world.pass(*ms);
                world
            }
            Step::Jump(by_ms) => {
                world.jump(*by_ms);
                world
            }
            Step::Vouch(vouched) => {
                world.vouched = *vouched;
                world
            }
            Step::Tidy => {
                world.tidy();
                world
            }
            Step::Restart => world.restarted().swap_remove(0),
        }
    }

    fn preconditions(world: &World, step: &Step) -> bool {
        let by_ms = match step {
            Step::Pass(ms) => i64::try_from(*ms).unwrap_or(i64::MAX),
            Step::Jump(by_ms) => *by_ms,
            _ => 0,
        };
        let days_max = i64::try_from(DAYS_MAX * DAY_MS).unwrap_or(i64::MAX);
        world.since_start_ms() + by_ms < days_max && world.since_start_ms() + by_ms > -days_max
    }
}

fn first(world: &World, member: usize, ask: Ask) -> World {
    world.ask(member, ask).swap_remove(0).1
}

/// What is likely to change something: to go on with what there is, to fight for a locker.
fn likely(world: &World) -> Vec<(usize, Ask)> {
    let mut likely: Vec<(usize, Ask)> = Vec::new();
    for claim in &world.claims {
        let (member, locker) = (claim.member, claim.locker);
        likely
            .extend([(member, Ask::Confirm(locker)), ((member + 1) % MEMBERS, Ask::Hold(locker))]);
        likely.push((
            member,
            if claim.until_ms.is_some() { Ask::GiveUp } else { Ask::Return }(locker),
        ));
    }
    likely.extend((0..MEMBERS).map(|member| (member, Ask::HoldAny)));
    likely.extend((1..=LOCKERS).map(|locker| (0, Ask::Hold(locker))));
    likely
}

fn any_ask() -> impl Strategy<Value = (usize, Ask)> + Clone {
    let ask = prop_oneof![
        3 => (1..=LOCKERS).prop_map(Ask::Hold),
        1 => Just(Ask::HoldAny),
        2 => (1..=LOCKERS).prop_map(Ask::Confirm),
        1 => (1..=LOCKERS).prop_map(Ask::GiveUp),
        2 => (1..=LOCKERS).prop_map(Ask::Return),
    ];
    (0..MEMBERS, ask)
}

/// To the last millisecond of a hold, past it, past a window, past a term.
fn pass() -> impl Strategy<Value = Step> {
    let lengths =
        [1, 1_000, HOLD_MS / 2, HOLD_MS - 1, HOLD_MS, HOUR_MS, DAY_MS, 4 * DAY_MS, 110 * DAY_MS];
    prop::sample::select(lengths.to_vec()).prop_map(Step::Pass)
}

fn jump() -> impl Strategy<Value = Step> {
    let hour = i64::try_from(HOUR_MS).unwrap_or(i64::MAX);
    prop::sample::select(vec![-96 * hour, -24 * hour, -hour, -60_000, hour, 24 * hour, 96 * hour])
        .prop_map(Step::Jump)
}
