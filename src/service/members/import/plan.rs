//! What a roster changes, decided from the file and everybody whom the site knows. Pure.

use std::collections::{HashMap, HashSet};

use super::{ChangedPerson, FieldChange, ImportOptions, LEAVERS_FREE, RosterReport, SHOWN_MAX};
use crate::domain::id::MemberId;
use crate::domain::member::Role;
use crate::service::members::roster_file::{
    Encoding, Field, LineNote, LineReason, Person, RosterFile,
};
use crate::store::members::{Changes, KnownPerson};
use crate::store::{StoreError, Tx, members};

/// Longest chain of people who wait for each other's numbers that is followed.
const ROUNDS_MAX: usize = 64;

/// What is done for one person.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A new account.
    Make(Person),
    /// Other data, or on the roster again.
    Change {
        /// Whose.
        id: MemberId,
        /// On which line of the file.
        line: usize,
        /// Which data.
        changes: Changes,
        /// Whether somebody else of the file gets their phone number or e-mail address.
        gives: bool,
    },
    /// Gone from the roster.
    Leave(MemberId),
}

impl Step {
    /// Lets go of a phone number or address that somebody else gets in the same job.
    pub(super) fn loosen(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let Self::Change { id, changes, gives: true, .. } = self else { return Ok(()) };
        let Some(row) = super::student(tx, *id)? else { return Ok(()) };
        let loose = |new: &Option<Option<String>>| new.as_ref().map(|_| None);
        let (phone, email) = (loose(&changes.phone), loose(&changes.email));
        let email = email.filter(|_| row.email_verified_ms.is_none());
        members::update(tx.conn, *id, &Changes { phone, email, ..Changes::default() })
    }

    /// Says why it was not carried out.
    pub(super) fn note(&self, reason: LineReason, error: &str) -> LineNote {
        let line = match self {
            Self::Make(person) => person.line,
            Self::Change { line, .. } => *line,
            Self::Leave(_) => 0,
        };
        LineNote { line, field: None, reason, other_line: None, error: error.to_owned() }
    }
}

/// A line of the file with whom it is about.
struct Candidate {
    person: Person,
    known: Option<usize>,
    changes: Changes,
}

/// Everything that a roster changes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    encoding: Option<Encoding>,
    rows: usize,
    /// How many the last roster had.
    pub(super) roster_before: usize,
    /// Lines that may be about anybody, so that somebody may only seem to be gone.
    pub(super) unreadable: usize,
    make: Vec<Step>,
    change: Vec<Step>,
    changes: Vec<ChangedPerson>,
    changed: usize,
    unchanged: usize,
    returning: usize,
    leavers: Vec<(MemberId, String)>,
    refused: HashSet<usize>,
    errors: Vec<LineNote>,
    notes: Vec<LineNote>,
}

impl Plan {
    /// Decides what a file changes.
    pub(super) fn make(file: RosterFile, known: &[KnownPerson]) -> Self {
        let index: HashMap<&str, usize> =
            known.iter().enumerate().map(|(at, it)| (it.student_id.as_str(), at)).collect();
        let mut plan = Self {
            encoding: file.encoding,
            rows: file.rows,
            unreadable: file.unreadable,
            refused: file.errors.iter().map(|note| note.line).collect(),
            errors: file.errors,
            ..Self::default()
        };
        let mut listed: HashSet<&str> = file.also_listed.iter().map(String::as_str).collect();
        let ids: Vec<String> =
            file.people.iter().map(|it| it.profile.student_id().to_owned()).collect();
        listed.extend(ids.iter().map(String::as_str));
        let on_roster = |it: &&KnownPerson| it.role == Role::Student && it.on_roster;
        plan.roster_before = known.iter().filter(on_roster).count();
        let gone = known.iter().filter(on_roster).filter(|it| !listed.contains(&*it.student_id));
        plan.leavers = gone.map(|it| (it.id, it.student_id.clone())).collect();
        let candidates = plan.candidates(file.people, known, &index);
        let (candidates, given) = plan.without_conflicts(candidates, known);
        for candidate in candidates {
            plan.add(candidate, known, &given);
        }
        plan.errors.sort_by_key(|note| note.line);
        plan
    }

