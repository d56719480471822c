//! Access tokens (signed, short-lived, checked without a query) and the two keys behind them: the
//! current one signs, the one before it is believed until every token that it signed is dead.
//!
//! HS256 with one pinned algorithm and 256-bit keys of our own is right here: issuer and verifier
//! are one process (RFC 8725 §3.1). A token names its key (`kid`), which only picks among these two,
//! and its purpose (`typ`, RFC 9068 §2.1), so that no other token of this site passes for one.
//!
//! Keys are files (`secrets`): `token.key` holds 32 bytes, `token.key.old` the key before and, in 8
//! more bytes (unix milliseconds, big-endian), until when it is believed; without these as long as
//! it lies there, for sites that bring their own keys.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Services;
use super::error::{Code, Error};
use super::secrets::{self, KEY_BYTES, Secrets};
use super::tokens::{Caller, Method};
use crate::domain::id::SessionId;
use crate::domain::member::Role;
use crate::store::Lane;
use crate::store::audit::AuditEntry;

/// The current key's file.
const CURRENT: &str = "token.key";
/// The file of the key before.
const PREVIOUS: &str = "token.key.old";

const ISSUER: &str = "lockerd";
const AUDIENCE: &str = "access";
const PURPOSE: &str = "at+jwt";
/// How far clocks may differ, in seconds.
const LEEWAY_S: i64 = 30;

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

/// One key. Its name is derived from it, so that there is nothing else to keep.
struct Key {
    bytes: [u8; KEY_BYTES],
    name: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"lockerd kid").chain_update(bytes).finalize();
        let name = HEXLOWER.encode(&digest[..8]);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(PURPOSE.to_owned());
        header.kid = Some(name.clone());
        let (encoding, decoding) =
            (EncodingKey::from_secret(&bytes), DecodingKey::from_secret(&bytes));
        Self { bytes, name, encoding, decoding, header }
    }
}

/// The key before the current one, and until when it is believed; `None`: as long as it is there.
#[derive(Clone)]
struct Previous {
    key: Arc<Key>,
    until: Option<Timestamp>,
}

impl Previous {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (key, until) = bytes.split_first_chunk::<KEY_BYTES>()?;
        let until = match until {
            [] => None,
            ms => {
                let ms = i64::from_be_bytes(ms.try_into().ok()?);
                Some(Timestamp::from_millisecond(ms).ok()?)
            }
        };
        Some(Self { key: Arc::new(Key::new(*key)), until })
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.key.bytes.to_vec();
        bytes.extend(self.until.iter().flat_map(|until| until.as_millisecond().to_be_bytes()));
        bytes
    }
}

struct Ring {
    current: Arc<Key>,
    previous: Option<Previous>,
}

/// Signs and checks access tokens.
pub struct TokenKeys {
    ring: ArcSwap<Ring>,
    secrets: Secrets,
    validation: Validation,
    /// One rotation at a time.
    rotating: tokio::sync::Mutex<()>,
}

/// What a rotation led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The name of the key that signs from now on.
    pub key_id: String,
    /// Until when tokens of the key before are good; `None`: not any more.
    pub previous_until: Option<Timestamp>,
}

