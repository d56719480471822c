//! Scenarios as they are written, run and judged, and those that the repository keeps.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::*;
use crate::sim::{Physics, SimBoard, SimBus};

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn start() -> Simulator {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let bus = SimBus::tcp("east", listen, 19_200).with(SimBoard::cu16(0)).with(SimBoard::cu16(1));
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = SimConfig { pacing: false, physics, buses: vec![bus], ..SimConfig::default() };
    Simulator::start(config).expect("started")
}

async fn play(simulator: &Simulator, text: &str) -> Progress {
    simulator.start_scenario(Scenario::parse(text).expect("valid"), 1).expect("fits");
    simulator.scenario_ended().await.expect("was started")
}

async fn unlock(simulator: &Simulator, lock: u8) -> TcpStream {
    let address = simulator.state().bus("east").and_then(|bus| bus.tcp).expect("listens");
    let mut client = TcpStream::connect(address).await.expect("connected");
    let sum = 0x36 + (lock - 1);
    client.write_all(&[0x02, lock - 1, 0x31, 0x03, sum]).await.expect("written");
    client
}

#[tokio::test]
async fn every_kept_scenario_fits_the_bench() {
    let place = tempfile::tempdir().expect("a directory");
    let bench = std::fs::read_to_string(kept().join("bench.toml")).expect("the bench");
    let mut config: SimConfig = toml::from_str(&bench).expect("valid");
    for bus in config.buses.iter_mut().filter(|bus| bus.link.is_some()) {
        bus.link = Some(place.path().join(&bus.name));
    }
    let simulator = Simulator::start(config).expect("started");
    let mut count = 0;
    for entry in std::fs::read_dir(kept()).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.ends_with("bench.toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.display();
        assert!(text.starts_with("# "), "{name} says what it shows");
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let fits = scenario.check_places(&simulator.world());
        fits.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!scenario.title.is_empty() && !scenario.steps.is_empty(), "{name} does nothing");
        assert_ne!(scenario.expect, Expect::default(), "{name} expects nothing");
        count += 1;
    }
    assert!(count >= 8, "only {count} scenarios");
}

#[test]
fn the_example_of_the_manual_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md");
    let page = std::fs::read_to_string(path).expect("the manual");
    let (_, scenarios) = page.split_once("## Scenarios").expect("its chapter");
    let (_, rest) = scenarios.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let scenario = Scenario::parse(example).expect("valid");
    assert_eq!((scenario.steps.len(), scenario.expect.except.len()), (3, 1));
}

#[tokio::test]
async fn steps_happen_in_order_and_the_end_is_judged() {
    let simulator = start();
    let progress = play(
        &simulator,
        r#"
        title = "two doors"
        [[step]]
        do = { door = { at = "east/0/1", action = "open" } }
        [[step]]
        after_ms = 20
        do = { fault = { bus = "east", kind = "silent" } }
        [[step]]
        at_ms = 40
        do = "clear_faults"
        [[step]]
        do = { unplug = "east" }
        [[step]]
        do = { replug = "east" }
        [expect]
        violations = 0
        pulses = { "east/0/1" = 0 }
        "#,
    )
    .await;
    assert_eq!(progress.state, ScenarioState::Passed, "{progress:?}");
    assert_eq!((progress.steps_done, progress.actions, progress.log.len()), (5, 5, 5));
    assert!(progress.log[0].contains("door east/0/1: Open"), "{:?}", progress.log);
    let state = simulator.state();
    assert!(state.faults.is_empty() && !state.buses[0].unplugged);
    assert_eq!(state.lock("east", 0, 1).expect("there").forced, 1);
}

#[tokio::test]
async fn the_same_seed_chooses_the_same() {
    let text = |seed: u64| {
        format!(
            "title = \"random\"\nseed = {seed}\n[[step]]\nrepeat = 20\n\
             choose = [{{ door = {{ at = \"east/1/*\", action = \"open\" }} }}, \"nothing\"]"
        )
    };
    let mut logs = Vec::new();
    for seed in [5, 5, 6] {
        let progress = play(&start(), &text(seed)).await;
        let log: Vec<String> = progress
            .log
            .iter()
            .map(|line| line.split_once(": ").expect("a time").1.to_owned())
            .collect();
        logs.push(log);
    }
    assert_eq!(logs[0].len(), 20);
    assert_eq!(logs[0], logs[1]);
    assert_ne!(logs[0], logs[2]);
}

