//! A roster file as Korean offices export it: CSV in UTF-8 or CP949, its columns found by their
//! heads in Korean or English, separated by commas, semicolons or tabs. Pure: reads bytes, gives rows
//! and what is wrong with the others, each with its line and column and what to do.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::EUC_KR;
use serde::Serialize;

use crate::domain::member::{self, Profile};
use crate::service::error::{Code, Error};

/// Largest file, in bytes.
pub const BYTES_MAX: usize = 16 << 20;

/// Most people of one file.
pub const ROWS_MAX: usize = 100_000;

/// How a file's letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// With or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What Excel writes in Korean when it is asked for CSV.
    #[serde(rename = "cp949")]
    Cp949,
}

impl Encoding {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Cp949 => "cp949",
        }
    }
}

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Needed.
    StudentId,
    /// Needed.
    Name,
    /// May be missing or empty, as may the others.
    Phone,
    /// E-mail address.
    Email,
    /// Faculty or office.
    Department,
}

impl Field {
    const ALL: [Self; 5] =
        [Self::StudentId, Self::Name, Self::Phone, Self::Email, Self::Department];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StudentId => "student_id",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Department => "department",
        }
    }

    /// The heads by which it is found, in lower case without spaces, hyphens and underscores.
    const fn heads(self) -> &'static [&'static str] {
        match self {
            Self::StudentId => &["studentid", "studentnumber", "학번", "학생번호"],
            Self::Name => &["name", "fullname", "이름", "성명"],
            Self::Phone => &[
                "phone",
                "phonenumber",
                "mobile",
                "tel",
                "전화",
                "전화번호",
                "휴대폰",
                "휴대폰번호",
                "휴대전화",
                "연락처",
            ],
            Self::Email => &["email", "emailaddress", "mail", "이메일", "메일", "이메일주소"],
            Self::Department => &["department", "dept", "major", "학과", "소속", "부서", "전공"],
        }
    }

    fn of_head(head: &str) -> Option<Self> {
        let plain: String = head
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect();
        Self::ALL.into_iter().find(|field| field.heads().contains(&plain.as_str()))
    }
}

/// What is to be known of a line, for programs: with the column it is about it makes a sentence in any
/// language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineReason {
    /// The cell is not acceptable.
    Invalid,
    /// A quote is opened and not closed.
    OpenQuote,
    /// Another line has the same.
    Twice,
    /// Another account has the same.
    Taken,
    /// It belongs to staff, whom a roster does not change.
    Staff,
    /// The owner has proven their address: it stays.
    Proven,
    /// Whoever it is about was changed a moment ago.
    Gone,
}

/// Something about a line that people should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineNote {
    /// Which line of the file; its head is line 1.
    pub line: usize,
    /// Which column it is about, if one.
    pub field: Option<Field>,
    /// What, for programs.
    pub reason: LineReason,
    /// The line that has the same.
    pub other_line: Option<usize>,
    /// What, and what to do.
    pub error: String,
}

impl LineNote {
    /// About a column of a line.
    pub fn new(line: usize, field: Field, reason: LineReason, error: impl Into<String>) -> Self {
        Self { line, field: Some(field), reason, other_line: None, error: error.into() }
    }
}

/// A person of a roster. What is `None` the file does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Which line of the file.
    pub line: usize,
    /// Student id, name, phone and e-mail, checked.
    pub profile: Profile,
    /// Faculty or office.
    pub department: Option<String>,
}

/// A file that was read.
#[derive(Debug, Clone, Default)]
pub struct RosterFile {
    /// How it is written; `None` when it was no file.
    pub encoding: Option<Encoding>,
    /// Lines with data, taken or not.
    pub rows: usize,
    /// Those that can be taken, no two with the same student id, phone or e-mail.
    pub people: Vec<Person>,
    /// Student ids of lines that cannot be taken: whoever is on the list does not leave.
    pub also_listed: Vec<String>,
    /// Lines that may be about anybody: without a student id, or grown together by a quote.
    pub unreadable: usize,
    /// What is wrong with the others.
    pub errors: Vec<LineNote>,
}

