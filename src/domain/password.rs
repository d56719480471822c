//! Which passwords an account may have: long enough, and not among the first that somebody tries.
//!
//! Length by what there is to lose, no rules about kinds of characters, nothing cut off (OWASP
//! ASVS 5.0 §6.2). What is easy to guess is found by zxcvbn: lists of common passwords and words,
//! rows of keys, repeats and dates; beside them the campus's and the owner's own words.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::member::Role;

/// Longest password, in characters.
pub const CHARS_MAX: usize = 256;

/// Longest password as it is typed, in bytes: each character may come in three parts of four bytes.
pub const BYTES_MAX: usize = CHARS_MAX * 3 * 4;

/// Fewest characters beside a second factor, for staff without one, and for students.
const WITH_SECOND_FACTOR: usize = 8;
const STAFF: usize = 15;
const STUDENT: usize = 10;

/// Passwords that are found within this many guesses are refused, as a power of ten.
const GUESSES_LOG10_MIN: f64 = 8.0;

/// Common choices in Korea, also as typed on a keyboard that was left in English.
const KOREAN_WORDS: &[&str] = &[
    "비밀번호",
    "qlalfqjsgh",
    "안녕하세요",
    "dkssudgktpdy",
    "안녕",
    "dkssud",
    "사랑해",
    "tkfkdgo",
    "사랑해요",
    "tkfkdgody",
    "대한민국",
    "eogksalsrnr",
    "대학교",
    "eogkrry",
    "학생",
    "gkrtod",
    "사물함",
    "tkanfgka",
    "관리자",
    "rhksflwk",
    "한국",
    "gksrnr",
    "고려대학교",
    "rhfueogkrry",
    "사랑합니다",
    "tkfkdgkqslek",
    "감사합니다",
    "rkatkgkqslek",
];

/// What nobody may take as a password here.
const OUR_WORDS: &[&str] = &["lockerd", "locker", "lockers"];

/// Whose password it is to be.
#[derive(Debug, Clone)]
pub struct Owner {
    /// What they may do.
    pub role: Role,
    /// Whether they show a second factor at log-in.
    pub has_second_factor: bool,
    /// Words that say nothing new about them: id, name, e-mail, phone, the campus's own.
    pub words: Vec<String>,
}

/// Why a password was refused; the text is written for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("the password must have {least} to {CHARS_MAX} characters")]
    Short {
        /// Fewest characters for this owner.
        least: usize,
    },
    /// Too many characters.
    #[error("the password must have at most {CHARS_MAX} characters")]
    Long,
    /// Among the first that somebody would try.
    #[error(
        "the password is too common or too close to your own data: take several words that do \
         not belong together"
    )]
    Common,
}

impl WeakPassword {
    /// The reason for programs: `short`, `long` or `common`.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Short { .. } => "short",
            Self::Long => "long",
            Self::Common => "common",
        }
    }
}

/// A password in its one form (NFC, Unicode Standard Annex #15), whatever way a keyboard puts its
/// letters together (NIST SP 800-63B §3.1.1.2). ASCII stays as it is.
#[must_use]
pub fn normalised(password: &str) -> Cow<'_, str> {
    match is_nfc_quick(password.chars()) {
        IsNormalized::Yes => Cow::Borrowed(password),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(password.nfc().collect()),
    }
}

/// Fewest characters of a password.
#[must_use]
pub const fn least_chars(role: Role, has_second_factor: bool) -> usize {
    match (role, has_second_factor) {
        (_, true) => WITH_SECOND_FACTOR,
        (Role::Student, false) => STUDENT,
        (Role::Staff | Role::Admin, false) => STAFF,
    }
}

/// Whether a password is long enough for its owner: quick.
pub fn check_length(
    password: &str,
    role: Role,
    has_second_factor: bool,
) -> Result<(), WeakPassword> {
    let (chars, least) = (password.chars().count(), least_chars(role, has_second_factor));
    if chars < least {
        Err(WeakPassword::Short { least })
    } else if chars > CHARS_MAX {
        Err(WeakPassword::Long)
    } else {
        Ok(())
    }
}

