//! Three wrong programs, each of which the history must find out; see `src/store/mutants.rs`.
//!
//! Only in a build with the feature `mutants`: `make test` runs them.

use std::time::{Duration, Instant};

use super::run::{Shape, make};
use super::tell;

/// How long a wrong program may hide.
const MINUTE: Duration = Duration::from_mins(1);

/// A rush with a kill in the middle.
fn short() -> Shape {
    Shape { clients: 16, kills_ms: vec![(600, 1_400)], length: Duration::from_secs(2) }
}

/// Makes short histories of a mutant until one is found wrong; the finding.
#[track_caller]
fn caught(mutant: &str) -> String {
    let began = Instant::now();
    let (mut seed, mut requests) = (0, 0);
    while began.elapsed() < MINUTE {
        seed += 1;
        match make(&short(), seed, Some(mutant)) {
            Err(strange) => panic!("{mutant} gave itself away by an answer: {strange}"),
            Ok((made, counts)) => {
                requests += counts.requests;
                if let Err(finding) = super::partition::judge(&made.history) {
                    let took = began.elapsed();
                    tell(&format!("{mutant}: {seed} histories, {requests} requests, {took:?}"));
                    return finding.story;
                }
            }
        }
    }
    panic!("{mutant} was not found out by {requests} requests in {seed} histories");
}

#[test]
fn without_its_guards_the_database_has_two_at_one_locker() {
    let story = caught("no_index");
    assert!(story.contains("no order"), "{story}");
}

#[test]
fn decisions_on_what_was_read_before_the_transaction_are_found_out() {
    let story = caught("plain_begin");
    assert!(story.contains("no order"), "{story}");
}

#[test]
fn an_answer_before_the_commit_is_found_out_by_a_kill() {
    let story = caught("answer_first");
    assert!(story.contains("restart"), "only a kill shows it: {story}");
}

#[test]
fn the_sound_program_passes_where_the_mutants_do_not() {
    for seed in 1..=4 {
        let (made, _) = make(&short(), seed, None).expect("no strange answer");
        assert_eq!(made.verdict(), Ok(()), "seed {seed}");
    }
}