/// A line before it was checked.
#[derive(Debug, Clone, Default)]
pub struct RawRow<'a> {
    /// Which line of the file.
    pub line: usize,
    /// As written; so are the others.
    pub student_id: Cow<'a, str>,
    /// Full name.
    pub name: Cow<'a, str>,
    /// Phone number.
    pub phone: Option<Cow<'a, str>>,
    /// E-mail address.
    pub email: Option<Cow<'a, str>>,
    /// Faculty or office.
    pub department: Option<Cow<'a, str>>,
}

impl RosterFile {
    /// Reads a file; a refusal when it is no roster at all.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BYTES_MAX {
            let detail = format!("the roster is larger than {} MiB: split it", BYTES_MAX >> 20);
            return Err(Error::new(Code::TooLarge, detail));
        }
        let (text, encoding) = decode(bytes)?;
        let delimiter = separator(&text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let head = reader.headers().map_err(|error| invalid(error.to_string()))?.clone();
        let columns = columns(&head)?;
        let mut reading = Reading { columns, ..Reading::default() };
        reading.file.encoding = Some(encoding);
        let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
        let mut records = reader.records().peekable();
        while let Some(record) = records.next() {
            let record = record.map_err(|error| invalid(error.to_string()))?;
            let byte = record.position().map_or(0, csv::Position::byte);
            let byte = usize::try_from(byte).unwrap_or(usize::MAX);
            let rest = text.as_bytes().get(byte..).unwrap_or_default();
            let is_open = records.peek().is_none() && ends_in_quote(rest, delimiter);
            reading.take_record(&record, lines.at(byte), is_open)?;
        }
        Ok(reading.file)
    }

    /// Takes rows that stand in no file.
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = RawRow<'a>>) -> Result<Self, Error> {
        let mut reading = Reading::default();
        for row in rows {
            reading.take_row(&row)?;
        }
        Ok(reading.file)
    }
}

/// A file while it is read.
#[derive(Default)]
struct Reading {
    columns: HashMap<Field, usize>,
    file: RosterFile,
    /// On which line a student id, phone number or e-mail address stood first.
    seen: HashMap<(Field, String), usize>,
}

impl Reading {
    /// `is_open`: the file ends within a quote of its last cell.
    fn take_record(
        &mut self,
        record: &csv::StringRecord,
        line: usize,
        is_open: bool,
    ) -> Result<(), Error> {
        if record.iter().all(str::is_empty) {
            return Ok(());
        }
        let over_lines = record.iter().position(|cell| cell.contains(['\n', '\r']));
        let last = is_open.then(|| record.len().saturating_sub(1));
        if let Some(index) = over_lines.or(last) {
            return self.refuse_open_quote(record, index, line);
        }
        let cell = |field| {
            let index: usize = *self.columns.get(&field)?;
            record.get(index).map(|text| Cow::Borrowed(unguarded(text)))
        };
        let row = RawRow {
            line,
            student_id: cell(Field::StudentId).unwrap_or_default(),
            name: cell(Field::Name).unwrap_or_default(),
            phone: cell(Field::Phone),
            email: cell(Field::Email),
            department: cell(Field::Department),
        };
        self.take_row(&row)
    }

    /// A cell goes on over the end of its line: whoever stands on the lines behind was swallowed by it.
    fn refuse_open_quote(
        &mut self,
        record: &csv::StringRecord,
        index: usize,
        line: usize,
    ) -> Result<(), Error> {
        self.count_row()?;
        let field = self.columns.iter().find(|(_, at)| **at == index).map(|(field, _)| *field);
        let error = format!(
            "a quote is opened on line {line} and not closed there, so that the lines behind cannot \
             be read: close it or take it away"
        );
        self.refuse(line, field, LineReason::OpenQuote, &error);
        let id = self.columns.get(&Field::StudentId).and_then(|at| record.get(*at));
        let id = id.and_then(|text| member::parse_student_id(unguarded(text)).ok());
        self.file.also_listed.extend(id);
        self.file.unreadable += 1;
        Ok(())
    }

