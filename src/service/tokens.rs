//! What tokens say: who is calling, and refresh tokens (opaque, only hashes stored). Access tokens
//! are signed in `token_keys`.
//!
//! A refresh token is `SESSION.FAMILY.SECRET`: whoever shows the family secret with an old rotation
//! secret proves theft, whoever guesses numbers proves nothing.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::Error;
use super::secrets;
use crate::domain::id::{MemberId, SessionId};
use crate::domain::member::Role;

const SECRET_BYTES: usize = 32;

/// How a member proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// With their password.
    Password,
    /// With student id, name and phone.
    Roster,
    /// Issued by the program itself, for load drivers of a demo.
    Issued,
    /// With a six-digit code at a kiosk, for a moment.
    Kiosk,
}

impl Method {
    /// The stored and signed name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Roster => "roster",
            Self::Issued => "issued",
            Self::Kiosk => "kiosk",
        }
    }

    /// Finds a method by its stored name; an unknown one counts as the weakest.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "password" => Self::Password,
            "issued" => Self::Issued,
            "kiosk" => Self::Kiosk,
            _ => Self::Roster,
        }
    }
}

/// Who is calling, as the access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The member.
    pub member_id: MemberId,
    /// Their role.
    pub role: Role,
    /// Their log-in.
    pub session_id: SessionId,
    /// How they had proven who they are.
    pub method: Method,
    /// Whether they had shown a second factor as well.
    pub strong: bool,
}

/// A refresh token in parts.
#[derive(Clone)]
pub struct RefreshToken {
    /// The log-in it belongs to.
    pub session_id: SessionId,
    family: [u8; SECRET_BYTES],
    secret: [u8; SECRET_BYTES],
}

/// The secrets of a log-in before it has a number.
#[derive(Clone)]
pub struct RefreshSecrets {
    family: [u8; SECRET_BYTES],
    secret: [u8; SECRET_BYTES],
}

impl RefreshSecrets {
    /// Draws new secrets.
    pub fn draw() -> Result<Self, Error> {
        Ok(Self { family: secrets::draw()?, secret: secrets::draw()? })
    }

    /// What is stored of the family's secret.
    #[must_use]
    pub fn family_hash(&self) -> [u8; 32] {
        Sha256::digest(self.family).into()
    }

    /// What is stored of the newest secret.
    #[must_use]
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// The token of a log-in.
    #[must_use]
    pub const fn token(self, session_id: SessionId) -> RefreshToken {
        RefreshToken { session_id, family: self.family, secret: self.secret }
    }
}

impl RefreshToken {
    /// Reads a token back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let session_id = parts.next()?.parse().ok()?;
        let mut secret = || -> Option<[u8; SECRET_BYTES]> {
            BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()
        };
        let (family, secret) = (secret()?, secret()?);
        parts.next().is_none().then_some(Self { session_id, family, secret })
    }

    /// The text that the client keeps.
    #[must_use]
    pub fn encode(&self) -> String {
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        format!("{}.{}.{}", self.session_id, part(&self.family), part(&self.secret))
    }

    /// The next token of the same family.
    pub fn rotated(&self) -> Result<Self, Error> {
        Ok(Self { secret: secrets::draw()?, ..self.clone() })
    }

    /// Whether it is of the family with this stored hash.
    #[must_use]
    pub fn is_of_family(&self, hash: &[u8; 32]) -> bool {
        Sha256::digest(self.family).ct_eq(hash).into()
    }

    /// Whether its secret is the one with this stored hash.
    #[must_use]
    pub fn has_secret(&self, hash: &[u8; 32]) -> bool {
        self.secret_hash().ct_eq(hash).into()
    }

    /// What is stored of its secret.
    #[must_use]
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_round_trips_and_rotates_within_its_family() {
        let secrets = RefreshSecrets::draw().expect("random");
        let (family, secret) = (secrets.family_hash(), secrets.secret_hash());
        let token = secrets.token(SessionId(9));
        let back = RefreshToken::parse(&token.encode()).expect("its own text");
        assert!(back.session_id == SessionId(9) && back.is_of_family(&family));
        assert!(back.has_secret(&secret));
        let next = back.rotated().expect("random");
        assert!(next.is_of_family(&family) && !next.has_secret(&secret));
        for bad in ["", "1", "1.a.b", "x.y.z", &format!("{}.x", token.encode())] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }
}