    /// Sorts out what each line would change.
    fn candidates(
        &mut self,
        people: Vec<Person>,
        known: &[KnownPerson],
        index: &HashMap<&str, usize>,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(people.len());
        for person in people {
            let found = index.get(person.profile.student_id()).copied();
            let Some(who) = found.map(|at| &known[at]) else {
                candidates.push(Candidate { person, known: None, changes: Changes::default() });
                continue;
            };
            if who.role != Role::Student {
                let error = "belongs to staff: the roster does not change it";
                self.note(person.line, Field::StudentId, LineReason::Staff, error);
                self.unchanged += 1;
                continue;
            }
            let mut changes = differing(&person, who);
            if who.email_verified && changes.email.take().is_some() {
                let error = "the e-mail address of the account was proven by its owner: it stays";
                self.note(person.line, Field::Email, LineReason::Proven, error);
            }
            candidates.push(Candidate { person, known: found, changes });
        }
        candidates
    }

    /// Leaves out who would get what somebody else keeps. Also gives what changes hands.
    fn without_conflicts(
        &mut self,
        mut candidates: Vec<Candidate>,
        known: &[KnownPerson],
    ) -> (Vec<Candidate>, HashSet<(Field, String)>) {
        let mut holder: HashMap<(Field, &str), usize> = HashMap::new();
        for (at, who) in known.iter().enumerate() {
            holder.extend(who.phone.as_deref().map(|it| ((Field::Phone, it), at)));
            holder.extend(who.email.as_deref().map(|it| ((Field::Email, it), at)));
        }
        // Each round leaves somebody out or is the last; who is left out may have been in the way of
        // nobody, or let go of what the next one counted on.
        for _ in 0..ROUNDS_MAX {
            let let_go: HashSet<(Field, usize)> = candidates
                .iter()
                .filter_map(|it| Some((it.known?, &it.changes)))
                .flat_map(|(at, changes)| {
                    let phone = changes.phone.is_some().then_some((Field::Phone, at));
                    let email = changes.email.is_some().then_some((Field::Email, at));
                    phone.into_iter().chain(email)
                })
                .collect();
            let mut given = HashSet::new();
            let before = candidates.len();
            candidates.retain(|candidate| {
                let mut free = true;
                for (field, value) in candidate.wants() {
                    match holder.get(&(field, value)) {
                        Some(at) if candidate.known == Some(*at) => {}
                        Some(at) if let_go.contains(&(field, *at)) => {
                            given.insert((field, value.to_owned()));
                        }
                        Some(_) => {
                            let what = field.name();
                            let error = format!("another account has this {what}: see whose it is");
                            self.refuse(candidate.person.line, field, &error);
                            free = false;
                        }
                        None => {}
                    }
                }
                free
            });
            if candidates.len() == before {
                return (candidates, given);
            }
        }
        // A longer chain is cut where it is carried out.
        (candidates, HashSet::new())
    }

    fn add(
        &mut self,
        candidate: Candidate,
        known: &[KnownPerson],
        passed_on: &HashSet<(Field, String)>,
    ) {
        let Candidate { person, known: found, changes } = candidate;
        let Some(who) = found.map(|at| &known[at]) else {
            self.make.push(Step::Make(person));
            return;
        };
        let fields = described(&changes, who);
        self.returning += usize::from(who.leaving);
        if fields.is_empty() {
            self.unchanged += usize::from(!who.leaving);
        } else {
            self.changed += 1;
            if self.changes.len() < SHOWN_MAX {
                let student_id = who.student_id.clone();
                self.changes.push(ChangedPerson { line: person.line, student_id, fields });
            }
        }
        if changes != Changes::default() || who.leaving || !who.on_roster {
            let handed_on = |field, value: &Option<String>| {
                value.as_ref().is_some_and(|value| passed_on.contains(&(field, value.clone())))
            };
            let gives = handed_on(Field::Phone, &who.phone) || handed_on(Field::Email, &who.email);
            self.change.push(Step::Change { id: who.id, line: person.line, changes, gives });
        }
    }