    fn count_row(&mut self) -> Result<(), Error> {
        self.file.rows += 1;
        if self.file.rows > ROWS_MAX {
            return Err(invalid(format!("the roster has more than {ROWS_MAX} people: split it")));
        }
        Ok(())
    }

    fn take_row(&mut self, row: &RawRow<'_>) -> Result<(), Error> {
        self.count_row()?;
        let errors_before = self.file.errors.len();
        let student_id = member::parse_student_id(&row.student_id);
        let checked = |text: &Option<Cow<'_, str>>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let (phone, email) = (checked(&row.phone), checked(&row.email));
        let phone = phone.map(|text| member::parse_phone(&text)).transpose();
        let email = email.map(|text| member::parse_email(&text)).transpose();
        let department = member::parse_department(row.department.as_deref().unwrap_or_default());
        for (field, error) in [
            (Field::StudentId, student_id.as_ref().err()),
            (Field::Name, member::parse_name(&row.name).as_ref().err()),
            (Field::Phone, phone.as_ref().err()),
            (Field::Email, email.as_ref().err()),
            (Field::Department, department.as_ref().err()),
        ] {
            if let Some(error) = error {
                self.refuse(row.line, Some(field), LineReason::Invalid, &error);
            }
        }
        let unique = [
            (Field::StudentId, student_id.clone().ok()),
            (Field::Phone, phone.ok().flatten()),
            (Field::Email, email.ok().flatten()),
        ];
        let known = |(field, value): (Field, Option<String>)| Some((field, value?));
        let unique: Vec<(Field, String)> = unique.into_iter().filter_map(known).collect();
        for key in &unique {
            if let Some(first) = self.seen.get(key) {
                let error = format!("stands on line {first} as well: keep one of them");
                let note = LineNote::new(row.line, key.0, LineReason::Twice, error);
                self.file.errors.push(LineNote { other_line: Some(*first), ..note });
            }
        }
        let (Ok(student_id), true) = (student_id, self.file.errors.len() == errors_before) else {
            let listed = unique.into_iter().find(|(field, _)| *field == Field::StudentId);
            self.file.unreadable += usize::from(listed.is_none());
            self.file.also_listed.extend(listed.map(|(_, id)| id));
            return Ok(());
        };
        self.seen.extend(unique.into_iter().map(|key| (key, row.line)));
        let (phone, email) = (row.phone.as_deref(), row.email.as_deref());
        match Profile::parse(&student_id, &row.name, phone, email) {
            Ok(profile) => {
                let department = department.ok().flatten();
                self.file.people.push(Person { line: row.line, profile, department });
            }
            Err(error) => self.refuse(row.line, None, LineReason::Invalid, &error),
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        line: usize,
        field: Option<Field>,
        reason: LineReason,
        error: &dyn ToString,
    ) {
        let error = error.to_string();
        self.file.errors.push(LineNote { line, field, reason, other_line: None, error });
    }
}

/// Counts lines as an editor does; the reader of records is one behind after `\r\n` and blank lines.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line on which a record begins whose bytes begin here, perhaps with ends of lines before.
    fn at(&mut self, byte: usize) -> usize {
        while let Some(here) = self.text.get(self.at) {
            let is_end = matches!(here, b'\n' | b'\r');
            if self.at >= byte && !is_end {
                break;
            }
            let pair = *here == b'\r' && self.text.get(self.at + 1) == Some(&b'\n');
            self.line += usize::from(is_end && !pair);
            self.at += 1;
        }
        self.line
    }
}

/// Takes the apostrophe off with which an exported file guards a cell from being a formula.
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => text,
    }
}

/// UTF-8 if it is, else CP949: text in CP949 with Korean letters is never UTF-8 by chance.
fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), Error> {
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(plain) {
        return Ok((text.into(), Encoding::Utf8));
    }
    // What the web calls EUC-KR is all of CP949 (WHATWG Encoding, index EUC-KR).
    EUC_KR
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| (text, Encoding::Cp949))
        .ok_or_else(|| {
            invalid("the roster is neither UTF-8 nor CP949: save it as \"CSV UTF-8\"".to_owned())
        })
}

