//! What a client says on its socket and how a socket ends: words only, no socket.
//!
//! Read strictly: a message that is not understood ends the socket. Topics are looked up here and
//! checked against the caller's role.

use serde::Deserialize;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::domain::id::BankId;
use crate::http::access;
use crate::service::live::topic::{Topic, Wish};
use crate::service::tokens::Caller;

/// Most wishes of one client: each topic for a few banks.
const WISHES_MAX: usize = 64;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Said {
    /// Who it is; the first message, and again before the token ends.
    Auth {
        token: String,
        /// What it wants to hear; in a later message: from now on, instead.
        topics: Option<Vec<Asked>>,
        /// Where it was when it lost the socket; in the first message only.
        resume: Option<AskedResume>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Asked {
    Topic(String),
    OfBank { topic: String, bank: i64 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedResume {
    pub(super) session: String,
    pub(super) version: u64,
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client left, or cannot be reached.
    Gone,
    Stopping,
    BadMessage,
    TooLong,
    NotAuthenticated,
    LoggedOut,
    TokenEnded,
    OtherMember,
    AuthLate,
    Silent,
    TooManySockets,
    TooManyMessages,
}

impl End {
    /// The close code (RFC 6455 §7.4; 4000 and above are ours) and reason; `None` when there is
    /// nobody to tell.
    pub(super) const fn close(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Gone => return None,
            Self::Stopping => (1001, "the server is stopping"),
            Self::TooLong => (1009, "a message is too long"),
            Self::BadMessage => (4400, "a message could not be read"),
            Self::NotAuthenticated => (4401, "the access token is not good"),
            Self::LoggedOut => (4401, "the log-in has ended"),
            Self::TokenEnded => (4401, "the access token has ended"),
            Self::OtherMember => (4401, "the new token is another member's"),
            Self::AuthLate => (4408, "no auth message came in time"),
            Self::Silent => (4408, "pings were not answered"),
            Self::TooManySockets => (4429, "too many sockets of this account"),
            Self::TooManyMessages => (4429, "too many messages"),
        })
    }
}

/// Reads what came in; `None` for what the protocol itself sends.
pub(super) fn read(incoming: Option<Result<Message, Error>>) -> Result<Option<Said>, End> {
    match incoming {
        Some(Ok(Message::Text(text))) => {
            serde_json::from_str(&text).map(Some).map_err(|_| End::BadMessage)
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_) | Message::Frame(_))) => Err(End::BadMessage),
        Some(Err(Error::Capacity(_))) => Err(End::TooLong),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
    }
}

/// What a client asked for, and what of it it may hear.
pub(super) struct Wanted {
    pub(super) wishes: Vec<Wish>,
    pub(super) refused: Vec<String>,
}

impl Wanted {
    /// Topics that this server does not have are refused like those that the role may not hear: a
    /// newer page still works with an older server.
    pub(super) fn new(caller: Caller, asked: Vec<Asked>) -> Result<Self, End> {
        if asked.len() > WISHES_MAX {
            return Err(End::BadMessage);
        }
        let mut wanted = Self { wishes: Vec::new(), refused: Vec::new() };
        for asked in asked {
            let (name, bank) = match asked {
                Asked::Topic(name) => (name, None),
                Asked::OfBank { topic, bank } => (topic, Some(BankId(bank))),
            };
            match Topic::from_name(&name) {
                Some(topic) if access::may_hear(caller.role, topic) => {
                    wanted.wishes.push(Wish { topic, bank });
                }
                _ => wanted.refused.push(name),
            }
        }
        Ok(wanted)
    }

    pub(super) fn granted(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.wishes.iter().map(|wish| wish.topic.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{MemberId, SessionId};
    use crate::domain::member::Role;
    use crate::service::tokens::Method;

    #[test]
    fn messages_are_read_strictly() {
        let said = |text: &str| serde_json::from_str::<Said>(text);
        let whole = r#"{"type":"auth","token":"t","topics":["lockers",{"topic":"doors","bank":3}],
            "resume":{"session":"s","version":7}}"#;
        assert!(said(whole).is_ok());
        assert!(said(r#"{"type":"auth","token":"t"}"#).is_ok());
        for bad in [
            r#"{"type":"auth"}"#,
            r#"{"type":"else","token":"t"}"#,
            r#"{"type":"auth","token":"t","more":1}"#,
            r#"{"type":"auth","token":"t","topics":[3]}"#,
            "[]",
        ] {
            assert!(said(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_role_may_not_hear_and_what_is_unknown_is_refused_by_name() {
        let caller = |role| Caller {
            member_id: MemberId(1),
            role,
            session_id: SessionId(1),
            method: Method::Password,
            strong: false,
        };
        let asked = || {
            let names = ["lockers", "doors", "openings", "mass_openings", "health", "weather"];
            names.map(|name| Asked::Topic(name.to_owned())).into_iter().collect()
        };
        let student = Wanted::new(caller(Role::Student), asked()).expect("few");
        assert_eq!(student.granted(), ["lockers", "openings"]);
        assert_eq!(student.refused, ["doors", "mass_openings", "health", "weather"]);
        let staff = Wanted::new(caller(Role::Staff), asked()).expect("few");
        assert_eq!(staff.refused, ["weather"]);
        let many = (0..=WISHES_MAX).map(|_| Asked::Topic("lockers".to_owned())).collect();
        assert!(Wanted::new(caller(Role::Admin), many).is_err());
    }
}
