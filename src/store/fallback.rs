//! What outlives a broken database: the last published state and the openings of the meantime.
//!
//! The state is one JSON document behind a line with its SHA-256, replaced atomically. The spill
//! is one JSON line per opening, synced as written; when the database works again the lines are
//! stored and the file goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::snapshot::{Site, Snapshot};
use crate::domain::bank::{Bank, Location};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId, SessionId, TermId};
use crate::domain::kiosk::Kiosk;
use crate::domain::locker::Locker;
use crate::domain::opening::Opening;
use crate::domain::rental::{Rental, RentalState};
use crate::domain::returning::Return;
use crate::domain::term::Term;
use crate::domain::time::{DateSpan, Monotonic};

/// A larger spill is not written: something is wrong that people must look at.
pub const SPILL_BYTES_MAX: u64 = 8 << 20;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u64,
    locations: Vec<Location>,
    banks: Vec<Bank>,
    lockers: Vec<Locker>,
    terms: Vec<Term>,
    staff: Vec<(MemberId, Vec<BankId>)>,
    #[serde(default)]
    kiosks: Vec<Kiosk>,
    /// Sealed, in base64: without the site's own key nobody can read them.
    #[serde(default)]
    presence_keys: Vec<(BankId, String)>,
    #[serde(default)]
    leavers: Vec<MemberId>,
    rentals: Vec<SavedRental>,
    ended_sessions: Vec<(SessionId, i64)>,
}

#[derive(Serialize, Deserialize)]
struct SavedRental {
    id: RentalId,
    locker_id: LockerId,
    member_id: MemberId,
    term_id: Option<TermId>,
    dates: DateSpan,
    #[serde(default)]
    opened: bool,
    #[serde(default)]
    sealed: bool,
    #[serde(default)]
    returned: Option<SavedReturn>,
}

/// How a rental was given back.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedReturn {
    InTime,
    Late,
}

/// Writes the state beside the old file, syncs it and puts it in its place.
pub fn save(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let saved = Saved {
        version: snapshot.version,
        locations: snapshot.site.locations.values().cloned().collect(),
        banks: snapshot.site.banks.values().cloned().collect(),
        lockers: snapshot.site.lockers.values().cloned().collect(),
        terms: snapshot.site.terms.clone(),
        staff: snapshot.site.staff.iter().map(|(id, banks)| (*id, banks.clone())).collect(),
        kiosks: snapshot.site.kiosks.values().cloned().collect(),
        presence_keys: snapshot
            .site
            .presence_keys
            .iter()
            .map(|(id, sealed)| (*id, BASE64.encode(sealed)))
            .collect(),
        leavers: snapshot.site.leavers.iter().copied().collect(),
        // Holds are left out: they open nothing, and nothing can be confirmed meanwhile.
        rentals: snapshot
            .rentals()
            .filter(|rental| !matches!(rental.state, RentalState::Held { .. }))
            .map(|rental| SavedRental {
                id: rental.id,
                locker_id: rental.locker_id,
                member_id: rental.member_id,
                term_id: rental.term_id,
                dates: rental.dates,
                opened: rental.opened,
                sealed: rental.sealed,
                returned: match rental.state {
                    RentalState::Returned(it) if it.late => Some(SavedReturn::Late),
                    RentalState::Returned(_) => Some(SavedReturn::InTime),
                    _ => None,
                },
            })
            .collect(),
        ended_sessions: snapshot.ended_sessions().collect(),
    };
    let body = serde_json::to_vec(&saved)?;
    let temporary = path.with_extension("json.new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{}", HEXLOWER.encode(&Sha256::digest(&body)))?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory_of(path)
}