#[tokio::test]
async fn a_step_may_wait_for_a_pulse_and_for_a_client() {
    let simulator = start();
    let text = r#"
        title = "close what was opened"
        [[step]]
        when = { connected = "east" }
        do = "nothing"
        [[step]]
        when = { pulse = "east/0/2" }
        do = { door = { at = "east/0/2", action = "jam" } }
        [expect]
        pulses = { "east/0/2" = 1 }
        violations = 0
        "#;
    simulator.start_scenario(Scenario::parse(text).expect("valid"), 1).expect("fits");
    let again = simulator.start_scenario(Scenario::parse(text).expect("valid"), 1);
    assert!(matches!(again, Err(SimError::ScenarioRunning)));
    let _client = unlock(&simulator, 2).await;
    let progress = simulator.scenario_ended().await.expect("was started");
    assert_eq!(progress.state, ScenarioState::Passed, "{progress:?}");
    assert!(simulator.state().lock("east", 0, 2).expect("there").jammed);
    let never =
        "title = 'x'\nstep = [{ when = { pulse = 'east/0/2', within_ms = 30 }, do = 'nothing' }]";
    let progress = play(&simulator, never).await;
    assert_eq!(progress.state, ScenarioState::Failed, "earlier pulses do not count");
    assert!(progress.failures[0].contains("step 1: never seen"), "{:?}", progress.failures);
}

#[tokio::test]
async fn each_expectation_can_fail() {
    let simulator = start();
    let before = Before::of(&simulator.assertions());
    let mut client = unlock(&simulator, 1).await;
    client.write_all(&[0x02, 0x00, 0x33, 0x03, 0x38]).await.expect("written");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    while simulator.violations().is_empty() {
        assert!(std::time::Instant::now() < deadline, "nobody heard it");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let mut said = simulator.assertions();
    said.longest_coil_ms = 1_001;
    said.burnt = 1;
    said.supplies[0].brownouts = 1;
    let none = Expect {
        violations: Some(0),
        pulses_per_lock_max: Some(0),
        pulses: [("east/0/1".to_owned(), 0)].into(),
        longest_coil_ms_max: Some(1_000),
        coils_together_max: Some(0),
        burnt: Some(0),
        brownouts: Some(0),
        ..Expect::default()
    };
    let failures = none.failures(&said, &before);
    for what in
        ["broken rules", "pulses of one", "longest", "ruined", "brown-outs", "together", "east/0/1"]
    {
        assert!(failures.iter().any(|it| it.contains(what)), "{what}: {failures:?}");
    }
    let except: Vec<ViolationKind> = said.violations.keys().copied().collect();
    let but_known = Expect { violations: Some(0), except, ..Expect::default() };
    assert_eq!(but_known.failures(&said, &before), [""; 0]);
    let since_now = Before::of(&said);
    let nothing_new =
        Expect { violations: Some(0), pulses_per_lock_max: Some(0), ..Expect::default() };
    assert_eq!(nothing_new.failures(&said, &since_now), [""; 0]);
}

#[tokio::test]
async fn a_scenario_ends_when_told_and_with_its_simulator() {
    let simulator = start();
    let long = "title = 'x'\nstep = [{ after_ms = 60000, do = 'nothing' }]";
    simulator.start_scenario(Scenario::parse(long).expect("valid"), 1).expect("fits");
    let progress = simulator.stop_scenario().await.expect("was started");
    assert_eq!((progress.state, progress.steps_done), (ScenarioState::Stopped, 0));
    simulator.start_scenario(Scenario::parse(long).expect("valid"), 1).expect("fits");
    simulator.stop().await;
    assert_eq!(simulator.scenario().expect("told").state, ScenarioState::Stopped);
}

#[tokio::test]
async fn mistakes_are_named() {
    for (text, says) in [
        ("step = []", "title"),
        ("title = 'x'\nstep = [{ at_ms = 1, after_ms = 1, do = 'nothing' }]", "step 1: at_ms"),
        ("title = 'x'\nstep = [{ at_ms = 1 }]", "either do or choose"),
        ("title = 'x'\nstep = [{ do = 'nothing', repeat = 0 }]", "repeat"),
        ("title = 'x'\nstep = [{ do = 'nothing', at_ms = 90000000 }]", "above"),
        ("title = 'x'\nstep = [{ do = 'dance' }]", "dance"),
        ("title = 'x'\nstep = [{ when = {}, do = 'nothing' }]", "pulse or connected"),
        ("{\"title\": \"x\", \"stap\": []}", "stap"),
    ] {
        let error = Scenario::parse(text).expect_err(text).to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
    let simulator = start();
    for (action, says) in [
        ("{ unplug = 'west' }", "unknown bus"),
        ("{ door = { at = 'east/7/1', action = 'open' } }", "no board 7"),
        ("{ door = { at = 'east/1', action = 'open' } }", "bus/board/lock"),
        ("{ fault = { bus = 'east', kind = 'sensor_open' } }", "needs its board"),
    ] {
        let text = format!("title = 'x'\nstep = [{{ do = {action} }}]");
        let scenario = Scenario::parse(&text).expect("its form is right");
        let error = simulator.start_scenario(scenario, 1).expect_err(action).to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
}
