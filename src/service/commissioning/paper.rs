//! What a proof leaves on paper: lines for config.toml, a layout, a report, labels for the doors.
//!
//! Nothing is written into the configuration behind anybody's back: the lines are shown, a person takes
//! them over. Used by the command line and by the API alike.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bus::codec::codec;
use crate::domain::channel::Channel;
use crate::domain::commissioning::{LockResult, Proof};
use crate::domain::id::LockerId;
use crate::service::site::{BankEntry, LocationEntry, LockerEntry, SiteFile};

/// What the label of a door and its page look like on paper.
const LABEL_STYLE: &str = "@page{margin:10mm}body{margin:0;font-family:sans-serif}\
    main{display:flex;flex-wrap:wrap;gap:4mm}\
    section{box-sizing:border-box;width:60mm;height:35mm;border:.3mm solid #000;border-radius:2mm;\
    padding:2mm;text-align:center;break-inside:avoid}\
    b{display:block;font-size:20mm;line-height:24mm}small{font-size:3.5mm;color:#333}";

/// The lines of config.toml that a proof found: one `[[bus.board]]` a board.
#[must_use]
pub fn config_lines(proofs: &[Proof], has_echo: Option<bool>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let (Some(echo), Some(first)) = (has_echo, proofs.first()) {
        let echo = if echo { "present" } else { "absent" };
        let _ = writeln!(text, "# In [[bus]] {}:\necho = \"{echo}\"", first.bus());
    }
    for proof in proofs {
        let found = proof.conclude();
        let _ = write!(
            text,
            "\n# Keep what else stands there, such as power_supply and pulse_ms.\n[[bus.board]]\n\
             address = {}\nfamily = \"{}\"\nlocks = {}\n",
            proof.board(),
            proof.family(),
            proof.locks()
        );
        match found.closed_bit {
            Some(bit) => drop(write!(text, "doors = true\nclosed_bit = {bit}\n")),
            None if !found.wiring.is_empty() => drop(writeln!(text, "doors = false")),
            None => {}
        }
        let differs = codec(proof.family()).capabilities().uses_status_order;
        if let (Some(lowest), true) = (found.lowest_first, differs) {
            let order = if lowest { "lowest-first" } else { "highest-first" };
            let _ = writeln!(text, "status_order = \"{order}\"");
        }
    }
    text
}

/// The site file that wires each proven number to its lock. With a layout to begin from, its lockers
/// keep their places; numbers that it does not know go into the named bank.
#[must_use]
pub fn layout(proofs: &[Proof], begin: Option<SiteFile>, names: (&str, &str)) -> SiteFile {
    let mut wires: BTreeMap<LockerId, Channel> = proofs
        .iter()
        .flat_map(|proof| {
            let wiring = proof.conclude().wiring.into_iter();
            wiring.map(|(lock, number)| (number, proof.channel(lock)))
        })
        .collect();
    let taken: HashSet<Channel> = wires.values().cloned().collect();
    let mut file = begin.unwrap_or_default();
    let banks = file.locations.iter_mut().flat_map(|location| &mut location.banks);
    for locker in banks.flat_map(|bank| &mut bank.lockers) {
        if let Some(channel) = wires.remove(&LockerId(locker.id)) {
            wire(locker, &channel);
        } else if channel_of(locker).is_some_and(|channel| taken.contains(&channel)) {
            (locker.bus, locker.board, locker.lock) = (None, None, None);
        }
    }
    let new: Vec<LockerEntry> = wires
        .iter()
        .map(|(number, channel)| {
            let mut locker = LockerEntry { id: number.0, ..LockerEntry::default() };
            wire(&mut locker, channel);
            locker
        })
        .collect();
    if !new.is_empty() {
        add(&mut file, names, new);
    }
    file
}

fn wire(locker: &mut LockerEntry, channel: &Channel) {
    locker.bus = Some(channel.bus.as_str().to_owned());
    (locker.board, locker.lock) = (Some(channel.board), Some(channel.lock));
}

fn channel_of(locker: &LockerEntry) -> Option<Channel> {
    let text = format!("{}/{}/{}", locker.bus.as_ref()?, locker.board?, locker.lock?);
    text.parse().ok()
}

fn add(file: &mut SiteFile, (location, bank): (&str, &str), lockers: Vec<LockerEntry>) {
    let known = file.locations.iter().position(|it| it.name_ko == location);
    let place = known.unwrap_or(file.locations.len());
    if known.is_none() {
        let name_ko = location.to_owned();
        file.locations.push(LocationEntry { name_ko, ..LocationEntry::default() });
    }
    let banks = &mut file.locations[place].banks;
    match banks.iter_mut().find(|it| it.name_ko == bank) {
        Some(bank) => bank.lockers.extend(lockers),
        None => {
            banks.push(BankEntry { name_ko: bank.to_owned(), lockers, ..BankEntry::default() });
        }
    }
}