/// Reads the state back; `None` when there is none or its checksum does not hold.
#[must_use]
pub fn load(path: &Path) -> Option<Snapshot> {
    let text = fs::read(path).ok()?;
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = (&text[..end], &text[end + 1..]);
    if line != HEXLOWER.encode(&Sha256::digest(body)).as_bytes() {
        return None;
    }
    let saved: Saved = serde_json::from_slice(body).ok()?;
    let mut site = Site {
        locations: saved.locations.into_iter().map(|it| (it.id, it)).collect(),
        banks: saved.banks.into_iter().map(|it| (it.id, it)).collect(),
        lockers: saved.lockers.into_iter().map(|it| (it.id, it)).collect(),
        terms: saved.terms,
        staff: saved.staff.into_iter().collect(),
        kiosks: saved.kiosks.into_iter().map(|it| (it.id, it)).collect(),
        presence_keys: saved
            .presence_keys
            .into_iter()
            .filter_map(|(id, sealed)| Some((id, BASE64.decode(sealed.as_bytes()).ok()?)))
            .collect(),
        leavers: saved.leavers.into_iter().collect(),
        ..Site::default()
    };
    site.index_channels();
    let rentals = saved.rentals.into_iter().map(|saved| Rental {
        id: saved.id,
        locker_id: saved.locker_id,
        member_id: saved.member_id,
        term_id: saved.term_id,
        dates: saved.dates,
        opened: saved.opened,
        extensions: 0,
        hold_extended: false,
        sealed: saved.sealed,
        // Nothing is freed by this state: what was seen of its door is asked of the database.
        state: saved.returned.map_or(RentalState::Active, |returned| {
            let it = Return::new(Monotonic(0), None);
            RentalState::Returned(Return { late: returned == SavedReturn::Late, ..it })
        }),
    });
    Some(Snapshot::new(saved.version, Arc::new(site), rentals, saved.ended_sessions))
}

/// Room kept free for records of openings on a full disk.
const BALLAST_BYTES: usize = 1 << 20;

/// Makes the ballast file if it is not there.
pub fn keep_ballast(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut file = File::create(path)?;
    // Written, not only reserved: some file systems promise more than they have.
    file.write_all(&vec![0xA5; BALLAST_BYTES])?;
    file.sync_all()
}

/// Appends an opening to the spill and syncs it. On a full disk the ballast makes room.
pub fn spill(path: &Path, ballast: &Path, opening: &Opening) -> io::Result<()> {
    match append(path, opening) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull && ballast.exists() => {
            fs::remove_file(ballast)?;
            append(path, opening)
        }
        appended => appended,
    }
}

fn append(path: &Path, opening: &Opening) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let length = file.metadata()?.len();
    if length > SPILL_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the spill of openings is full"));
    }
    let mut line = Vec::new();
    // A last line that a power loss cut off must not swallow this one.
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != [b'\n'] {
        line.push(b'\n');
    }
    serde_json::to_writer(&mut line, opening)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()?;
    if length == 0 { sync_directory_of(path) } else { Ok(()) }
}

/// A new name is on the disk only when its directory is.
/// Makes a rename or removal in the directory of `path` last.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Takes the spill away from whoever appends to it and reads it; lines that a power loss cut off
/// are left out and said. What was taken stays on disk until [`clear_taken_spill`].
pub fn take_spill(path: &Path) -> io::Result<Vec<Opening>> {
    let taken = taken_spill(path);
    if !taken.exists() {
        match fs::rename(path, &taken) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            renamed => renamed?,
        }
    }
    let mut openings = Vec::new();
    for line in fs::read(&taken)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(opening) => openings.push(opening),
            Err(error) => {
                tracing::warn!(area = "store", %error, "a line of the openings spill is unreadable");
            }
        }
    }
    Ok(openings)
}

/// Whether anything spilled waits to be stored.
#[must_use]
pub fn has_spill(path: &Path) -> bool {
    path.exists() || taken_spill(path).exists()
}

