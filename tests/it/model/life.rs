//! The whole life of rentals, on a clock that is turned by hand: everything that students, staff, jobs,
//! restarts and the time can do to a bank in choose mode and one in pool mode with the same members.
//!
//! `world.rs` beside this knows exactly what claims alone may be answered. Here the database itself is
//! the state: `book` reads it, `rules` says from it what stands in the way of a request, so that each is
//! granted exactly when nothing does, `changes` which rows may change by what, `promises` what must hold
//! after every step. `step` is what may happen, `deed` what a step means in a given state, `driver`
//! does it. A new kind of request is a `Kind` in `step` and a `Deed` with its rule and its changes.

use proptest::test_runner::Config;
use proptest_state_machine::prop_state_machine;

mod book;
mod changes;
mod deed;
mod driver;
mod plan;
mod promises;
mod rules;
mod step;

use driver::Program;

/// Sequences when nobody asks for more.
const CASES: u32 = 8;

/// Enough to make a failure of so many steps short.
const SHRINKS_MAX: u32 = 600;

fn config() -> Config {
    Config { max_shrink_iters: SHRINKS_MAX, ..super::config(CASES) }
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn whatever_happens_no_promise_is_broken(sequential 1..160 => Program);
}