/// Whether what is left of a file ends within a quote; it begins with a line.
fn ends_in_quote(rest: &[u8], delimiter: u8) -> bool {
    let (mut is_quoted, mut is_first) = (false, true);
    let mut bytes = rest.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (is_quoted, byte) {
            // Two of them are one that belongs to the cell.
            (true, b'"') if bytes.peek() == Some(&b'"') => drop(bytes.next()),
            (true, b'"') => (is_quoted, is_first) = (false, false),
            (true, _) => {}
            (false, b'"') if is_first => is_quoted = true,
            (false, _) => is_first = byte == delimiter || matches!(byte, b'\n' | b'\r'),
        }
    }
    is_quoted
}

/// What stands between the cells: whatever the head has most of, outside of quotes.
fn separator(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let outside: String = head.split('"').step_by(2).collect();
    let count = |separator: &u8| outside.bytes().filter(|byte| byte == separator).count();
    // Of equals the last counts: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn columns(head: &csv::StringRecord) -> Result<HashMap<Field, usize>, Error> {
    let mut columns = HashMap::new();
    for (index, name) in head.iter().enumerate() {
        let Some(field) = Field::of_head(name) else { continue };
        if columns.insert(field, index).is_some() {
            let text = format!("two columns of the roster are the {}: keep one", field.name());
            return Err(invalid(text));
        }
    }
    for (field, korean) in [(Field::StudentId, "학번"), (Field::Name, "이름")] {
        if !columns.contains_key(&field) {
            return Err(invalid(format!(
                "the roster has no column {} ({korean}): its first line must name the columns",
                field.name()
            )));
        }
    }
    Ok(columns)
}