/// Removes what [`take_spill`] gave after it was stored.
pub fn clear_taken_spill(path: &Path) -> io::Result<()> {
    match fs::remove_file(taken_spill(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn taken_spill(path: &Path) -> PathBuf {
    path.with_extension("spill.taken")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::{KioskId, OpeningId};
    use crate::domain::opening::OpenedAs;

    fn snapshot() -> Snapshot {
        let dates = DateSpan::new(date(2026, 9, 1), date(2026, 9, 9)).expect("in order");
        let rental = Rental {
            id: RentalId(1),
            locker_id: LockerId(101),
            member_id: MemberId(7),
            term_id: Some(TermId(1)),
            dates,
            opened: true,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        };
        let hold = Rental {
            id: RentalId(2),
            locker_id: LockerId(102),
            member_id: MemberId(8),
            state: RentalState::Held { until: Monotonic(9) },
            ..rental
        };
        let returned = Rental {
            id: RentalId(3),
            locker_id: LockerId(103),
            sealed: true,
            state: RentalState::Returned(Return { late: true, ..Return::new(Monotonic(9), None) }),
            ..rental
        };
        let mut site = Site::default();
        let kiosk = Kiosk {
            id: KioskId(4),
            name: "로비".to_owned(),
            banks: vec![BankId(1)],
            credential_hash: Some([7; 32]),
        };
        site.kiosks.insert(kiosk.id, kiosk);
        site.presence_keys.insert(BankId(1), vec![1, 2, 255]);
        Snapshot::new(41, Arc::new(site), [rental, hold, returned], [(SessionId(3), 5)])
    }

    #[test]
    fn rentals_and_returns_dead_sessions_and_kiosks_come_back() {
        let dir = tempfile::tempdir().expect("a place");
        let path = dir.path().join("snapshot.json");
        save(&path, &snapshot()).expect("written");
        let back = load(&path).expect("readable");
        assert_eq!(back.version, 41);
        let mut found: Vec<_> =
            back.rentals().map(|it| (it.id.0, it.opened, it.is_returned(), it.sealed)).collect();
        found.sort_unstable();
        assert_eq!(found, [(1, true, false, false), (3, true, true, true)]);
        assert!(back.returned().all(|it| it.is_late(it.dates.first())), "late it was returned");
        assert!(back.session_ended(SessionId(3)));
        let known = snapshot();
        assert_eq!(back.site.kiosks, known.site.kiosks);
        assert_eq!(back.site.presence_keys, known.site.presence_keys);
    }

    #[test]
    fn one_changed_byte_makes_the_file_worthless() {
        let dir = tempfile::tempdir().expect("a place");
        let path = dir.path().join("snapshot.json");
        save(&path, &snapshot()).expect("written");
        let mut bytes = fs::read(&path).expect("readable");
        let last = bytes.len() - 20;
        bytes[last] ^= 1;
        fs::write(&path, bytes).expect("written");
        assert!(load(&path).is_none());
        assert!(load(&dir.path().join("none")).is_none());
    }

    #[test]
    fn spilled_openings_survive_torn_lines_and_an_interrupted_replay() {
        let dir = tempfile::tempdir().expect("a place");
        let (path, ballast) = (dir.path().join("openings.spill"), dir.path().join("ballast"));
        keep_ballast(&ballast).expect("made");
        assert!(take_spill(&path).expect("no file is fine").is_empty());
        let opening = |second| {
            let at = Timestamp::from_second(second).expect("in range");
            let id = OpeningId(Uuid::now_v7());
            Opening::requested(id, LockerId(101), MemberId(7), OpenedAs::Renter, at)
        };
        let [first, second, third] = [opening(1), opening(2), opening(3)];
        spill(&path, &ballast, &first).expect("written");
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"{\"id\":\"0192").expect("torn");
        spill(&path, &ballast, &second).expect("written behind the torn line");
        assert_eq!(take_spill(&path).expect("readable"), [first.clone(), second.clone()]);
        // What is spilled while the replay is under way waits for the next one.
        spill(&path, &ballast, &third).expect("written");
        assert_eq!(take_spill(&path).expect("as before"), [first, second]);
        clear_taken_spill(&path).expect("removed");
        assert_eq!(take_spill(&path).expect("the rest"), [third]);
        clear_taken_spill(&path).expect("removed");
        clear_taken_spill(&path).expect("twice is fine");
        assert!(!has_spill(&path));
    }

    #[test]
    fn a_full_disk_gives_the_ballast_up_for_an_opening() {
        let dir = tempfile::tempdir().expect("a place");
        let ballast = dir.path().join("ballast");
        keep_ballast(&ballast).expect("made");
        let opening = Opening::requested(
            OpeningId(Uuid::now_v7()),
            LockerId(101),
            MemberId(7),
            OpenedAs::Renter,
            Timestamp::UNIX_EPOCH,
        );
        // This device takes nothing, before or after: what counts is that the room was made.
        let full = spill(Path::new("/dev/full"), &ballast, &opening).expect_err("full");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert!(!ballast.exists());
    }
}
