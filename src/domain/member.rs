//! People with an account, and the rules for what they write into it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{BankId, MemberId};

/// What a member may do at large; staff rights are further limited to their banks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Rents lockers.
    Student,
    /// Watches and opens the lockers of the banks assigned to them.
    Staff,
    /// Everything, on every bank.
    Admin,
}

impl Role {
    /// Every role; the database's CHECK lists the same names.
    pub const ALL: [Self; 3] = [Self::Student, Self::Staff, Self::Admin];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("unknown role {text:?}; known are student, staff and admin"))
    }
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Signed up and free to use the site.
    Active,
    /// Has no password: known from a roster or made by staff.
    NotSignedUp,
    /// Gone from the roster: can only empty their locker and return it.
    Leaving,
    /// Kept out by staff.
    Disabled,
    /// Closed for good; everything personal is blanked.
    Left,
}

impl MemberState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::NotSignedUp, Self::Leaving, Self::Disabled, Self::Left];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotSignedUp => "not_signed_up",
            Self::Leaving => "leaving",
            Self::Disabled => "disabled",
            Self::Left => "left",
        }
    }

    /// Finds a state by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What was wrong with a member's data; the text is written for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// Empty, too long, or with characters that no student id has.
    #[error("student id {0:?} must be 3 to 20 letters and digits")]
    StudentId(String),
    /// Empty or too long.
    #[error("name must have 1 to 60 characters")]
    Name,
    /// Not a phone number.
    #[error("phone {0:?} must have 8 to 15 digits; spaces and hyphens are fine")]
    Phone(String),
    /// Not an e-mail address.
    #[error("e-mail {0:?} must look like name@example.org, at most 254 characters")]
    Email(String),
    /// Too long.
    #[error("department must have at most 60 characters")]
    Department,
    /// Neither of the two that mails are written in.
    #[error("language {0:?} must be ko or en")]
    Language(String),
}

/// A person's data after it was checked and brought into one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    student_id: String,
    name: String,
    phone: Option<String>,
    email: Option<String>,
}

impl Profile {
    /// Checks and normalises: student id upper case, phone digits only, e-mail lower case.
    pub fn parse(
        student_id: &str,
        name: &str,
        phone: Option<&str>,
        email: Option<&str>,
    ) -> Result<Self, MemberError> {
        let given = |text: Option<&str>| {
            text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Ok(Self {
            student_id: parse_student_id(student_id)?,
            name: parse_name(name)?,
            phone: given(phone).map(|text| parse_phone(&text)).transpose()?,
            email: given(email).map(|text| parse_email(&text)).transpose()?,
        })
    }

    /// Upper-case letters and digits.
    #[must_use]
    pub fn student_id(&self) -> &str {
        &self.student_id
    }

    /// The full name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digits only.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// Lower case.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

/// Brings a student id into its one form: 3 to 20 letters and digits, upper case.
pub fn parse_student_id(text: &str) -> Result<String, MemberError> {
    let trimmed = text.trim();
    let ok =
        (3..=20).contains(&trimmed.len()) && trimmed.bytes().all(|b| b.is_ascii_alphanumeric());
    if ok {
        Ok(trimmed.to_ascii_uppercase())
    } else {
        Err(MemberError::StudentId(trimmed.chars().take(24).collect()))
    }
}

/// Brings a name into its one form: single spaces, 1 to 60 characters, none of them control.
pub fn parse_name(text: &str) -> Result<String, MemberError> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let ok = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if ok { Ok(name) } else { Err(MemberError::Name) }
}

/// Brings a phone number into its one form: digits only, a leading +82 written as 0.
pub fn parse_phone(text: &str) -> Result<String, MemberError> {
    let bad = || MemberError::Phone(text.chars().take(24).collect());
    let trimmed = text.trim();
    let rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if !rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.')) {
        return Err(bad());
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.strip_prefix("82") {
        Some(national) if trimmed.starts_with('+') => {
            format!("0{}", national.trim_start_matches('0'))
        }
        _ => digits,
    };
    if (8..=15).contains(&digits.len()) { Ok(digits) } else { Err(bad()) }
}

/// Brings an e-mail address into its one form, lower case. Only the outline is checked: whether
/// the address exists is proven by mail.
pub fn parse_email(text: &str) -> Result<String, MemberError> {
    let trimmed = text.trim();
    let outline = trimmed.rsplit_once('@').is_some_and(|(local, host)| {
        (1..=64).contains(&local.len())
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !host.contains("..")
    });
    let clean = !trimmed.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',');
    if outline && clean && trimmed.len() <= 254 && trimmed.matches('@').count() == 1 {
        Ok(trimmed.to_lowercase())
    } else {
        Err(MemberError::Email(trimmed.chars().take(64).collect()))
    }
}

