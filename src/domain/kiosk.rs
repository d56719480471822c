//! Kiosks: screens beside banks that show presence codes and let members sign in for a moment.
//!
//! A kiosk is a device with a credential of its own, given by staff, good for its banks only.

use serde::{Deserialize, Serialize};

use super::id::{BankId, KioskId};

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 60;

/// Most banks of one kiosk: more do not stand around one screen.
pub const BANKS_MAX: usize = 32;

/// A kiosk that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kiosk {
    /// Its number.
    pub id: KioskId,
    /// Its name, unique among those that were not revoked.
    pub name: String,
    /// The banks it stands beside, in the order of their numbers.
    pub banks: Vec<BankId>,
    /// SHA-256 of the secret in its credential; `None` until it was paired.
    pub credential_hash: Option<[u8; 32]>,
}

impl Kiosk {
    /// Whether it stands beside a bank.
    #[must_use]
    pub fn serves(&self, bank: BankId) -> bool {
        self.banks.contains(&bank)
    }
}

/// Checks the name of a kiosk; the text says what is wrong.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(format!("name must have 1 to {NAME_CHARS_MAX} characters"))
}

/// Checks the banks of a kiosk: at least one, each once, not too many.
pub fn parse_banks(mut banks: Vec<BankId>) -> Result<Vec<BankId>, String> {
    let given = banks.len();
    banks.sort_unstable();
    banks.dedup();
    if banks.len() != given || !(1..=BANKS_MAX).contains(&given) {
        return Err(format!("bank_ids must name 1 to {BANKS_MAX} banks, each once"));
    }
    Ok(banks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_banks_are_checked() {
        assert_eq!(parse_name("  로비  ").as_deref(), Ok("로비"));
        for bad in ["", "  ", "a\nb", &"가".repeat(61)] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
        let banks = |ids: &[i64]| parse_banks(ids.iter().copied().map(BankId).collect());
        assert_eq!(banks(&[2, 1]), Ok(vec![BankId(1), BankId(2)]));
        assert!(banks(&[]).is_err() && banks(&[1, 1]).is_err());
    }
}
