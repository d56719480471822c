//! What a roster changes, for people who are new, known, leaving, staff or in each other's way.

use super::*;

fn known(id: i64, student_id: &str, phone: Option<&str>) -> KnownPerson {
    KnownPerson {
        id: MemberId(id),
        student_id: student_id.to_owned(),
        name: "홍길동".to_owned(),
        phone: phone.map(str::to_owned),
        email: None,
        department: None,
        role: Role::Student,
        on_roster: true,
        leaving: false,
        email_verified: false,
    }
}

fn file(rows: &str) -> RosterFile {
    RosterFile::read(format!("student_id,name,phone,email,department\n{rows}").as_bytes())
        .expect("a roster")
}

fn marking(confirm_leavers: Option<usize>) -> ImportOptions {
    ImportOptions { dry_run: false, mark_leavers: true, confirm_leavers }
}

#[test]
fn an_empty_cell_takes_nothing_away_and_a_full_one_is_told_before_and_after() {
    let mut who = known(1, "A100", Some("01011111111"));
    who.department = Some("수학과".to_owned());
    let plan = Plan::make(file("A100,홍길순,,h@korea.ac.kr,\n"), &[who]);
    let report = plan.report(ImportOptions::default());
    assert_eq!((report.changed, report.unchanged, report.new), (1, 0, 0));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        report.changes[0].fields,
        [
            FieldChange { field: "name", before: text("홍길동"), after: text("홍길순") },
            FieldChange { field: "email", before: None, after: text("h@korea.ac.kr") },
        ]
    );
}

#[test]
fn numbers_that_change_hands_are_no_conflict_and_numbers_that_stay_are() {
    let people =
        || vec![known(1, "A100", Some("01011111111")), known(2, "A200", Some("01022222222"))];
    let swapped = "A100,홍길동,01022222222,,\nA200,홍길동,01011111111,,\n";
    let plan = Plan::make(file(swapped), &people());
    let report = plan.report(ImportOptions::default());
    assert_eq!((report.changed, report.refused), (2, 0));
    let (entangled, rest) = plan.into_steps(false);
    assert_eq!((entangled.len(), rest.len()), (2, 0));
    let handed_on = "A100,홍길동,01033333333,,\nA300,신입생,01011111111,,\n";
    let report = Plan::make(file(handed_on), &people()).report(ImportOptions::default());
    assert_eq!((report.changed, report.new, report.refused), (1, 1, 0));
    // A200 keeps its number, so A100 cannot have it and keeps its own, so A300 cannot have that.
    let chain = "A100,홍길동,01022222222,,\nA300,신입생,01011111111,,\n";
    let report = Plan::make(file(chain), &people()).report(ImportOptions::default());
    assert_eq!((report.changed, report.new, report.refused), (0, 0, 2));
    let refused: Vec<_> = report.errors.iter().map(|note| (note.line, note.field)).collect();
    assert_eq!(refused, [(2, Some(Field::Phone)), (3, Some(Field::Phone))]);
}

#[test]
fn staff_and_proven_addresses_stay_as_they_are_and_it_is_said() {
    let staff = KnownPerson { role: Role::Staff, ..known(1, "S100", None) };
    let mut proven = known(2, "A200", None);
    (proven.email, proven.email_verified) = (Some("own@korea.ac.kr".to_owned()), true);
    let rows = "S100,다른이름,,,\nA200,홍길동,,other@korea.ac.kr,\n";
    let plan = Plan::make(file(rows), &[staff, proven]);
    let report = plan.report(ImportOptions::default());
    assert_eq!((report.changed, report.unchanged, report.refused), (0, 2, 0));
    let notes: Vec<_> = report.notes.iter().map(|note| (note.line, note.field)).collect();
    assert_eq!(notes, [(2, Some(Field::StudentId)), (3, Some(Field::Email))]);
}

#[test]
fn only_students_of_the_last_roster_leave_and_very_many_only_when_confirmed() {
    let mut people: Vec<_> =
        (0..100).map(|id| known(id, &format!("A{:03}", 100 + id), None)).collect();
    people[0].on_roster = false;
    people[1].role = Role::Staff;
    // Whoever stands on a line that cannot be taken is on the list all the same.
    let mut rows = "A102,,,,\n".to_owned();
    for person in &people[3..] {
        rows += &person.student_id;
        rows += ",홍길동,,,\n";
    }
    let all = Plan::make(file(&rows), &people);
    assert_eq!((all.roster_before, all.leavers.len()), (98, 0));
    let few = Plan::make(file("A102,홍길동,,,\n"), &people);
    let report = few.report(marking(None));
    assert_eq!((report.leavers, report.confirm_leavers), (97, Some(97)));
    assert_eq!(few.report(marking(Some(96))).confirm_leavers, Some(97));
    assert_eq!(few.report(marking(Some(97))).confirm_leavers, None);
    assert_eq!(few.report(ImportOptions::default()).leavers, 0, "only when asked for");
    // Twenty may always go.
    people.truncate(22);
    let none = Plan::make(file("B999,새사람,,,\n"), &people);
    let report = none.report(marking(None));
    assert_eq!((report.leavers, report.confirm_leavers), (20, None));
}

#[test]
fn whoever_is_on_the_list_again_returns_and_the_second_time_nothing_is_left_to_do() {
    let mut back = known(1, "A100", None);
    (back.on_roster, back.leaving) = (false, true);
    let made_by_staff = KnownPerson { on_roster: false, ..known(2, "A200", None) };
    let rows = "A100,홍길동,,,\nA200,홍길동,,,\n";
    let plan = Plan::make(file(rows), &[back, made_by_staff]);
    let report = plan.report(ImportOptions::default());
    assert_eq!((report.returning, report.changed, report.unchanged), (1, 0, 1));
    assert_eq!(plan.into_steps(true).1.len(), 2, "both are on the roster from now on");
    let settled = [known(1, "A100", None), known(2, "A200", None)];
    let plan = Plan::make(file(rows), &settled);
    assert_eq!(plan.report(ImportOptions::default()).unchanged, 2);
    let (entangled, rest) = plan.into_steps(true);
    assert_eq!(entangled.len() + rest.len(), 0);
}
