//! Time-based one-time passwords (RFC 6238) as phone authenticators really implement them: SHA-1,
//! six digits, steps of 30 s, a secret of 160 bits.
//!
//! Members' second factors and the presence codes of banks are the same thing with other secrets. A
//! code is good in its step and the one before and after it; whether it was used already is the
//! caller's to remember, by the step that [`Secret::step_of`] gives. Pure: the time comes from the
//! caller.

use std::fmt;

use jiff::Timestamp;
use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret: 160 bits (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;

/// Length of a step, in seconds.
pub const STEP_S: i64 = 30;

/// Digits of a code.
pub const DIGITS: usize = 6;

/// How many steps before and after the present one a code is good.
pub const SKEW_STEPS: i64 = 1;

/// Whom an authenticator app shows beside the code.
const ISSUER: &str = "lockerd";

/// What both sides know.
#[derive(Clone)]
pub struct Secret([u8; SECRET_BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A secret of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// A secret as it comes out of a sealed row; `None` when it has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, to be sealed.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// The code of a moment.
    #[must_use]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.totp("").generate(seconds(now)).to_string()
    }

    /// The step whose code this is, of those that are good at `now`; spaces do not matter.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let step = self.totp("").check(&compact(code), seconds(now))?;
        i64::try_from(step).ok()
    }

    /// As people type it into an app: base32 without padding.
    #[must_use]
    pub fn base32(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(&self.0)
    }

    /// The `otpauth` address that an app reads, for the account of this name; `None` for a name
    /// that cannot stand in it.
    #[must_use]
    pub fn uri(&self, account: &str) -> Option<String> {
        self.totp(account).to_url().ok()
    }

    fn totp(&self, account: &str) -> Totp {
        // The numbers are fixed and the secret has its length: nothing is left to check.
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(STEP_S.unsigned_abs())
            .with_secret(self.0.to_vec())
            .with_account_name(account)
            .with_issuer(Some(ISSUER))
            .build_noncompliant()
    }
}

/// The step of a moment.
#[must_use]
pub fn step_at(now: Timestamp) -> i64 {
    now.as_second().max(0) / STEP_S
}

/// When the step after that of `now` begins, unix milliseconds.
#[must_use]
pub fn next_step_ms(now: Timestamp) -> i64 {
    (step_at(now) + 1) * STEP_S * 1_000
}

/// A code as it was typed, without the spaces that apps show and people copy.
#[must_use]
pub fn compact(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether a text can be a code at all.
#[must_use]
pub fn looks_like_code(text: &str) -> bool {
    let text = compact(text);
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, SHA-1; the last six of its eight digits.
        let secret = Secret::new(*b"12345678901234567890");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(secret.code_at(at(second)), code, "{second}");
            assert_eq!(secret.step_of(code, at(second)), Some(second / 30));
        }
        let spaced = format!(" {} {}\n", "081", "804");
        assert_eq!(secret.step_of(&spaced, at(1_111_111_109)), Some(37_037_036));
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after_and_no_longer() {
        let secret = Secret::new([7; SECRET_BYTES]);
        let code = secret.code_at(at(3_000));
        for (second, good) in
            [(2_969, false), (2_970, true), (3_029, true), (3_059, true), (3_060, false)]
        {
            assert_eq!(secret.step_of(&code, at(second)).is_some(), good, "{second}");
        }
        for bad in ["", "12345", "1234567", "abcdef", "+12345", "１２３４５６"] {
            assert_eq!(secret.step_of(bad, at(3_000)), None, "{bad}");
        }
        assert_eq!((step_at(at(3_000)), next_step_ms(at(3_000))), (100, 3_030_000));
    }

    #[test]
    fn an_app_can_read_the_address_and_no_log_the_secret() {
        let secret = Secret::new(*b"12345678901234567890");
        let uri = secret.uri("2023321234").expect("a plain name");
        assert!(uri.starts_with("otpauth://totp/lockerd:2023321234?"), "{uri}");
        assert!(uri.contains(&secret.base32()) && uri.contains("issuer=lockerd"), "{uri}");
        let read = Totp::from_url(&uri).expect("an app's reading");
        assert_eq!(read.secret().as_bytes(), secret.bytes());
        assert!(secret.uri("a:b").is_none());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
