//! What a configuration may say, and the words for what it may not.

use super::*;

#[test]
fn toml_fills_in_defaults_and_refuses_unknown_keys() {
    let text = r#"
        seed = 7
        physics = { auto_close_ms = 4000 }
        [[buses]]
        name = "east"
        link = "/tmp/east"
        baud = 19200
        boards = [{ address = 0, family = "kerong-cu16", closed_bit = false }]
        [[buses]]
        name = "west"
        link = "/tmp/west"
        boards = [{ address = 1, family = "modbus-relay", locks = 8, power_supply = "b" }]
    "#;
    let config: SimConfig = toml::from_str(text).expect("valid");
    config.check().expect("keeps the rules");
    assert!(config.pacing);
    assert_eq!(config.physics.release_ms, 30);
    assert_eq!(config.buses[0].boards[0].unlock_ms(), 550);
    assert!(!config.buses[0].boards[0].closed_bit);
    assert_eq!(config.buses[1].baud, 9_600);
    let error = toml::from_str::<SimConfig>("sede = 1").expect_err("a typing mistake");
    assert!(error.to_string().contains("sede"), "{error}");
}

#[test]
fn the_example_of_the_manual_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md");
    let page = std::fs::read_to_string(path).expect("the manual");
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let config: SimConfig = toml::from_str(example).expect("valid");
    config.check().expect("keeps the rules");
    assert_eq!(config.buses.len(), 4);
}

#[test]
fn each_broken_rule_is_named() {
    let good = SimBus::new("east", "/tmp/e", 9_600).with(SimBoard::modbus(1, 8));
    let with = |change: &dyn Fn(&mut SimBus)| {
        let mut bus = good.clone();
        change(&mut bus);
        SimConfig { buses: vec![bus], ..SimConfig::default() }
    };
    let cases: [(SimConfig, &str); 18] = [
        (SimConfig::default(), "1 to 32 buses"),
        (with(&|bus| bus.name = "Ost".into()), "a-z"),
        (with(&|bus| bus.baud = 1), "baud"),
        (with(&|bus| bus.boards.push(SimBoard::modbus(1, 8))), "stands twice"),
        (with(&|bus| bus.boards[0].address = 0), "1 to 255"),
        (with(&|bus| bus.boards[0].locks = 33), "1 to 32"),
        (with(&|bus| bus.boards[0] = SimBoard::cu16(15)), "0 to 14"),
        (with(&|bus| bus.boards[0] = SimBoard::xor(33, 8)), "1 to 32"),
        (with(&|bus| bus.boards[0] = SimBoard::xor(1, 51)), "1 to 50"),
        (with(&|bus| bus.boards[0] = SimBoard::cu48(10)), "0 to 9"),
        (with(&|bus| bus.boards[0] = SimBoard::wkly(32, 24)), "0 to 31"),
        (with(&|bus| bus.boards[0].name = Some("7".into())), "no number"),
        (with(&|bus| bus.boards[0].reports_changes = true), "xor-board and wkly"),
        (with(&|bus| bus.boards[0].inverted_locks = vec![9]), "1 to 8"),
        (with(&|bus| bus.boards[0].feedback = Some(Feedback::Opening)), "xor-board"),
        (with(&|bus| bus.link = None), "either a link"),
        (
            SimConfig {
                supplies: vec![SimSupply { name: "a".into(), coils_max: 0 }],
                ..with(&|_| ())
            },
            "coils_max",
        ),
        (
            SimConfig { buses: vec![good.clone(), good.clone()], ..SimConfig::default() },
            "stands twice",
        ),
    ];
    for (config, says) in cases {
        let error = config.check().expect_err(says).to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
    with(&|_| ()).check().expect("the base case is fine");
    let twins = with(&|bus| bus.boards.push(SimBoard::modbus(1, 8).named("twin")));
    twins.check().expect("two boards of one address with names of their own");
}
