//! What was asked of the server and what it answered, each with its time.

use serde_json::Value;

use super::checker::Micros;
use crate::support::http::Reply;

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Hold this locker.
    Hold(i64),
    /// Hold any free one.
    HoldAny,
    /// Confirm the hold of this one.
    Confirm(i64),
    /// Give the hold of this one up.
    GiveUp(i64),
    /// Give this one back, emptied.
    Return(i64),
    /// What is mine?
    Mine,
    /// What is free?
    List,
}

/// An answer, as far as it says anything of lockers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A hold was granted.
    Held {
        /// Of which locker.
        locker: i64,
        /// How much time it has, in milliseconds.
        left_ms: u64,
    },
    /// The hold became a rental.
    Confirmed,
    /// The hold was given up.
    GivenUp,
    /// The rental was given back.
    Returned {
        /// Whether others may have the locker at once.
        freed: bool,
    },
    /// It was refused.
    Refused {
        /// Why, as clients know it.
        code: String,
        /// The locker that stands in the way.
        locker: Option<i64>,
    },
    /// The caller's own locker with its state.
    Mine(Option<(i64, String)>),
    /// Every locker with its state, and which is the caller's own.
    List {
        /// All of them.
        rows: Vec<(i64, String)>,
        /// The caller's own.
        mine: Option<i64>,
    },
    /// None: the server was killed meanwhile.
    Cut,
}

/// One request with its answer.
#[derive(Debug, Clone)]
pub struct Event {
    /// Whose request, counted from 1.
    pub member: i64,
    /// What was asked.
    pub call: Call,
    /// What was answered.
    pub answer: Answer,
    /// Before the first byte was sent.
    pub began: Micros,
    /// After the last byte of the answer had come; of one that was cut off, when the process was
    /// gone.
    pub ended: Micros,
}

/// A start of the program after a kill.
#[derive(Debug, Clone, Copy)]
pub struct Restart {
    /// Before the process was made.
    pub began: Micros,
    /// After it had said that it listens.
    pub ended: Micros,
}

/// Everything that happened at one site.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// How long a hold lasts.
    pub hold_us: Micros,
    /// Every locker.
    pub lockers: Vec<i64>,
    /// How many members, counted from 1.
    pub members: i64,
    /// Every request, in the order of their beginning.
    pub events: Vec<Event>,
    /// Every restart.
    pub restarts: Vec<Restart>,
}

impl Call {
    /// Whether it changes something; a look that is cut off is of no interest.
    pub const fn changes(self) -> bool {
        !matches!(self, Self::Mine | Self::List)
    }

    /// Method, path and body.
    pub fn request(self) -> (&'static str, String, &'static str) {
        let of = |locker: i64, what: &str| format!("/api/v1/lockers/{locker}/{what}");
        match self {
            Self::Hold(locker) => ("POST", of(locker, "hold"), ""),
            Self::HoldAny => ("POST", "/api/v1/banks/1/hold".to_owned(), ""),
            Self::Confirm(locker) => ("POST", of(locker, "confirm"), ""),
            Self::GiveUp(locker) => ("POST", of(locker, "release-hold"), ""),
            Self::Return(locker) => ("POST", of(locker, "release"), r#"{"emptied":true}"#),
            Self::Mine => ("GET", "/api/v1/lockers/me".to_owned(), ""),
            Self::List => ("GET", "/api/v1/lockers".to_owned(), ""),
        }
    }

    /// Reads an answer to it; an error is one that no such call may get.
    pub fn answer(self, reply: &Reply) -> Result<Answer, String> {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        self.granted(reply.status, &body)
            .or_else(|| self.refused(reply.status, &body))
            .ok_or_else(|| format!("{self:?} was answered {} {body}", reply.status))
    }

    fn granted(self, status: u16, body: &Value) -> Option<Answer> {
        match (self, status) {
            (Self::Hold(_) | Self::HoldAny, 201) => Some(Answer::Held {
                locker: body["locker_id"].as_i64()?,
                left_ms: body["expires_in_ms"].as_u64()?,
            }),
            (Self::Confirm(_), 200) => Some(Answer::Confirmed),
            (Self::GiveUp(_), 200) => Some(Answer::GivenUp),
            (Self::Return(_), 200) => Some(Answer::Returned { freed: body["waits_for"].is_null() }),
            (Self::Mine, 200) => match &body["locker"] {
                Value::Null => Some(Answer::Mine(None)),
                mine => {
                    Some(Answer::Mine(Some((mine["locker_id"].as_i64()?, text(&mine["state"])?))))
                }
            },
            (Self::List, 200) => {
                let row = |row: &Value| Some((row["locker_id"].as_i64()?, text(&row["state"])?));
                let rows = body["lockers"].as_array()?.iter().map(row).collect::<Option<_>>()?;
                Some(Answer::List { rows, mine: body["my_locker_id"].as_i64() })
            }
            _ => None,
        }
    }

    /// A refusal that says something about lockers, not about the server.
    fn refused(self, status: u16, body: &Value) -> Option<Answer> {
        let fits = status == 409 || (status == 404 && matches!(self, Self::Return(_)));
        let code = text(&body["code"]).filter(|_| fits && self.changes())?;
        (code != "clock_untrusted")
            .then(|| Answer::Refused { code, locker: body["locker_id"].as_i64() })
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
