//! What can go wrong in the store, sorted by who has to act.
//!
//! A broken rule is the caller's business ([`StoreError::Conflict`]); a failing disk is the
//! operator's ([`Trouble`]) and puts the writer into the degraded state; everything else is a bug
//! and is logged where it surfaces.

use std::fmt;

use rusqlite::ErrorCode;
use rusqlite::ffi;
use serde::Serialize;

/// A condition of the database that no caller can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No space left.
    Full,
    /// The disk fails to read or write.
    Io,
    /// The file or file system is read-only.
    ReadOnly,
    /// The file is damaged or no database at all.
    Corrupt,
    /// Another process holds the database.
    Locked,
}

impl Trouble {
    /// One line for people and logs.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::Io => "the disk fails to read or write",
            Self::ReadOnly => "the database is read-only",
            Self::Corrupt => "the database file is damaged",
            Self::Locked => "another process holds the database",
        }
    }

    /// Sorts an SQLite error; `None` for those that are about one statement only.
    pub(super) fn of(error: &rusqlite::Error) -> Option<Self> {
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::Full),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory => {
                Some(Self::Io)
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(Self::ReadOnly),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Self::Corrupt),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Self::Locked),
            _ => None,
        }
    }
}

/// The rule that a statement would have broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// The locker has a live rental on some of these dates.
    RentalLocker,
    /// The member has a live rental on some of these dates.
    RentalMember,
    /// A unique index, named by its `table.column` list.
    Unique(String),
    /// A reference to a row that does not exist.
    Reference,
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RentalLocker => f.write_str("the locker is taken on these dates"),
            Self::RentalMember => f.write_str("the member has a rental on these dates"),
            Self::Unique(columns) => write!(f, "{columns} is taken"),
            Self::Reference => f.write_str("a referenced row does not exist"),
        }
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A rule of the schema stood in the way; nothing was changed.
    #[error("{0}")]
    Conflict(Constraint),
    /// The database fails; the writer is degraded until it heals.
    #[error("the database is not usable: {}", .0.explain())]
    Degraded(Trouble),
    /// Too much is queued already; try again shortly.
    #[error("too many changes are waiting")]
    Overloaded,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// A stored value makes no sense.
    #[error("{table}.{column} holds a value that makes no sense: {value}")]
    Inconsistent {
        /// Where it stands.
        table: &'static str,
        /// In which column.
        column: &'static str,
        /// What it was.
        value: String,
    },
    /// Anything else that SQLite or the pool said: a bug or a broken set-up.
    #[error("database error: {0}")]
    Driver(String),
}

impl StoreError {
    /// The state of the database behind this error, if it is the database's fault.
    #[must_use]
    pub const fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Degraded(trouble) => Some(*trouble),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if let Some(trouble) = Trouble::of(&error) {
            return Self::Degraded(trouble);
        }
        let rusqlite::Error::SqliteFailure(code, Some(text)) = &error else {
            return Self::Driver(error.to_string());
        };
        match (code.extended_code, text.as_str()) {
            (ffi::SQLITE_CONSTRAINT_TRIGGER, "rental.locker_overlap") => {
                Self::Conflict(Constraint::RentalLocker)
            }
            (ffi::SQLITE_CONSTRAINT_TRIGGER, "rental.member_overlap") => {
                Self::Conflict(Constraint::RentalMember)
            }
            (
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID,
                text,
            ) => Self::Conflict(unique(text)),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, _) => Self::Conflict(Constraint::Reference),
            _ => Self::Driver(error.to_string()),
        }
    }
}

/// Reads "UNIQUE constraint failed: `rental.locker_id`, `rental.ends_on`".
fn unique(text: &str) -> Constraint {
    let columns = text.rsplit_once(": ").map_or(text, |(_, columns)| columns);
    if columns.starts_with("rental.locker_id") {
        Constraint::RentalLocker
    } else if columns.starts_with("rental.member_id") {
        Constraint::RentalMember
    } else {
        Constraint::Unique(columns.to_owned())
    }
}

/// An error that a job of the writer may end with: one that can carry a [`StoreError`].
pub trait JobError: From<StoreError> + Send + 'static {
    /// The store's own error inside, if that is what it was.
    fn store_error(&self) -> Option<&StoreError>;
}

impl JobError for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Why the store could not be opened at all; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is not there.
    #[error("data directory {0} does not exist: run `lockerd init` first")]
    NoDirectory(String),
    /// Another process works in it.
    #[error(
        "data directory {0} is in use by another lockerd process: stop that one first \
         (systemctl stop lockerd)"
    )]
    InUse(String),
    /// The files cannot be touched.
    #[error("cannot use {path}: {source}")]
    Files {
        /// Which file or directory.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A newer lockerd wrote it.
    #[error(
        "the database is at schema version {found}, newer than this lockerd knows ({known}): \
         install the lockerd that wrote it, or restore a backup made by this version"
    )]
    Newer {
        /// What the file says.
        found: i32,
        /// The newest that this program knows.
        known: i32,
    },
    /// It is somebody else's SQLite file.
    #[error("{0} is an SQLite file of another program: move it away or name another data_dir")]
    Foreign(String),
    /// An update needs a backup first, and there is no room for it.
    #[error(
        "the database must be brought up to date, and {place} has {free_mb} MB free where \
         {needed_mb} MB are needed for a backup first: make room, nothing was changed"
    )]
    NoRoom {
        /// The directory.
        place: String,
        /// What is needed.
        needed_mb: u64,
        /// What there is.
        free_mb: u64,
    },
    /// A migration failed; the file is as it was before.
    #[error("the database could not be brought up to date: {0}")]
    Migration(String),
    /// SQLite refused something that must not be refused.
    #[error("the database could not be opened: {0}")]
    Store(#[from] StoreError),
}
