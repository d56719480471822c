//! Repeating a request is harmless: its answer is kept with the change it tells of.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Code, Error};
use crate::domain::id::MemberId;
use crate::store::idempotency::{self, Kept};
use crate::store::{Store, StoreError, Tx};

/// Longest key a client may send.
pub const KEY_CHARS_MAX: usize = 128;

/// A client's key together with what it asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    key: String,
    request_hash: [u8; 32],
}

impl RequestKey {
    /// Takes 1 to [`KEY_CHARS_MAX`] of the characters that stand in a URL as they are (RFC 3986
    /// §2.3), so that the key can be asked for by its address.
    pub fn parse(key: &str, request_hash: [u8; 32]) -> Result<Self, Error> {
        let ok = (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(unreserved);
        if !ok {
            let detail =
                format!("Idempotency-Key must be 1 to {KEY_CHARS_MAX} letters, digits, - . _ or ~");
            return Err(Error::new(Code::Invalid, detail));
        }
        Ok(Self { key: key.to_owned(), request_hash })
    }
}

const fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// An answer, and whether it is one that was given before.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was answered.
    pub value: T,
    /// True when nothing was done now.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// Changes what was answered.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), replayed: self.replayed }
    }
}

/// Does the work once per key, inside the transaction; a repeat gets the kept answer.
pub fn once<T>(
    tx: &mut Tx<'_>,
    member: MemberId,
    operation: &'static str,
    key: Option<&RequestKey>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
) -> Result<Answer<T>, Error>
where
    T: Serialize + DeserializeOwned,
{
    let Some(request) = key else {
        return Ok(Answer { value: work(tx)?, replayed: false });
    };
    if let Some(kept) = idempotency::find(tx.conn, member, &request.key, tx.now_ms())? {
        return replay(&kept, operation, request);
    }
    let value = work(tx)?;
    let kept = Kept {
        operation: operation.to_owned(),
        request_hash: request.request_hash,
        answer: serde_json::to_string(&value).map_err(|error| unreadable(&error))?,
        created_ms: tx.now_ms(),
    };
    idempotency::insert(tx.conn, member, &request.key, &kept)?;
    Ok(Answer { value, replayed: false })
}

/// What a key led to before, asked outside a transaction.
pub async fn kept<T>(
    store: &Store,
    member: MemberId,
    operation: &'static str,
    request: &RequestKey,
    now_ms: i64,
) -> Result<Option<Answer<T>>, Error>
where
    T: DeserializeOwned,
{
    let key = request.key.clone();
    let kept = store.read(move |conn| idempotency::find(conn, member, &key, now_ms)).await?;
    kept.map(|kept| replay(&kept, operation, request)).transpose()
}

fn replay<T: DeserializeOwned>(
    kept: &Kept,
    operation: &str,
    request: &RequestKey,
) -> Result<Answer<T>, Error> {
    if kept.operation != operation || kept.request_hash != request.request_hash {
        return Err(Error::new(
            Code::KeyReused,
            "this Idempotency-Key belongs to another request: use a new key for each request",
        ));
    }
    let value = serde_json::from_str(&kept.answer).map_err(|error| unreadable(&error))?;
    Ok(Answer { value, replayed: true })
}

fn unreadable(error: &serde_json::Error) -> Error {
    StoreError::Inconsistent { table: "idempotency", column: "answer", value: error.to_string() }
        .into()
}

/// Finds out what a key of this member led to.
pub async fn outcome(
    store: &Store,
    member: MemberId,
    key: &str,
    now_ms: i64,
) -> Result<Kept, Error> {
    let key = key.to_owned();
    let kept = store.read(move |conn| idempotency::find(conn, member, &key, now_ms)).await?;
    kept.ok_or_else(|| {
        Error::new(
            Code::OperationNotFound,
            "nothing was carried out under this key: the request may be sent again",
        )
    })
}
