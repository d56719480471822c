//! The part of the configuration about the site as people meet it: what every page tells them.

use serde::Deserialize;

use super::ConfigError;

/// Length of a phone number as people read it, in characters.
const PHONE_CHARS: std::ops::RangeInclusive<usize> = 3..=30;

/// What people are told of the site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// The number to call for help: 3 to 30 characters of digits, spaces, + - ( ).
    pub phone: Option<String>,
}

impl SiteConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Some(phone) = &self.phone else { return Ok(()) };
        let fits = PHONE_CHARS.contains(&phone.chars().count())
            && phone.chars().all(|it| it.is_ascii_digit() || " +-()".contains(it))
            && phone.chars().any(|it| it.is_ascii_digit());
        if fits {
            return Ok(());
        }
        Err(ConfigError::Value(format!(
            "site.phone {phone:?} is no phone number: 3 to 30 characters of digits, spaces, + - ( )"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_what_people_dial() {
        let check = |phone: &str| SiteConfig { phone: Some(phone.to_owned()) }.check();
        for good in ["112", "02-3290-1114", "+82 (2) 3290 1114", &"1".repeat(30)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "11", "---", "call us", "02.3290.1114", "０２", &"1".repeat(31)] {
            let text = check(bad).expect_err(bad).to_string();
            assert!(text.starts_with("site.phone "), "{text}");
        }
        assert!(SiteConfig::default().check().is_ok());
    }
}
