//! Names in Korean and English, as places and terms carry them.

use serde::{Deserialize, Serialize};

/// A name in both languages; the English one may be missing and falls back to the Korean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Korean, never empty.
    pub ko: String,
    /// English, never empty.
    pub en: String,
}

impl Name {
    /// Most characters of one name.
    pub const CHARS_MAX: usize = 80;

    /// Trims both; refuses an empty Korean name and either one over [`Self::CHARS_MAX`] characters.
    pub fn parse(ko: &str, en: Option<&str>) -> Result<Self, String> {
        let ko = ko.trim();
        let en = en.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(ko);
        if ko.is_empty() {
            return Err("a name must not be empty".to_owned());
        }
        for text in [ko, en] {
            if text.chars().count() > Self::CHARS_MAX {
                return Err(format!("{text:?} has more than {} characters", Self::CHARS_MAX));
            }
        }
        Ok(Self { ko: ko.to_owned(), en: en.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn english_falls_back_to_korean() {
        let name = Name::parse(" 정보관 ", Some(" ")).expect("valid");
        assert_eq!((name.ko.as_str(), name.en.as_str()), ("정보관", "정보관"));
    }

    #[test]
    fn empty_and_endless_names_are_refused() {
        assert!(Name::parse("  ", Some("x")).is_err());
        assert!(Name::parse(&"가".repeat(Name::CHARS_MAX + 1), None).is_err());
        assert!(Name::parse(&"가".repeat(Name::CHARS_MAX), None).is_ok());
    }
}
