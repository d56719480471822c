//! Where the lockers of a bank stand: a grid as one sees it from the front, with what else stands there.
//!
//! Columns are counted from the left and rows from the top, both from 1. Nothing overlaps. A bank whose
//! lockers have no places gets a grid in the order of their numbers. Pure; called by whoever changes
//! lockers and by the map.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::LockerId;
use super::locker::Locker;
use super::name::Name;

/// Highest column and row.
pub const GRID_MAX: u16 = 200;
/// Most fixtures of one bank.
pub const FIXTURES_MAX: usize = 100;
/// Widest computed grid.
const COMPUTED_COLUMNS_MAX: u16 = 20;

/// A rectangle of grid cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Leftmost column, from 1.
    pub col: u16,
    /// Topmost row, from 1.
    pub row: u16,
    /// Columns it takes.
    pub width: u16,
    /// Rows it takes.
    pub height: u16,
}

impl Place {
    /// Checks that it lies within [`GRID_MAX`] columns and rows; the text says what is wrong.
    pub fn validated(self) -> Result<Self, String> {
        for (name, begin, length) in [("col", self.col, self.width), ("row", self.row, self.height)]
        {
            let fits = begin >= 1
                && length >= 1
                && u32::from(begin) + u32::from(length) - 1 <= u32::from(GRID_MAX);
            if !fits {
                return Err(format!(
                    "{name} {begin} with {length} cells does not lie within 1 to {GRID_MAX}"
                ));
            }
        }
        Ok(self)
    }

    fn cells(self) -> impl Iterator<Item = (u16, u16)> {
        let columns = self.col..self.col.saturating_add(self.width);
        columns.flat_map(move |col| {
            (self.row..self.row.saturating_add(self.height)).map(move |row| (col, row))
        })
    }

    const fn last_col(self) -> u16 {
        self.col + self.width - 1
    }

    const fn last_row(self) -> u16 {
        self.row + self.height - 1
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}, row {} ({}×{})", self.col, self.row, self.width, self.height)
    }
}

macro_rules! names {
    ($name:ident { $($variant:ident $text:literal),+ }) => {
        impl $name {
            /// Every one; the database's CHECK lists the same names.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stored and published name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Finds one by its name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

/// How high a locker hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Above the eyes.
    Top,
    /// About as high as the eyes of somebody who stands.
    Eye,
    /// Between eyes and knees.
    Middle,
    /// At the floor.
    Low,
}

names! { Level { Top "top", Eye "eye", Middle "middle", Low "low" } }

/// What else stands in a bank's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixtureKind {
    /// The screen beside the lockers.
    Kiosk,
    /// A pillar.
    Pillar,
    /// A wall.
    Wall,
    /// Nothing: a passage or a window.
    Gap,
}

names! { FixtureKind { Kiosk "kiosk", Pillar "pillar", Wall "wall", Gap "gap" } }

/// To which side the doors look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Front {
    /// North.
    N,
    /// East.
    E,
    /// South.
    S,
    /// West.
    W,
}

names! { Front { N "N", E "E", S "S", W "W" } }

/// Something in the grid that is no locker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixture {
    /// What.
    pub kind: FixtureKind,
    /// Where.
    pub place: Place,
    /// What is written there.
    pub label: Option<Name>,
}

/// What a bank's grid has beside lockers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankLayout {
    /// To which side the doors look, when somebody said so.
    pub front: Option<Front>,
    /// What else stands there.
    pub fixtures: Vec<Fixture>,
}

#[derive(Clone, Copy)]
enum Occupant {
    Locker(LockerId),
    Fixture(FixtureKind, Place),
}

impl fmt::Display for Occupant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locker(id) => write!(f, "locker {id}"),
            Self::Fixture(kind, place) => write!(f, "the {} at {place}", kind.name()),
        }
    }
}