impl TokenKeys {
    /// Reads the keys; the current one is made when there is none. An error says what to do.
    pub fn load(secrets: Secrets, now: Timestamp) -> io::Result<Self> {
        let current = Arc::new(Key::new(secrets.load_or_create(CURRENT)?));
        let previous = match secrets.find(PREVIOUS)? {
            None => None,
            Some(bytes) => Some(Previous::parse(&bytes).ok_or_else(|| {
                let text = format!("{PREVIOUS} is not a key of this program: remove it");
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?),
        };
        // A power cut in the middle of a rotation leaves the current key in both places.
        let previous = previous.filter(|it| !it.is_over(now) && it.key.name != current.name);
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Time is compared here, with the site's clock: jsonwebtoken asks the machine's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let ring = ArcSwap::from_pointee(Ring { current, previous });
        Ok(Self { ring, secrets, validation, rotating: tokio::sync::Mutex::default() })
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
        let key = Arc::clone(&self.ring.load().current);
        jsonwebtoken::encode(&key.header, &claims, &key.encoding).map_err(|error| {
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
        self.read(token, now).ok_or_else(|| {
            Error::new(
                Code::Unauthenticated,
                "the access token is missing, broken or too old: log in",
            )
        })
    }

    fn read(&self, token: &str, now: Timestamp) -> Option<(Caller, Timestamp)> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(PURPOSE) {
            return None;
        }
        let key = self.named(header.kid.as_deref()?, now)?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key.decoding, &self.validation).ok()?.claims;
        let valid = claims.nbf.saturating_sub(LEEWAY_S)..claims.exp.saturating_add(LEEWAY_S);
        if !valid.contains(&now.as_second()) {
            return None;
        }
        let caller = Caller {
            member_id: claims.sub.parse().ok()?,
            role: claims.role,
            session_id: SessionId(claims.sid),
            method: claims.amr,
            strong: claims.strong,
        };
        Some((caller, Timestamp::from_second(claims.exp).ok()?))
    }

    fn named(&self, name: &str, now: Timestamp) -> Option<Arc<Key>> {
        let ring = self.ring.load();
        if ring.current.name == name {
            return Some(Arc::clone(&ring.current));
        }
        let previous = ring.previous.as_ref()?;
        (previous.key.name == name && !previous.is_over(now)).then(|| Arc::clone(&previous.key))
    }

    /// The ring after a rotation at `now`. The current key becomes the one before and is believed
    /// for `grace` more; without grace it is not believed any more.
    fn next(&self, now: Timestamp, grace: Option<SignedDuration>) -> Result<Ring, Error> {
        if [CURRENT, PREVIOUS].iter().any(|name| self.secrets.is_handed_over(name)) {
            let detail = "the keys come from systemd's credentials: hand over a new token.key, the \
                          one of now as token.key.old, and restart";
            return Err(Error::new(Code::KeysElsewhere, detail));
        }
        let ring = self.ring.load();
        let live = ring.previous.as_ref().filter(|previous| !previous.is_over(now));
        if let Some(live) = live
            && grace.is_some()
        {
            let detail = "tokens of the key before the last rotation are still good: rotate later, \
                          or at once, which ends every access token";
            let until = live.until.unwrap_or(now);
            let wait_ms = until.duration_since(now).as_millis();
            let refusal = Error::new(Code::KeysRotating, detail);
            return Err(refusal.retry_after_ms(u64::try_from(wait_ms).unwrap_or_default()));
        }
        let previous = grace.map(|grace| {
            let until = now.checked_add(grace).unwrap_or(now);
            Previous { key: Arc::clone(&ring.current), until: Some(until) }
        });
        Ok(Ring { current: Arc::new(Key::new(secrets::draw()?)), previous })
    }
}

/// Puts the keys of a ring where the next start finds them. The old one first: after a power cut
/// in between no token that is out is without its key.
fn store(secrets: &Secrets, ring: &Ring) -> io::Result<()> {
    if let Some(previous) = &ring.previous {
        secrets.replace(PREVIOUS, &previous.encode())?;
        return secrets.replace(CURRENT, &ring.current.bytes);
    }
    secrets.replace(CURRENT, &ring.current.bytes)?;
    secrets.remove(PREVIOUS)
}

impl Services {
    /// Signs access tokens with a new key from now on. Tokens that are out stay good, or die at
    /// once with `at_once`, for a key that was stolen; log-ins go on either way. `None` is the
    /// command line.
    pub async fn rotate_keys(
        &self,
        caller: Option<Caller>,
        at_once: bool,
    ) -> Result<Rotated, Error> {
        if caller.is_some_and(|caller| caller.role != Role::Admin) {
            return Err(Error::new(Code::Forbidden, "only admins rotate the keys"));
        }
        let keys = &self.token_keys;
        let _one_at_a_time = keys.rotating.lock().await;
        let leeway = SignedDuration::from_secs(LEEWAY_S);
        let grace = (!at_once).then(|| self.settings.access_lifetime.saturating_add(leeway));
        let next = Arc::new(keys.next(self.clock.now(), grace)?);
        let detail = json!({
            "from": keys.ring.load().current.name, "to": next.current.name, "at_once": at_once,
        });
        // The record first: keys never change without one.
        self.record_keys(caller, "keys.rotate", detail.to_string()).await?;
        let (secrets, stored) = (keys.secrets.clone(), Arc::clone(&next));
        let storing = tokio::task::spawn_blocking(move || store(&secrets, &stored)).await;
        if let Err(error) = storing.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into())) {
            tracing::error!(area = "store", %error, "the new key was not stored");
            self.record_keys(caller, "keys.rotate_failed", detail.to_string()).await?;
            let detail = "the new key could not be stored, the old one signs on: see the log";
            return Err(Error::new(Code::Internal, detail));
        }
        keys.ring.store(Arc::clone(&next));
        Ok(Rotated {
            key_id: next.current.name.clone(),
            previous_until: next.previous.as_ref().and_then(|previous| previous.until),
        })
    }