/// Brings a faculty or office into its one form: single spaces, at most 60 characters, none of them
/// control; `None` when nothing is left.
pub fn parse_department(text: &str) -> Result<Option<String>, MemberError> {
    let department = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if department.chars().count() > 60 || department.chars().any(char::is_control) {
        return Err(MemberError::Department);
    }
    Ok(Some(department).filter(|text| !text.is_empty()))
}

/// The language of mails: ko or en.
pub fn parse_language(text: &str) -> Result<String, MemberError> {
    match text {
        "ko" | "en" => Ok(text.to_owned()),
        _ => Err(MemberError::Language(text.chars().take(24).collect())),
    }
}

/// A member as the store knows them; personal data stays in the floors that need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their number.
    pub id: MemberId,
    /// What they may do at large.
    pub role: Role,
    /// Their data.
    pub profile: Profile,
    /// Banks a staff member looks after; empty for others.
    pub staff_of: Vec<BankId>,
}

/// Letters that stand for what is covered. Always as many: how long a thing is tells something, too.
const COVER: &str = "****";

/// A student id of which only enough is shown to tell people apart: `2024****12`; of a short one the
/// first and the last letter.
#[must_use]
pub fn covered_id(id: &str) -> String {
    if id.chars().count() >= 8 { covered(id, 4, 2) } else { covered(id, 1, 1) }
}

/// A phone number of which only the network and the last four digits are shown: `010****5678`.
#[must_use]
pub fn covered_phone(digits: &str) -> String {
    let network = if digits.starts_with("01") { 3 } else { 0 };
    covered(digits, network, 4)
}

/// An e-mail address of which only two letters and the host are shown: `ha****@korea.ac.kr`.
#[must_use]
pub fn covered_email(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, host)) => format!("{}@{host}", covered(name, 2, 0)),
        None => COVER.to_owned(),
    }
}

/// At least one letter is always covered.
fn covered(text: &str, before: usize, behind: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= before + behind {
        return COVER.to_owned();
    }
    let shown = |part: &[char]| part.iter().collect::<String>();
    shown(&letters[..before]) + COVER + &shown(&letters[letters.len() - behind..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_brought_into_one_form() {
        let profile = Profile::parse(
            " 2023321234 ",
            "  홍  길동 ",
            Some("+82 10-1234-5678"),
            Some("Hong@Korea.AC.kr "),
        )
        .expect("valid");
        assert_eq!(profile.student_id(), "2023321234");
        assert_eq!(profile.name(), "홍 길동");
        assert_eq!(profile.phone(), Some("01012345678"));
        assert_eq!(profile.email(), Some("hong@korea.ac.kr"));
    }

    #[test]
    fn the_same_phone_written_three_ways_is_one_phone() {
        for text in ["010-1234-5678", "01012345678", "+82 (0)10 1234 5678"] {
            assert_eq!(parse_phone(text).as_deref(), Ok("01012345678"), "{text}");
        }
    }

    #[test]
    fn bad_data_is_refused_with_what_is_accepted() {
        assert!(parse_student_id("12").is_err());
        assert!(parse_student_id("2023 1234").is_err());
        assert!(parse_phone("전화").is_err());
        assert!(parse_phone("123").is_err());
        for text in ["a", "a@b", "a b@c.d", "a@b@c.d", "@c.d", "a@.d", "a@c..d"] {
            assert!(parse_email(text).is_err(), "{text}");
        }
        assert_eq!(parse_name(" \t "), Err(MemberError::Name));
    }

    #[test]
    fn empty_optional_fields_are_absent() {
        let profile = Profile::parse("2023321234", "홍길동", Some(" "), Some("")).expect("valid");
        assert_eq!((profile.phone(), profile.email()), (None, None));
    }

    #[test]
    fn covered_data_tells_people_apart_and_no_more() {
        for (id, shown) in [("2024123412", "2024****12"), ("ADMIN", "A****N"), ("A1", "****")] {
            assert_eq!(covered_id(id), shown);
        }
        assert_eq!(covered_phone("01012345678"), "010****5678");
        assert_eq!(covered_phone("0212345678"), "****5678");
        assert_eq!(covered_phone("1588"), "****");
        assert_eq!(covered_email("haneul@korea.ac.kr"), "ha****@korea.ac.kr");
        assert_eq!(covered_email("가@korea.ac.kr"), "****@korea.ac.kr");
    }
}
