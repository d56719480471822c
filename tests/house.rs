//! The plan of the house, held by walking the sources: who may import whom, which library may be
//! named where, and how large a room may get. It links nothing, so it runs in no time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may import from. A room that is not listed may not exist.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("store", &["domain", "clock"]),
    ("bus", &["domain"]),
    ("mail", &[]),
    ("sim", &[]),
    ("service", &["domain", "clock", "store", "bus", "mail"]),
    ("http", &["domain", "service", "sim"]),
    ("jobs", &["service"]),
    ("config", &["domain", "bus", "mail", "service"]),
    ("lifecycle", &[]),
    ("telemetry", &[]),
    ("app", &["bus", "clock", "config", "http", "jobs", "lifecycle", "service", "store"]),
    (
        "cli",
        &[
            "app",
            "bus",
            "clock",
            "config",
            "domain",
            "http",
            "lifecycle",
            "service",
            "sim",
            "store",
            "telemetry",
        ],
    ),
];

/// Libraries that one room alone may name (test code of other rooms aside).
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("refinery", &["store"]),
    ("warp", &["http"]),
    ("tokio_tungstenite", &["http"]),
    ("tokio_serial", &["bus"]),
    ("rustix", &["sim", "cli", "store", "service", "clock"]),
    ("argon2", &["service"]),
    ("jsonwebtoken", &["service"]),
    ("totp_rs", &["domain"]),
    ("unicode_normalization", &["domain"]),
    ("qrcodegen", &["http"]),
    ("aws_lc_rs", &["service"]),
    ("lettre", &["mail"]),
    ("minijinja", &["mail"]),
    ("clap", &["cli"]),
    ("rust_embed", &["http"]),
    ("flate2", &["http"]),
    ("tokio_cron_scheduler", &["jobs"]),
];

/// Most lines of one source file.
const LINES_MAX: usize = 700;

/// Marks of unfinished work. Written in two parts, so that this list does not find itself.
const UNFINISHED_MARKS: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME"), ("XX", "X")];

struct Source {
    /// Relative to `src`.
    path: PathBuf,
    /// The room: the first part of the path without its ending.
    room: String,
    text: String,
}

impl Source {
    /// Everything before the test module at the foot of the file.
    fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == "tests.rs")
            || self.path.components().any(|part| part.as_os_str() == "tests")
    }
}

fn sources() -> Vec<Source> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut open) = (Vec::new(), vec![base.clone()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).expect("a readable directory") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("readable text");
                let path = path.strip_prefix(&base).expect("below src").to_path_buf();
                let first = path.components().next().expect("a name").as_os_str();
                let room = first.to_string_lossy().trim_end_matches(".rs").to_owned();
                found.push(Source { path, room, text });
            }
        }
    }
    assert!(found.len() > 50, "only {} sources were found", found.len());
    found
}

/// The rooms that a text names as `crate::room`, also in a group `crate::{a, b::c}`.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut word = String::new();
            let mut fresh = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => fresh = true,
                    ':' => fresh = false,
                    c if depth == 0 && fresh && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
                if (!fresh || c == ',') && !word.is_empty() && depth == 0 {
                    rooms.push(std::mem::take(&mut word));
                }
            }
            if !word.is_empty() {
                rooms.push(word);
            }
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

