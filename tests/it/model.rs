//! A model of lending beside the program: the same steps for both, and after each step they must
//! agree, whatever the order of requests, restarts and jumps of the clock.
//!
//! `world` is the model, `step` what may happen and what is likely to be interesting next, `driver`
//! does it to the program over HTTP on a clock that is turned by hand, and compares. A new kind of
//! step is a variant in `step`, its rule in `world` and its request in `driver`.
//! `PROPTEST_CASES=500 cargo test --test it model` runs more of them.

use proptest::test_runner::Config;
use proptest_state_machine::prop_state_machine;

mod driver;
mod step;
mod world;

use driver::Program;

/// Sequences when nobody asks for more.
const CASES: u32 = 24;

fn config() -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let own = Config::default();
    let cases = if asked { own.cases } else { CASES };
    Config { cases, failure_persistence: None, ..own }
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn the_program_does_what_the_model_does(sequential 1..40 => Program);
}
