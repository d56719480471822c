//! Access tokens (signed, short-lived, checked without a query) and refresh tokens (opaque, only
//! hashes stored).
//!
//! HS256 with one pinned algorithm and a 256-bit key of our own is right here: issuer and verifier
//! are one process (RFC 8725 §3.1). A refresh token is `SESSION.FAMILY.SECRET`: whoever shows the
//! family secret with an old rotation secret proves theft, whoever guesses numbers proves nothing.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::{Code, Error};
use super::secrets;
use crate::domain::id::{MemberId, SessionId};
use crate::domain::member::Role;

const ISSUER: &str = "lockerd";
const AUDIENCE: &str = "access";
/// How far clocks may differ, in seconds.
const LEEWAY_S: i64 = 30;
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

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The member's number; a string, as RFC 7519 §4.1.2 wants it.
    sub: String,
    sid: i64,
    role: Role,
    amr: Method,
    /// Whether a second factor was shown as well.
    #[serde(default)]
    strong: bool,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs and checks access tokens.
pub struct TokenKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
}

impl TokenKeys {
    /// Uses a given key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Time is compared here, with the site's clock: jsonwebtoken asks the machine's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            header: Header::new(Algorithm::HS256),
            validation,
        }
    }

    /// Signs an access token that lives for `lifetime`.
    pub fn issue(
        &self,
        caller: Caller,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Result<String, Error> {
        let issued = now.as_second();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: caller.member_id.to_string(),
            sid: caller.session_id.0,
            role: caller.role,
            amr: caller.method,
            strong: caller.strong,
            iat: issued,
            nbf: issued,
            exp: issued.saturating_add(lifetime.as_secs()),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).map_err(|error| {
            tracing::error!(area = "http", %error, "a token could not be signed");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })
    }

    /// Checks an access token at `now`; says nothing about why one is bad.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Caller, Error> {
        self.check_until(token, now).map(|(caller, _)| caller)
    }

    /// Checks an access token at `now`; also says until when it is good.
    pub fn check_until(&self, token: &str, now: Timestamp) -> Result<(Caller, Timestamp), Error> {
        let refuse = || {
            Error::new(
                Code::Unauthenticated,
                "the access token is missing, broken or too old: log in",
            )
        };
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| refuse())?;
        let now_s = now.as_second();
        let valid =
            data.claims.nbf.saturating_sub(LEEWAY_S)..data.claims.exp.saturating_add(LEEWAY_S);
        if !valid.contains(&now_s) {
            return Err(refuse());
        }
        let caller = Caller {
            member_id: data.claims.sub.parse().map_err(|_| refuse())?,
            role: data.claims.role,
            session_id: SessionId(data.claims.sid),
            method: data.claims.amr,
            strong: data.claims.strong,
        };
        let until = Timestamp::from_second(data.claims.exp).map_err(|_| refuse())?;
        Ok((caller, until))
    }
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

    const CALLER: Caller = Caller {
        member_id: MemberId(7),
        role: Role::Staff,
        session_id: SessionId(3),
        method: Method::Password,
        strong: false,
    };

    fn now() -> Timestamp {
        "2026-09-01T00:00:00Z".parse().expect("a time")
    }

    fn token(keys: &TokenKeys, age_s: i64) -> String {
        let issued = now() - SignedDuration::from_secs(age_s);
        keys.issue(CALLER, issued, SignedDuration::from_mins(30)).expect("signed")
    }

    #[test]
    fn a_token_comes_back_as_its_caller() {
        let keys = TokenKeys::new(&[1; 32]);
        assert_eq!(keys.check(&token(&keys, 0), now()).expect("good"), CALLER);
    }

    #[test]
    fn old_foreign_changed_and_unsigned_tokens_are_refused() {
        let keys = TokenKeys::new(&[1; 32]);
        let good = token(&keys, 0);
        let unsigned = {
            let claims = good.split('.').nth(1).expect("three parts");
            format!("{}.{claims}.", BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#))
        };
        let mut changed = good.clone().into_bytes();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let foreign = token(&TokenKeys::new(&[2; 32]), 0);
        let changed = String::from_utf8_lossy(&changed).into_owned();
        for bad in [token(&keys, 3600), token(&keys, -3600), foreign, changed, unsigned] {
            assert!(keys.check(&bad, now()).is_err(), "{bad}");
        }
    }

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