/// Checks that everything lies within the grid and nothing overlaps; the text names the two that do.
pub fn check(
    lockers: impl IntoIterator<Item = (LockerId, Place)>,
    fixtures: &[Fixture],
) -> Result<(), String> {
    if fixtures.len() > FIXTURES_MAX {
        return Err(format!("{} fixtures are more than {FIXTURES_MAX}", fixtures.len()));
    }
    let standing = fixtures.iter().map(|it| (Occupant::Fixture(it.kind, it.place), it.place));
    let lockers = lockers.into_iter().map(|(id, place)| (Occupant::Locker(id), place));
    let mut taken: HashMap<(u16, u16), Occupant> = HashMap::new();
    for (occupant, place) in standing.chain(lockers) {
        place.validated().map_err(|why| format!("{occupant}: {why}"))?;
        for (col, row) in place.cells() {
            if let Some(other) = taken.insert((col, row), occupant) {
                return Err(format!("{other} and {occupant} overlap at column {col}, row {row}"));
            }
        }
    }
    Ok(())
}

/// How the lockers of a range stand after the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where the first one stands, and how large each is.
    pub first: Place,
    /// How many stand in a line before the next line begins.
    pub per_line: u16,
    /// Whether lines go down: numbers run from top to bottom, then to the right. Else they run from left
    /// to right, then down.
    pub down: bool,
}

impl Run {
    /// Where the `n`-th one stands, 0 being the first; the text says when that is outside of the grid.
    pub fn place(&self, n: u16) -> Result<Place, String> {
        let per_line = self.per_line.max(1);
        let (along, lines) = (n % per_line, n / per_line);
        let (right, below) = if self.down { (lines, along) } else { (along, lines) };
        let Place { col, row, width, height } = self.first;
        let col = right.saturating_mul(width).saturating_add(col);
        let row = below.saturating_mul(height).saturating_add(row);
        Place { col, row, width, height }.validated()
    }
}

/// A locker on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Which.
    pub locker: &'a Locker,
    /// Where it is drawn.
    pub place: Place,
}

/// A bank as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<'a> {
    /// Columns of the whole.
    pub cols: u16,
    /// Rows of the whole.
    pub rows: u16,
    /// The lockers in the order of their numbers.
    pub cells: Vec<Cell<'a>>,
    /// Whether no locker has a place: the grid is in the order of the numbers then.
    pub computed: bool,
}

/// Draws a bank. Lockers without a place stand below those that have one, in the order of their numbers.
#[must_use]
pub fn arrange<'a>(lockers: &[&'a Locker], fixtures: &[Fixture]) -> Map<'a> {
    let given = || {
        let places = lockers.iter().filter_map(|locker| locker.place);
        places.chain(fixtures.iter().map(|it| it.place))
    };
    let below = given().map(Place::last_row).max().unwrap_or(0);
    let unplaced = lockers.iter().filter(|locker| locker.place.is_none()).count();
    let mut cols = given().map(Place::last_col).max().unwrap_or(0);
    if unplaced > 0 && cols == 0 {
        cols = computed_columns(unplaced);
    }
    let mut next = 0_u16;
    let cells: Vec<Cell<'a>> = lockers
        .iter()
        .map(|locker| {
            let place = locker.place.unwrap_or_else(|| {
                let (col, row) = (next % cols + 1, next / cols + 1);
                next = next.saturating_add(1);
                Place { col, row: below.saturating_add(row), width: 1, height: 1 }
            });
            Cell { locker, place }
        })
        .collect();
    let rows = cells.iter().map(|cell| cell.place.last_row()).max().unwrap_or(0).max(below);
    let computed = !lockers.is_empty() && unplaced == lockers.len();
    Map { cols, rows, cells, computed }
}

/// About twice as wide as high, as cabinets are.
fn computed_columns(lockers: usize) -> u16 {
    (1..COMPUTED_COLUMNS_MAX)
        .find(|columns| usize::from(*columns).pow(2) >= 2 * lockers)
        .unwrap_or(COMPUTED_COLUMNS_MAX)
}

#[cfg(test)]
mod tests;
