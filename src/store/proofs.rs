//! Proofs of boards as files: one JSON document each, replaced as a whole after every step.
//!
//! They are a technician's notes and no part of the site's state, so they need no database; a power cut
//! leaves the last step or the one before, never half of one. The command line keeps its own the same way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fallback::sync_directory_of;

/// A larger file is none of ours.
const BYTES_MAX: u64 = 4 << 20;

/// Replaces the file, or makes it.
pub fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    // A bare name has an empty directory, which cannot be opened.
    let path = &std::path::absolute(path)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = File::create(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory_of(path)
}

/// Reads the file; `None` when there is none.
pub fn load<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > BYTES_MAX {
        return Err(io::Error::other("the file is too large to be a proof"));
    }
    Ok(Some(serde_json::from_slice(&fs::read(path)?)?))
}

/// Removes the file, if it is there.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_directory_of(path)),
    }
}

/// The names of the files of a directory without their ending, sorted; none when it is missing.
pub fn list(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_goes_when_it_is_removed() {
        let place = tempfile::tempdir().expect("a place");
        let path = place.path().join("east-1.json");
        assert_eq!(load::<u32>(&path).expect("missing is none"), None);
        save(&path, &7_u32).expect("written");
        save(&path, &8_u32).expect("replaced");
        assert_eq!(load::<u32>(&path).expect("read"), Some(8));
        assert_eq!(list(place.path()).expect("read"), ["east-1"]);
        fs::write(&path, "half a f").expect("written");
        assert!(load::<u32>(&path).is_err(), "a spoilt file is told, not forgotten");
        remove(&path).expect("removed");
        remove(&path).expect("gone already");
        assert!(list(place.path()).expect("read").is_empty());
    }
}