#[test]
fn a_room_imports_only_from_the_floors_below() {
    let plan: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut breaches = Vec::new();
    for source in sources() {
        if matches!(source.room.as_str(), "lib" | "main") {
            continue;
        }
        let Some(allowed) = plan.get(source.room.as_str()) else {
            breaches.push(format!(
                "{}: room {:?} is not in the plan",
                source.path.display(),
                source.room
            ));
            continue;
        };
        for room in imports(&source.text) {
            if room != source.room && !allowed.contains(&room.as_str()) {
                breaches.push(format!("{} imports {room}", source.path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_walker_sees_every_way_to_import() {
    let text = "use crate::store::Store;\nlet x = crate::bus::Bus;\nuse crate::{app, http::{self, Api}, jobs};";
    assert_eq!(imports(text), ["store", "bus", "app", "http", "jobs"]);
}

#[test]
fn a_library_stays_in_its_room() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (library, rooms) in ONLY_IN {
            let named = [format!("{library}::"), format!("use {library};")];
            let found = named.iter().any(|name| source.without_tests().contains(name.as_str()));
            if found && !rooms.contains(&source.room.as_str()) {
                breaches.push(format!("{} names {library}", source.path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_room_says_what_it_owns_and_keeps_its_size() {
    let mut breaches = Vec::new();
    for source in sources() {
        let name = source.path.display();
        if !source.text.starts_with("//!") {
            breaches.push(format!("{name} does not begin with what it owns (//!)"));
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            breaches.push(format!("{name} has {lines} lines: more than one room"));
        }
        for (head, tail) in UNFINISHED_MARKS {
            if source.text.contains(&format!("{head}{tail}")) {
                breaches.push(format!("{name} holds a {head}{tail}"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// The names of structs and enums that the API document is made from.
fn schemas(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("#[derive(") {
        let Some((derived, rest)) = text[at..].split_once(")]") else { continue };
        if !derived.contains("ToSchema") {
            continue;
        }
        let declared = rest.lines().find_map(|line| {
            let line = line.trim_start();
            let line = match line.strip_prefix("pub") {
                Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
                Some(rest) => rest.trim_start(),
                None => line,
            };
            line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "))
        });
        let letters = declared.expect("a struct or an enum").chars();
        names.push(letters.take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    }
    names
}

/// Of two of one name, the document would describe one alone, wherever either is used.
#[test]
fn what_the_api_document_names_has_a_name_of_its_own() {
    let text = "#[derive(Debug, ToSchema)]\n#[serde(x)]\npub(super) struct A {}\n#[derive(Debug)]\n\
        struct B;\n#[derive(\n  ToSchema,\n)]\n/// A struct.\npub enum C<T> {}\n";
    assert_eq!(schemas(text), ["A", "C"]);
    let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut breaches = Vec::new();
    for source in sources() {
        for name in schemas(&source.text) {
            if let Some(other) = known.insert(name.clone(), source.path.clone()) {
                breaches.push(format!(
                    "{name} is in {} and in {}",
                    other.display(),
                    source.path.display()
                ));
            }
        }
    }
    assert!(known.len() > 200, "only {} schemas: the walk sees nothing", known.len());
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// The programs that are wrong on purpose (`src/store/mutants.rs`) are in no build that does not ask
/// for them by name, and in no release at all.
#[test]
fn what_is_wrong_on_purpose_is_never_shipped() {
    const FEATURE: &str = "feature = \"mutants\"";
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("readable");
    assert!(manifest.contains("\nmutants = []\n"), "the feature takes nothing else in");
    let named = manifest.lines().filter(|line| line.contains("mutants") && !line.starts_with('#'));
    assert_eq!(named.count(), 1, "nothing else in Cargo.toml turns it on");
    let mut guarded = 0;
    for source in sources().iter().filter(|it| !it.path.ends_with("store/mutants.rs")) {
        let mut before = "";
        for line in source.text.lines() {
            if line.contains("mutants::") || line.contains("mod mutants") {
                assert!(before.contains(FEATURE), "{}: {line}", source.path.display());
                guarded += 1;
            }
            // The switch may stand over an `if` over it.
            let goes_on = before.contains(FEATURE) && line.trim_start().starts_with("if ");
            before = if goes_on { before } else { line };
        }
    }
    assert!(guarded > 3, "only {guarded} places: the walk sees nothing");
    let library = sources().into_iter().find(|it| it.path == Path::new("lib.rs")).expect("there");
    let guard = format!("#[cfg(all({FEATURE}, not(debug_assertions)))]\ncompile_error!");
    assert!(library.text.contains(&guard), "a release must refuse it");
}