fn invalid(detail: String) -> Error {
    Error::new(Code::Invalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "학번,학과,이름,휴대폰,이메일\n2024000001,컴퓨터학과,홍길동,010-1111-1111,\
        hong@korea.ac.kr\n2024000002,,똠방각하,,\n";

    fn names(file: &RosterFile) -> Vec<&str> {
        file.people.iter().map(|person| person.profile.name()).collect()
    }

    fn errors(text: &str) -> Vec<(usize, Option<Field>)> {
        let file = RosterFile::read(text.as_bytes()).expect("a roster");
        file.errors.iter().map(|note| (note.line, note.field)).collect()
    }

    #[test]
    fn the_same_people_come_out_of_every_encoding_and_separator() {
        let marked = format!("\u{feff}{TEXT}");
        let (cp949, _, unmapped) = EUC_KR.encode(TEXT);
        assert!(!unmapped && cp949.as_ref() != TEXT.as_bytes());
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8),
            (marked.into_bytes(), Encoding::Utf8),
            (cp949.into_owned(), Encoding::Cp949),
            (TEXT.replace(',', ";").into_bytes(), Encoding::Utf8),
            (TEXT.replace(',', "\t").into_bytes(), Encoding::Utf8),
            (TEXT.replace('\n', "\r\n").into_bytes(), Encoding::Utf8),
        ] {
            let file = RosterFile::read(&bytes).expect("a roster");
            assert_eq!((file.encoding, file.rows), (Some(encoding), 2));
            // 똠 is in CP949 but not in the older EUC-KR.
            assert_eq!(names(&file), ["홍길동", "똠방각하"]);
            assert_eq!(file.people[0].department.as_deref(), Some("컴퓨터학과"));
            assert_eq!(file.people[0].profile.phone(), Some("01011111111"));
            assert_eq!((file.people[1].line, file.errors.len()), (3, 0));
        }
    }

    #[test]
    fn each_wrong_cell_is_named_with_its_line() {
        use Field::{Email, Name, Phone, StudentId};
        let head = "student_id,name,phone,email\n";
        for (rows, found) in [
            ("12,가나다,,\n", vec![(2, Some(StudentId))]),
            ("A100,,1,x\n", vec![(2, Some(Name)), (2, Some(Phone)), (2, Some(Email))]),
            ("A100,가,,\nA200,나,,\na100,다,,\n", vec![(4, Some(StudentId))]),
            ("A100,가,01011112222,\nA200,나,010-1111-2222,\n", vec![(3, Some(Phone))]),
            ("A100,가,,a@b.kr\nA200,나,,A@B.kr\n", vec![(3, Some(Email))]),
            ("\n,,,\nA100,\"가\n나\",,\nA200,,,\n", vec![(4, Some(Name)), (6, Some(Name))]),
        ] {
            assert_eq!(errors(&format!("{head}{rows}")), found, "{rows}");
        }
        let bad = RosterFile::read(format!("{head}A100,,,\n").as_bytes()).expect("a roster");
        assert_eq!(bad.also_listed, ["A100"], "whoever is on the list does not leave");
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_with_its_line_and_makes_lines_unreadable() {
        let head = "student_id,name,remark\r\n";
        for (rows, people, listed, unreadable) in [
            // Up to the end of the file, to the next quote, in a column that nobody reads.
            ("A100,가,\r\nA200,\"나,\r\nA300,다,\r\n", vec!["가"], vec!["A200".to_owned()], 1),
            ("A200,\"나,\r\nA300,\"다\",\r\nA400,라,\r\n", vec!["라"], vec!["A200".to_owned()], 1),
            ("A200,나,\"x\r\nA300,다,\"\r\nA400,라,\r\n", vec!["라"], vec!["A200".to_owned()], 1),
            ("\"A200,나,x\r\nA300,다,\"\r\nA400,라,\r\n", vec!["라"], vec![], 1),
            ("A100,\"가\",\"x\"\r\n12,나,\r\nA300,,\r\n", vec!["가"], vec!["A300".to_owned()], 1),
            ("A100,\"가\",\"x\r\n\"\r\nA300,다,\r\n", vec!["가", "다"], vec![], 0),
            // On the last line, with nothing behind it.
            ("A100,가,\r\nA200,나,\"x\r\n", vec!["가"], vec!["A200".to_owned()], 1),
            ("A100,가,\r\nA200,나,\"x", vec!["가"], vec!["A200".to_owned()], 1),
            ("A100,가,\r\nA200,나,\"x\"\"\r\n", vec!["가"], vec!["A200".to_owned()], 1),
            ("A100,가,\r\nA200,나,\"x\"\"\"\r\n", vec!["가", "나"], vec![], 0),
            ("A100,가,\r\nA200,나,5\" x", vec!["가", "나"], vec![], 0),
        ] {
            let file = RosterFile::read(format!("{head}{rows}").as_bytes()).expect("a roster");
            assert_eq!(names(&file), people, "{rows}");
            assert_eq!((file.also_listed, file.unreadable), (listed, unreadable), "{rows}");
        }
        let file = format!("{head}A100,가,\r\nA200,\"나,\r\nA300,다,\r\n");
        let file = RosterFile::read(file.as_bytes()).expect("a roster");
        let error = &file.errors[0];
        assert_eq!((error.line, error.field), (3, Some(Field::Name)));
        assert!(error.error.contains("opened on line 3"), "{}", error.error);
    }

    #[test]
    fn what_is_no_roster_says_what_it_should_be() {
        for (bytes, word) in [
            (&b"student_id,phone\n1,2\n"[..], "name"),
            (b"name,phone\n1,2\n", "student_id"),
            (b"student_id,name,name\n", "two columns"),
            (b"", "student_id"),
            (b"\xff\xfeh\x00i\x00", "CSV UTF-8"),
        ] {
            let error = RosterFile::read(bytes).expect_err("no roster");
            assert!(error.detail.contains(word), "{}", error.detail);
        }
    }

    #[test]
    fn guards_against_formulas_come_off_again() {
        let file = RosterFile::read(b"student_id,name\nA100,'=Kim\nA200,'Kim\n").expect("a roster");
        assert_eq!(names(&file), ["=Kim", "'Kim"]);
    }
}