/// Whether an account may have this password. Takes up to 12 ms of a desktop's core.
pub fn check(password: &str, owner: &Owner) -> Result<(), WeakPassword> {
    check_length(password, owner.role, owner.has_second_factor)?;
    let own = owner.words.iter().flat_map(|word| parts(word));
    let words: Vec<&str> = own.chain(OUR_WORDS.iter().chain(KOREAN_WORDS).copied()).collect();
    let guesses = zxcvbn::zxcvbn(password, &words).guesses_log10();
    if guesses < GUESSES_LOG10_MIN { Err(WeakPassword::Common) } else { Ok(()) }
}

/// A word and its parts: of an address also what stands before the @, of a name its words.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let pieces = word.split(['@', '.', ' ', '-', '_']).filter(|part| part.chars().count() >= 2);
    std::iter::once(word).chain(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(role: Role, has_second_factor: bool) -> Owner {
        let words = ["korea", "2023321234", "홍길동", "gildong.hong@korea.ac.kr", "01012345678"];
        Owner { role, has_second_factor, words: words.map(str::to_owned).to_vec() }
    }

    #[test]
    fn the_length_depends_on_what_there_is_to_lose() {
        for (role, second, least) in [
            (Role::Student, false, 10),
            (Role::Staff, false, 15),
            (Role::Admin, false, 15),
            (Role::Student, true, 8),
            (Role::Staff, true, 8),
            (Role::Admin, true, 8),
        ] {
            let random = "q7!Vd2#nMx9@Lw4";
            let short = &random[..least - 1];
            assert_eq!(check(short, &owner(role, second)), Err(WeakPassword::Short { least }));
            assert_eq!(check(&random[..least], &owner(role, second)), Ok(()), "{role} {second}");
        }
    }

    #[test]
    fn nothing_is_cut_off_and_characters_are_counted_not_bytes() {
        let long: String =
            "가나다라마바사아자차카타파하거너더러머버".chars().cycle().take(257).collect();
        assert_eq!(check(&long, &owner(Role::Student, false)), Err(WeakPassword::Long));
        let most: String = long.chars().take(256).collect();
        assert_eq!(check_length(&most, Role::Student, false), Ok(()));
        assert!(check_length("가나다라마바사아자", Role::Student, false).is_err());
        assert_eq!(check("열 글자가 넘는 한글 비밀문장", &owner(Role::Student, false)), Ok(()));
    }

    #[test]
    fn letters_in_parts_become_whole_and_ascii_stays() {
        assert_eq!(normalised("\u{1106}\u{116e}\u{11af}\u{1100}\u{1162}"), "물개");
        assert_eq!(normalised("e\u{301}"), "\u{e9}");
        assert!(matches!(normalised("correct horse"), Cow::Borrowed("correct horse")));
        assert!(matches!(normalised("물개 우산"), Cow::Borrowed("물개 우산")));
    }

    #[test]
    fn common_passwords_rows_of_keys_and_the_owners_own_words_are_refused() {
        for password in [
            "password12",
            "qwertyuiop",
            "1q2w3e4r5t6y",
            "iloveyou123",
            "aaaaaaaaaaaaaaa",
            "abcdefghijklmno",
            "lockerlocker",
            "lockerd2026",
            "koreakorea1",
            "2023321234",
            "korea2023321234",
            "홍길동홍길동홍길동!",
            "gildong.hong@korea.ac.kr",
            "gildonghong",
            "01012345678",
            "비밀번호123456",
            "qlalfqjsgh12",
            "dkssudgktpdy1",
        ] {
            let found = check(password, &owner(Role::Student, false));
            assert_eq!(found, Err(WeakPassword::Common), "{password}");
        }
    }

    #[test]
    fn no_kind_of_character_is_demanded() {
        for password in ["correct horse battery staple", "x7gq2mpl0a", "물개 우산 기차표 안경"]
        {
            assert_eq!(check(password, &owner(Role::Student, false)), Ok(()), "{password}");
        }
    }
}
