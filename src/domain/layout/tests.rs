//! Layouts: what overlaps is named, and what has no place gets one.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::domain::id::BankId;

fn place(col: u16, row: u16, width: u16, height: u16) -> Place {
    Place { col, row, width, height }
}

fn locker(id: i64, place: Option<Place>) -> Locker {
    Locker { place, ..Locker::new(LockerId(id), BankId(1)) }
}

fn pillar(place: Place) -> Fixture {
    Fixture { kind: FixtureKind::Pillar, place, label: None }
}

#[test]
fn two_that_overlap_are_named() {
    let at = |id: i64, place| (LockerId(id), place);
    let text =
        check([at(1, place(1, 1, 2, 1)), at(2, place(2, 1, 1, 1))], &[]).expect_err("overlap");
    assert_eq!(text, "locker 1 and locker 2 overlap at column 2, row 1");
    let text =
        check([at(7, place(3, 3, 1, 2))], &[pillar(place(3, 4, 1, 1))]).expect_err("overlap");
    assert_eq!(text, "the pillar at column 3, row 4 (1×1) and locker 7 overlap at column 3, row 4");
    check([at(1, place(1, 1, 2, 1)), at(2, place(3, 1, 1, 1))], &[pillar(place(1, 2, 3, 1))])
        .expect("side by side");
}

#[test]
fn what_lies_outside_of_the_grid_is_named() {
    for wrong in [place(0, 1, 1, 1), place(1, 0, 1, 1), place(1, 1, 0, 1), place(200, 1, 2, 1)] {
        let text = check([(LockerId(9), wrong)], &[]).expect_err("outside");
        assert!(text.starts_with("locker 9: "), "{text}");
    }
    place(1, 1, GRID_MAX, GRID_MAX).validated().expect("all of it");
    place(u16::MAX, u16::MAX, u16::MAX, u16::MAX).validated().expect_err("no overflow");
}

#[test]
fn without_places_the_grid_follows_the_numbers() {
    let lockers: Vec<Locker> = (101..=108).map(|id| locker(id, None)).collect();
    let shown: Vec<&Locker> = lockers.iter().collect();
    let map = arrange(&shown, &[]);
    assert!(map.computed);
    assert_eq!((map.cols, map.rows), (4, 2));
    assert_eq!(map.cells[4].place, place(1, 2, 1, 1));
    let map = arrange(&[], &[]);
    assert_eq!((map.cols, map.rows, map.computed), (0, 0, false));
}

#[test]
fn those_without_a_place_stand_below_the_others() {
    let lockers =
        [locker(1, Some(place(1, 1, 2, 2))), locker(2, None), locker(3, None), locker(4, None)];
    let shown: Vec<&Locker> = lockers.iter().collect();
    let map = arrange(&shown, &[pillar(place(1, 3, 1, 1))]);
    assert!(!map.computed);
    let places: Vec<Place> = map.cells.iter().map(|cell| cell.place).collect();
    let below = [place(1, 4, 1, 1), place(2, 4, 1, 1), place(1, 5, 1, 1)];
    assert_eq!(places, [&[place(1, 1, 2, 2)], &below[..]].concat());
    assert_eq!((map.cols, map.rows), (2, 5));
}

#[test]
fn a_range_runs_across_or_down() {
    let first = place(2, 3, 1, 2);
    let run = |down| Run { first, per_line: 3, down };
    let at = |run: Run, n| run.place(n).map(|it| (it.col, it.row));
    assert_eq!([0, 2, 3].map(|n| at(run(false), n)), [Ok((2, 3)), Ok((4, 3)), Ok((2, 5))]);
    assert_eq!([0, 2, 3].map(|n| at(run(true), n)), [Ok((2, 3)), Ok((2, 7)), Ok((3, 3))]);
    run(false).place(600).expect_err("row 403");
    Run { first, per_line: 0, down: true }.place(u16::MAX).expect_err("no overflow");
}

#[test]
fn names_are_found_again() {
    assert!(Level::ALL.iter().all(|it| Level::from_name(it.name()) == Some(*it)));
    assert!(FixtureKind::ALL.iter().all(|it| FixtureKind::from_name(it.name()) == Some(*it)));
    assert!(Front::ALL.iter().all(|it| Front::from_name(it.name()) == Some(*it)));
    assert_eq!(Level::from_name("roof"), None);
}

proptest! {
    /// The check agrees with counting cells, and a map of what passed it overlaps nowhere.
    #[test]
    fn what_passes_overlaps_nowhere(
        places in prop::collection::vec((1_u16..8, 1_u16..8, 1_u16..4, 1_u16..4, any::<bool>()), 0..8),
    ) {
        let lockers: Vec<Locker> = (1..)
            .zip(&places)
            .map(|(id, (col, row, w, h, given))| {
                locker(id, given.then_some(place(*col, *row, *w, *h)))
            })
            .collect();
        let given = || lockers.iter().filter_map(|it| Some((it.id, it.place?)));
        let mut seen = HashSet::new();
        let free = given().flat_map(|(_, place)| place.cells()).all(|cell| seen.insert(cell));
        prop_assert_eq!(check(given(), &[]).is_ok(), free);
        if free {
            let shown: Vec<&Locker> = lockers.iter().collect();
            let map = arrange(&shown, &[]);
            let cells = map.cells.iter().map(|cell| (cell.locker.id, cell.place));
            prop_assert_eq!(check(cells, &[]), Ok(()));
            let within = map.cells.iter().all(|cell| {
                cell.place.last_col() <= map.cols && cell.place.last_row() <= map.rows
            });
            prop_assert!(within);
        }
    }
}
