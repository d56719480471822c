//! What lists are asked for: how many rows, from where on, and other values of a question.
//!
//! Values are read here one by one, so that each wrong one is named with what it may be. Called by the
//! handlers of lists.

use std::str::FromStr;

use super::problem::Problem;
use crate::service::error::Code;

/// Rows on a page when nothing else is asked for.
pub(super) const PAGE_DEFAULT: u32 = 50;
/// Most rows of a page.
pub(super) const PAGE_MAX: u32 = 100;

/// Reads a value of a question; `accepted` says what it may be.
pub(super) fn value<T: FromStr>(
    text: Option<&str>,
    name: &str,
    accepted: &str,
) -> Result<Option<T>, Problem> {
    named(text, name, accepted, |text| text.parse().ok())
}

/// Reads one of some names, as `find` knows them.
pub(super) fn named<T>(
    text: Option<&str>,
    name: &str,
    accepted: &str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    text.map(|text| find(text).ok_or_else(|| wrong(name, accepted))).transpose()
}

/// The refusal of a value that is none of what it may be.
pub(super) fn wrong(name: &str, accepted: &str) -> Problem {
    Problem::new(Code::Invalid, format!("{name} must be {accepted}"))
}

/// Reads where a page begins.
pub(super) fn cursor<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Problem> {
    value(text, "cursor", "next_cursor of the page before")
}

/// Reads how many rows are asked for.
pub(super) fn limit(text: Option<&str>) -> Result<u32, Problem> {
    limit_up_to(text, PAGE_MAX)
}

/// Reads how many rows are asked for of a list with longer pages.
pub(super) fn limit_up_to(text: Option<&str>, most: u32) -> Result<u32, Problem> {
    let accepted = format!("1 to {most}");
    let limit = value(text, "limit", &accepted)?.unwrap_or(PAGE_DEFAULT);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(wrong("limit", &accepted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_in_numbers() {
        assert_eq!((limit(None).ok(), limit(Some("100")).ok()), (Some(PAGE_DEFAULT), Some(100)));
        assert_eq!(limit_up_to(Some("101"), 200).ok(), Some(101));
        for wrong in ["0", "101", "x", "-1", ""] {
            let error = limit(Some(wrong)).expect_err(wrong);
            assert!(format!("{error:?}").contains("limit must be 1 to 100"), "{error:?}");
        }
        assert_eq!(
            (cursor::<i64>(None).ok(), cursor(Some("7")).ok()),
            (Some(None), Some(Some(7_i64)))
        );
        let error = cursor::<i64>(Some("x")).expect_err("no number");
        assert!(format!("{error:?}").contains("next_cursor of the page before"), "{error:?}");
    }
}
