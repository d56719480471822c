//! The box: mails that are kept in memory instead of being sent, for the demo and for tests. The
//! oldest go when it is full; nothing survives a restart.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::Letter;

/// Most mails in the box.
pub const KEPT_MAX: usize = 200;

/// A mail in the box.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Counts from 1 since the start.
    pub number: u64,
    /// The mail.
    pub letter: Letter,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Letterbox(Mutex<VecDeque<Kept>>);

impl Letterbox {
    /// Puts a mail in.
    pub fn put(&self, letter: Letter) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.back().map_or(0, |newest| newest.number) + 1;
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Kept { number, letter });
    }

    /// All mails, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }

    /// One mail.
    #[must_use]
    pub fn find(&self, number: u64) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|mail| mail.number == number).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_numbers_stay() {
        let kept = Letterbox::default();
        for n in 0..=KEPT_MAX {
            kept.put(Letter {
                to: "a@b.kr".to_owned(),
                subject: n.to_string(),
                text: String::new(),
                html: String::new(),
                message_id: n.to_string(),
                date: jiff::Timestamp::UNIX_EPOCH,
            });
        }
        let listed = kept.list();
        assert_eq!(listed.len(), KEPT_MAX);
        assert_eq!(listed.first().map(|mail| mail.number), Some(KEPT_MAX as u64 + 1));
        assert!(kept.find(1).is_none());
        assert_eq!(kept.find(2).map(|mail| mail.letter.subject), Some("1".to_owned()));
    }
}
