
#[test]
fn zz_measure() {
    for count in [1_000, 10_000] {
        let house = house(1..=count);
        let begun = std::time::Instant::now();
        for n in 0..20 {
            call(&house.admin, "PATCH", "lockers/1", &json!({ "accessible": n % 2 == 0 })).expect(200);
        }
        let patch = begun.elapsed() / 20;
        let begun = std::time::Instant::now();
        for _ in 0..20 { get(&house.admin, "banks/1/map"); }
        let map = begun.elapsed() / 20;
        let begun = std::time::Instant::now();
        for _ in 0..20 { get(&house.admin, "banks/1/calendar?from=2026-08-24&to=2026-11-23"); }
        eprintln!("{count}: patch {patch:?} map {map:?} calendar {:?}", begun.elapsed() / 20);
    }
}
