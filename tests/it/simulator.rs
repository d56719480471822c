//! The simulator as a program of its own: scripted runs, their verdict, and the byte log.

use serde_json::Value;

use crate::support::boards::Boards;
use crate::support::process::{lockerd, run};

/// A scenario with hardware of its own behind a gateway, and one expectation.
fn scenario(expect: &str) -> String {
    format!(
        "title = 'a door is pulled open'\n\
         simulator.buses = [{{ name = 'east', tcp = '127.0.0.1:0', boards = [\
         {{ address = 1, family = 'xor-board', locks = 8 }}] }}]\n\
         [[step]]\ndo = {{ door = {{ at = 'east/1/3', action = 'open' }} }}\n\
         [[step]]\nafter_ms = 20\ndo = 'clear_faults'\n[expect]\n{expect}\n"
    )
}

#[test]
fn a_scripted_run_ends_with_its_verdict_and_a_log() {
    let place = tempfile::tempdir().expect("a directory");
    for (expect, code, state) in
        [("violations = 0", 0, "passed"), ("pulses = { 'east/1/3' = 1 }", 1, "failed")]
    {
        std::fs::write(place.path().join("run.toml"), scenario(expect)).expect("written");
        let arguments = [
            "simulate",
            "--scenario",
            "run.toml",
            "--listen",
            "127.0.0.1:0",
            "--log",
            "bytes.jsonl",
            "--json",
        ];
        let done = run(lockerd().args(arguments).current_dir(place.path()), "");
        assert_eq!(done.code, Some(code), "{done:?}");
        let last = done.out.lines().last().expect("a verdict");
        let told: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!((&told["state"], &told["steps_done"]), (&state.into(), &2.into()), "{told}");
        let log = std::fs::read_to_string(place.path().join("bytes.jsonl")).expect("a log");
        assert!(log.starts_with(r#"{"event":"start""#), "{log}");
    }
    let done = run(lockerd().args(["simulate"]).current_dir(place.path()), "");
    assert!(done.code != Some(0) && done.err.contains("--config"), "{done:?}");
}

#[test]
fn a_kept_scenario_plays_on_the_bench() {
    let place = tempfile::tempdir().expect("a directory");
    let boards = Boards::bench(place.path());
    assert_ne!(boards.gateway("gateway").port(), 0);
    boards.begin("jam", 100);
    boards.demand_passed();
    assert!(!boards.lock("relay", 1, 1).jammed, "it ends with peace");
}