    fn refuse(&mut self, line: usize, field: Field, error: &str) {
        self.refused.insert(line);
        self.errors.push(LineNote::new(line, field, LineReason::Taken, error));
    }

    fn note(&mut self, line: usize, field: Field, reason: LineReason, error: &str) {
        self.notes.push(LineNote::new(line, field, reason, error));
    }

    /// What it does, in numbers and with the first of each kind.
    pub(super) fn report(&self, options: ImportOptions) -> RosterReport {
        let leavers = if options.mark_leavers { self.leavers.as_slice() } else { &[] };
        let very_many = leavers.len() > LEAVERS_FREE && leavers.len() * 3 > self.roster_before;
        let doubtful = self.unreadable > 0 && !leavers.is_empty();
        let confirmed = options.confirm_leavers == Some(leavers.len());
        let shown = |notes: &[LineNote]| notes.iter().take(SHOWN_MAX).cloned().collect();
        RosterReport {
            dry_run: options.dry_run,
            encoding: self.encoding,
            rows: self.rows,
            new: self.make.len(),
            changed: self.changed,
            unchanged: self.unchanged,
            returning: self.returning,
            leavers: leavers.len(),
            refused: self.refused.len(),
            confirm_leavers: ((very_many || doubtful) && !confirmed).then_some(leavers.len()),
            changes: self.changes.clone(),
            leaving: leavers.iter().take(SHOWN_MAX).map(|(_, id)| id.clone()).collect(),
            errors: shown(&self.errors),
            notes: shown(&self.notes),
        }
    }

    /// What is to be done: first the people who pass numbers on to each other, then the others.
    pub(super) fn into_steps(self, mark_leavers: bool) -> (Vec<Step>, Vec<Step>) {
        let gives = |step: &Step| matches!(step, Step::Change { gives: true, .. });
        let (entangled, mut rest): (Vec<_>, Vec<_>) = self.change.into_iter().partition(gives);
        rest.extend(self.make);
        if mark_leavers {
            rest.extend(self.leavers.into_iter().map(|(id, _)| Step::Leave(id)));
        }
        (entangled, rest)
    }
}

impl Candidate {
    /// The phone number and e-mail address that nobody else may have.
    fn wants(&self) -> impl Iterator<Item = (Field, &str)> {
        let profile = &self.person.profile;
        let is_new = self.known.is_none();
        let phone = profile.phone().filter(|_| is_new || self.changes.phone.is_some());
        let email = profile.email().filter(|_| is_new || self.changes.email.is_some());
        phone.map(|it| (Field::Phone, it)).into_iter().chain(email.map(|it| (Field::Email, it)))
    }
}

/// What a line says differently; an empty cell says nothing.
fn differing(person: &Person, who: &KnownPerson) -> Changes {
    let profile = &person.profile;
    let other = |new: Option<&str>, old: &Option<String>| {
        new.filter(|new| old.as_deref() != Some(*new)).map(|new| Some(new.to_owned()))
    };
    Changes {
        name: Some(profile.name().to_owned()).filter(|name| *name != who.name),
        phone: other(profile.phone(), &who.phone),
        email: other(profile.email(), &who.email),
        department: other(person.department.as_deref(), &who.department),
        ..Changes::default()
    }
}

fn described(changes: &Changes, who: &KnownPerson) -> Vec<FieldChange> {
    let name = changes.name.clone().map(Some);
    [
        ("name", Some(who.name.clone()), name),
        ("phone_number", who.phone.clone(), changes.phone.clone()),
        ("email", who.email.clone(), changes.email.clone()),
        ("department", who.department.clone(), changes.department.clone()),
    ]
    .into_iter()
    .filter_map(|(field, before, after)| Some(FieldChange { field, before, after: after? }))
    .collect()
}

#[cfg(test)]
mod tests;
