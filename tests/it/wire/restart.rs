//! Ends of the program: whatever ended it, outputs are off before anything else is asked.

use super::lines::ALL;
use super::rig::{FIRST_BOARD, On, Rig};
use crate::support::until;

/// Switches everything off on the relay boards (protocol page, 5.1).
const ALL_OFF: [&str; 2] = ["01 05 00 FF 00 00 FD FA", "02 05 00 FF 00 00 FD C9"];

/// What the relay boards have heard after byte record `after`.
fn heard(rig: &Rig, after: u64) -> Vec<String> {
    let on = On { boards: &rig.boards, admin: &rig.admin, line: &ALL[0], number: 0 };
    on.heard(after)
}

/// The number of the last byte record.
fn last_record(rig: &Rig) -> u64 {
    rig.boards.simulator.bytes(0).last().map_or(0, |record| record.seq)
}

#[test]
fn start_stop_and_crash_leave_no_relay_on() {
    let mut rig = Rig::start();
    let told = heard(&rig, 0);
    assert_eq!(told[..2], ALL_OFF, "at the start");

    // An output that somebody left on: the program's own pulse is over by itself.
    let begun = last_record(&rig);
    rig.site.stop();
    let told = heard(&rig, begun);
    assert_eq!(told[told.len() - 2..], ALL_OFF, "at SIGTERM");

    let mut begun = last_record(&rig);
    rig.site.serve();
    for end in ["after SIGTERM", "after a crash"] {
        rig.admin = rig.site.again(&rig.admin);
        rig.each(|on| on.demand_ready());
        let told = heard(&rig, begun);
        assert_eq!(told[..2], ALL_OFF, "{end}");
        if end == "after a crash" {
            break;
        }
        // In the middle of pulses.
        rig.each(|on| drop(on.open(FIRST_BOARD, 2)));
        rig.site.kill();
        begun = last_record(&rig);
        rig.site.serve();
        rig.admin = rig.site.again(&rig.admin);
        // Whoever taps again at once must wait until the coil has rested, as without a crash.
        rig.each(|on| {
            let again = on.admin.locker(on.locker(FIRST_BOARD, 2), "open");
            assert!([202, 429].contains(&again.status), "{}: {}", on.line.name, again.text());
        });
    }
    rig.each(|on| {
        let pulses = on.pulses(FIRST_BOARD, 2).len();
        let wanted = if pulses > 0 { "open" } else { "closed" };
        on.until_door(FIRST_BOARD, 2, wanted);
    });
    // A client that is killed may leave half a request and be followed at once.
    rig.each(|on| {
        use lockerd::sim::ViolationKind::{GapTooShort, TalkedOver};
        on.demand_no_violations_since(0, &[GapTooShort, TalkedOver], "restarts");
    });
    until("each opening that was cut off is settled", || {
        let open = rig.site.number("SELECT count(*) FROM opening WHERE outcome IS NULL");
        (open == 0).then_some(())
    });
    rig.site.demand_clean();
}