/// The report for people.
#[must_use]
pub fn report(proofs: &[Proof], has_echo: Option<bool>) -> String {
    let mut text = String::new();
    for proof in proofs {
        let found = proof.conclude();
        let (bus, board, family) = (proof.bus(), proof.board(), proof.family());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "board {board} on bus {bus} ({family}, {} locks)", proof.locks());
        for (lock, result) in proof.results() {
            let _ = match result {
                LockResult::Proven { number, moved } => {
                    let sensor = moved.sensor.map_or("none".to_owned(), |it| it.to_string());
                    writeln!(text, "  lock {lock:>2}: door {number}, input {sensor}")
                }
                LockResult::Skipped { why: Some(why) } => {
                    writeln!(text, "  lock {lock:>2}: left out; {why}")
                }
                LockResult::Skipped { why: None } => writeln!(text, "  lock {lock:>2}: left out"),
            };
        }
        let open = usize::from(proof.locks()) - proof.results().len();
        if open > 0 {
            let _ = writeln!(text, "  {open} locks not tried yet");
        }
        for (lock, (before, now)) in &found.moved {
            let _ = writeln!(text, "  the layout has {before} at lock {lock}: it is {now}");
        }
        for trouble in found.troubles() {
            let _ = writeln!(text, "  to mend: {trouble}");
        }
        if found.sound {
            text.push_str("  all locks proven, nothing to mend\n");
        }
        text.push('\n');
    }
    text.push_str("for config.toml:\n\n");
    text + &config_lines(proofs, has_echo)
}

/// The report for programs.
#[must_use]
pub fn report_json(proofs: &[Proof], has_echo: Option<bool>) -> Value {
    let boards: Vec<Value> = proofs
        .iter()
        .map(|proof| {
            let found = proof.conclude();
            json!({
                "bus": proof.bus(),
                "board": proof.board(),
                "family": proof.family(),
                "locks": proof.locks(),
                "results": proof.results(),
                "troubles": found.troubles(),
                "conclusion": found,
            })
        })
        .collect();
    json!({ "boards": boards, "echo": has_echo, "config": config_lines(proofs, has_echo) })
}

/// A page to be printed: a label for each proven door, with its number and its channel.
///
/// It needs nothing from anywhere. Every part of it is a number or a bus name, which has no character
/// that HTML takes for its own.
#[must_use]
pub fn labels(proofs: &[Proof]) -> String {
    let mut labels: BTreeMap<LockerId, Channel> = BTreeMap::new();
    for proof in proofs {
        for (lock, number) in proof.conclude().wiring {
            labels.insert(number, proof.channel(lock));
        }
    }
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Door labels</title>\
         <style>{LABEL_STYLE}</style><main>"
    );
    for (number, channel) in labels {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n<section><b>{number}</b><small>{channel}</small></section>");
    }
    page + "\n</main></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::{BusName, Family};
    use crate::domain::commissioning::{REST_MS, Reading};

    /// A board of two locks that open 102 and 101, with switches that read 0 when closed.
    fn proven() -> Proof {
        let bus = BusName::parse("east").expect("valid");
        let mut proof = Proof::new((bus, 1), Family::XorBoard, 2, BTreeMap::new());
        for (lock, number) in [(1, 102), (2, 101)] {
            let known = (1..=2).collect();
            let before = Reading { known, ..Reading::default() };
            let after = Reading { inputs: std::iter::once(lock).collect(), ..before };
            proof.pulse(u64::from(lock) * REST_MS).expect("its turn");
            proof.observe(&before, &after).expect("its turn");
            proof.number(Some(LockerId(number))).expect("its turn");
            proof.closed(&before).expect("its turn");
        }
        proof
    }

    #[test]
    fn the_lines_for_the_configuration_are_toml_and_say_what_was_found() {
        let text = config_lines(&[proven()], Some(true));
        assert!(text.contains("echo = \"present\""), "{text}");
        let board = &text[text.find("[[bus.board]]").expect("a board")..];
        let table: toml::Table = board.parse().expect("TOML");
        let board = &table["bus"]["board"][0];
        assert_eq!(board["closed_bit"].as_bool(), Some(false));
        assert!(board.get("status_order").is_none(), "nothing told the order");
    }

    #[test]
    fn a_layout_is_rewired_and_new_numbers_find_a_bank() {
        let old = "[[location]]\nname_ko = '집'\n[[location.bank]]\nname_ko = '벽'\n\
            [[location.bank.locker]]\nid = 101\nbus = 'east'\nboard = 1\nlock = 1\n\
            [[location.bank.locker]]\nid = 109\nbus = 'east'\nboard = 1\nlock = 2\n";
        let old = toml::from_str(old).expect("a site file");
        let new = layout(&[proven()], Some(old), ("집", "새"));
        let banks = &new.locations[0].banks;
        assert_eq!((new.locations.len(), banks.len()), (1, 2));
        let wired = |bank: usize, place: usize| banks[bank].lockers[place].lock;
        assert_eq!((banks[0].lockers[0].id, wired(0, 0)), (101, Some(2)));
        assert_eq!((banks[0].lockers[1].id, wired(0, 1)), (109, None), "its wire leads elsewhere");
        assert_eq!((banks[1].lockers[0].id, wired(1, 0)), (102, Some(1)));
    }

    #[test]
    fn labels_name_each_door_once_and_load_nothing() {
        let page = labels(&[proven()]);
        assert_eq!(page.matches("<section>").count(), 2);
        assert!(page.contains("<b>101</b><small>east/1/2</small>"), "{page}");
        assert!(!page.contains("http") && !page.contains("<script"), "{page}");
    }

    #[test]
    fn the_report_names_what_is_to_be_mended() {
        let text = report(&[proven()], None);
        assert!(text.contains("lock  1: door 102, input 1"), "{text}");
        assert!(text.contains("nothing to mend"), "{text}");
        let mut open = proven();
        open.repeat();
        assert_eq!(report_json(&[open], None)["boards"][0]["conclusion"]["sound"], json!(true));
    }
}
