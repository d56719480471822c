//! The drawings of the state machines, made from the tables that the code goes by.
//!
//! docs/ref/states.md is what [`page`] writes, and a test fails when it is not; `make states` writes it
//! anew. A rental's table is [`RENTAL`]: the test takes every step from every state and compares.

use std::fmt::Write as _;

use super::overdue_case::{CaseState, CaseStep, TRANSITIONS};

/// A step of a rental: from where, which, where it leads.
pub type Edge = (&'static str, &'static str, &'static str);

/// Every step in the life of a rental. A state of the right side with a reason in brackets is an end.
pub const RENTAL: &[Edge] = &[
    ("[*]", "hold", "held"),
    ("[*]", "reserve", "reserved"),
    ("[*]", "assign", "active"),
    ("reserved", "check in", "active"),
    ("reserved", "cancel", "ended (cancelled)"),
    ("reserved", "nobody came", "ended (no_show)"),
    ("reserved", "replace", "ended (replaced)"),
    ("reserved", "ended by staff", "ended (ended_by_staff)"),
    ("held", "confirm", "active"),
    ("held", "release-hold", "ended (hold_released)"),
    ("held", "time is up", "ended (hold_expired)"),
    ("held", "ended by staff", "ended (ended_by_staff)"),
    ("active", "release", "returned"),
    ("active", "release, never in use", "ended (returned)"),
    ("active", "replace, opened", "returned"),
    ("active", "replace, never opened", "ended (replaced)"),
    ("active", "continued by the next", "ended (replaced)"),
    ("active", "ended by staff, opened", "returned"),
    ("active", "ended by staff", "ended (ended_by_staff)"),
    ("active", "collect", "ended (collected)"),
    ("returned", "surely empty, or staff say so", "ended (returned)"),
    ("returned", "collect", "ended (collected)"),
];

/// Both drawings with their tables, as docs/ref/states.md has them.
#[must_use]
pub fn page() -> String {
    let mut page = "# States\n\nMade from the code's own tables (`src/domain/states.rs`, \
                    `src/domain/overdue_case.rs`) by `make states`;\na test fails when it differs.\n\n\
                    ## Rental\n\n"
        .to_owned();
    let rental: Vec<_> = RENTAL.iter().map(|(from, step, to)| (*from, *step, *to, false)).collect();
    draw(&mut page, &rental);
    page.push_str(
        "\nA swap and a move by staff are a replacement too. An extension changes the days alone.\n",
    );
    page.push_str("\n## Overdue case\n\n");
    let mut case = vec![("[*]", "detect", CaseState::Detected.name(), false)];
    case.extend(
        TRANSITIONS
            .iter()
            .map(|it| (it.from.name(), CaseStep::name(it.step), it.to.name(), it.needs_reason)),
    );
    draw(&mut page, &case);
    page
}

fn draw(page: &mut String, edges: &[(&str, &str, &str, bool)]) {
    let id = |state: &str| state.replace([' ', '('], "_").replace(')', "");
    let mut named: Vec<&str> = edges.iter().flat_map(|(from, _, to, _)| [*from, *to]).collect();
    named.sort_unstable();
    named.dedup();
    page.push_str("```mermaid\nstateDiagram-v2\n");
    for state in named.iter().filter(|state| id(state) != **state && **state != "[*]") {
        let _ = writeln!(page, "  state \"{state}\" as {}", id(state));
    }
    for (from, step, to, _) in edges {
        let from = if *from == "[*]" { (*from).to_owned() } else { id(from) };
        let _ = writeln!(page, "  {from} --> {}: {step}", id(to));
    }
    for end in named.iter().filter(|state| !edges.iter().any(|(from, ..)| from == *state)) {
        let _ = writeln!(page, "  {} --> [*]", id(end));
    }
    page.push_str("```\n\n| from | step | to | reason |\n|---|---|---|---|\n");
    for (from, step, to, reason) in edges {
        let from = if *from == "[*]" { "" } else { from };
        let reason = if *reason { "must be given" } else { "" };
        let _ = writeln!(page, "| {from} | {step} | {to} | {reason} |");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::domain::id::{LockerId, MemberId, RentalId};
    use crate::domain::rental::{EndReason, Rental, RentalError, RentalState};
    use crate::domain::returning::{Return, moved};
    use crate::domain::time::{DateSpan, Monotonic};

    const NOW: Monotonic = Monotonic(10);
    const MINE: MemberId = MemberId(1);

    fn rental(state: RentalState) -> Rental {
        Rental {
            id: RentalId(1),
            locker_id: LockerId(101),
            member_id: MINE,
            term_id: None,
            dates: DateSpan::new(date(2026, 9, 1), date(2026, 9, 9)).expect("in order"),
            opened: false,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state,
        }
    }

    fn named(state: RentalState) -> String {
        match state {
            RentalState::Ended(reason) => format!("ended ({})", reason.name()),
            other => other.name().to_owned(),
        }
    }

    type Taken = Result<Rental, RentalError>;

    /// Of a step that ends what was never in use as well, only the one that does not.
    fn returned(rental: Rental) -> Taken {
        if rental.is_returned() { Ok(rental) } else { Err(RentalError::Ended) }
    }

    /// Every step that the code knows, by the name that the table has for it.
    fn taken(from: Rental) -> Vec<(&'static str, Taken)> {
        let later = Rental { id: RentalId(2), ..rental(RentalState::Active) };
        let expired = match from.expire(Monotonic(99)) {
            same if same == from => Err(RentalError::Ended),
            over => Ok(over),
        };
        vec![
            ("confirm", from.confirm(MINE, NOW)),
            ("release-hold", from.release_hold(MINE, NOW)),
            ("time is up", expired),
            ("release", from.release(MINE, NOW, None)),
            ("release, never in use", from.give_up(MINE)),
            ("replace, opened", moved(from, NOW).replaced(MINE, NOW)),
            ("replace, never opened", from.replaced(MINE, NOW)),
            ("continued by the next", from.continued_by(later).map(|(over, _)| over)),
            ("ended by staff, opened", from.taken_away(true, NOW, None).and_then(returned)),
            ("ended by staff", from.taken_away(false, NOW, None)),
            ("collect", from.collected()),
            ("surely empty, or staff say so", from.freed()),
        ]
    }

    #[test]
    fn the_table_of_a_rental_is_what_its_functions_do() {
        let states = [
            RentalState::Held { until: Monotonic(50) },
            RentalState::Active,
            RentalState::Returned(Return::new(NOW, None)),
            RentalState::Ended(EndReason::Returned),
        ];
        let mut found = BTreeSet::new();
        for state in states {
            for (step, result) in taken(rental(state)) {
                // Asking for a return again changes nothing.
                if let Ok(next) = result
                    && next.state != state
                {
                    found.insert((state.name().to_owned(), step, named(next.state)));
                }
            }
        }
        // What begins a rental, and reservations, are no functions of a rental.
        let listed: BTreeSet<_> = RENTAL
            .iter()
            .filter(|(from, ..)| !matches!(*from, "[*]" | "reserved"))
            .map(|(from, step, to)| ((*from).to_owned(), *step, (*to).to_owned()))
            .collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn every_end_is_in_the_drawing() {
        for reason in EndReason::ALL {
            let end = format!("ended ({})", reason.name());
            assert!(RENTAL.iter().any(|(_, _, to)| *to == end), "{end}");
        }
    }

    #[test]
    fn the_page_is_as_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ref/states.md");
        if std::env::var_os("LOCKERD_WRITE_STATES").is_some() {
            std::fs::write(path, page()).expect("written");
        }
        let written = std::fs::read_to_string(path).expect("docs/ref/states.md");
        assert_eq!(written, page(), "write it anew with `make states`");
    }
}
