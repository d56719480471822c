//! A model of lending beside the program: the same steps for both, and after each step they must
//! agree, whatever the order of requests, restarts and jumps of the clock.
//!
//! `world` is the model, `step` what may happen and what is likely to be interesting next, `driver`
//! does it to the program over HTTP on a clock that is turned by hand, and compares. A new kind of
//! step is a variant in `step`, its rule in `world` and its request in `driver`.
//! `PROPTEST_CASES=500 cargo test --test it model` runs more of them.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::test_runner::Config;
use proptest_state_machine::prop_state_machine;

mod driver;
mod life;
mod step;
mod world;

use driver::Program;

/// Sequences when nobody asks for more.
const CASES: u32 = 24;

/// So many sequences, or as many as `PROPTEST_CASES` says.
fn config(cases: u32) -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let own = Config::default();
    let cases = if asked { own.cases } else { cases };
    Config { cases, failure_persistence: None, ..own }
}

/// Terms as the site file has them: when each window opens and closes, in milliseconds after `now`, and
/// the first and last day.
fn term_lines(now: Timestamp, windows: &[(u64, u64, Date, Date)]) -> String {
    let at = |ms: u64| now + SignedDuration::from_millis(i64::try_from(ms).expect("days"));
    let lines = windows.iter().zip(1..).map(|((opens_ms, closes_ms, first, last), n)| {
        format!(
            "[[term]]\nname_ko = '학기 {n}'\nopens_at = '{}'\ncloses_at = '{}'\n\
             starts_on = '{first}'\nends_on = '{last}'\n",
            at(*opens_ms),
            at(*closes_ms)
        )
    });
    lines.collect()
}

prop_state_machine! {
    #![proptest_config(config(CASES))]
    #[test]
    fn the_program_does_what_the_model_does(sequential 1..40 => Program);
}