    async fn record_keys(
        &self,
        caller: Option<Caller>,
        action: &'static str,
        detail: String,
    ) -> Result<(), Error> {
        let actor = caller.map(|caller| caller.member_id);
        self.store
            .write(Lane::Change, move |tx| {
                let entry = AuditEntry { actor, action, subject: "keys:token", detail: &detail };
                Ok(tx.audit(&entry)?)
            })
            .await
    }

    /// Forgets the key before when its time is over, and rotates when somebody asked for it on the
    /// command line ([`RotationRequest`]); says how many of these were done.
    pub async fn look_after_keys(&self) -> Result<usize, Error> {
        let keys = &self.token_keys;
        let mut done = 0;
        let over = |ring: &Ring| {
            ring.previous.as_ref().is_some_and(|previous| previous.is_over(self.clock.now()))
        };
        if over(&keys.ring.load()) {
            let _one_at_a_time = keys.rotating.lock().await;
            let ring = keys.ring.load_full();
            if !over(&ring) {
                // Rotated while this waited: what is the previous key now is still believed.
                return Ok(done);
            }
            let current = Arc::clone(&ring.current);
            keys.ring.store(Arc::new(Ring { current, previous: None }));
            let secrets = keys.secrets.clone();
            let removed = tokio::task::spawn_blocking(move || secrets.remove(PREVIOUS)).await;
            if let Ok(Err(error)) = removed {
                tracing::warn!(area = "store", %error, "the key before was not removed");
            }
            done += 1;
        }
        for request in RotationRequest::BOTH {
            if request.is_made(keys.secrets.dir()) {
                let rotated = self.rotate_keys(None, request.at_once).await;
                request.answer(&keys.secrets, rotated.as_ref()).map_err(|error| {
                    let text = format!("the request for new keys cannot be answered: {error}");
                    Error::new(Code::Internal, text)
                })?;
                done += 1;
            }
        }
        Ok(done)
    }
}

/// A wish for new keys that the command line leaves for the server that runs: an empty file in the
/// data directory, which only the program's own user and root can make.
#[derive(Debug, Clone, Copy)]
pub struct RotationRequest {
    /// Whether tokens that are out die at once.
    pub at_once: bool,
}

impl RotationRequest {
    const BOTH: [Self; 2] = [Self { at_once: false }, Self { at_once: true }];
    const ANSWER: &str = "rotate-keys.answer";

    const fn name(self) -> &'static str {
        if self.at_once { "rotate-keys.at-once" } else { "rotate-keys" }
    }

    /// Where the request lies in a data directory.
    #[must_use]
    pub fn path(self, dir: &std::path::Path) -> PathBuf {
        dir.join(self.name())
    }

    /// Where its answer lies: one line for people.
    #[must_use]
    pub fn answer_path(dir: &std::path::Path) -> PathBuf {
        dir.join(Self::ANSWER)
    }

    fn is_made(self, dir: &std::path::Path) -> bool {
        self.path(dir).exists()
    }

    fn answer(self, secrets: &Secrets, rotated: Result<&Rotated, &Error>) -> io::Result<()> {
        let line = match rotated {
            Ok(rotated) => rotated.to_string(),
            Err(error) => error.to_string(),
        };
        secrets.replace(Self::ANSWER, line.as_bytes())?;
        secrets.remove(self.name())
    }
}

impl std::fmt::Display for Rotated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rotated: key {} signs", self.key_id)?;
        match self.previous_until {
            Some(until) => write!(f, ", the one before is good until {until}"),
            None => write!(f, ", every access token of the one before is dead"),
        }
    }
}

#[cfg(test)]
mod tests;
