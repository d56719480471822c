//! What lists are asked for: how many rows, from where on, and other values of a question.
//!
//! Values are read here one by one, so that each wrong one is named with what it may be. Lists that are
//! made from what memory holds are cut into pages here; their cursor is the place at which the next page
//! begins. Called by the handlers of lists.

use std::str::FromStr;

use super::problem::Problem;
use crate::service::error::Code;

/// Rows on a page when nothing else is asked for.
pub(super) const PAGE_DEFAULT: u32 = 50;
/// Most rows of a page.
pub(super) const PAGE_MAX: u32 = 100;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// Its rows.
    pub(super) rows: Vec<T>,
    /// Where the next one begins; `None` on the last.
    pub(super) next_cursor: Option<String>,
    /// How many rows all pages have.
    pub(super) total: usize,
}

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

/// Reads a flag.
pub(super) fn flag(text: Option<&str>, name: &str) -> Result<Option<bool>, Problem> {
    value(text, name, "true or false")
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

/// Whether one of these holds the words that are looked for, whatever their case; without words all do.
pub(super) fn holds(words: Option<&str>, texts: &[&str]) -> bool {
    let Some(words) = words.map(|words| words.trim().to_lowercase()) else { return true };
    texts.iter().any(|text| text.to_lowercase().contains(&words))
}

/// Cuts a page out of a list.
pub(super) fn cut<T>(
    all: Vec<T>,
    cursor: Option<&str>,
    asked_limit: Option<&str>,
) -> Result<Page<T>, Problem> {
    let begin = self::cursor::<usize>(cursor)?.unwrap_or(0);
    let limit = usize::try_from(limit(asked_limit)?).unwrap_or(usize::MAX);
    let total = all.len();
    let end = begin.saturating_add(limit);
    let next_cursor = (end < total).then(|| end.to_string());
    let rows = all.into_iter().skip(begin).take(limit).collect();
    Ok(Page { rows, next_cursor, total })
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

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all = || (0..7).collect::<Vec<i32>>();
        let page = |cursor| cut(all(), cursor, Some("3")).expect("a page");
        let first = page(None);
        assert_eq!((first.rows, first.total), (vec![0, 1, 2], 7));
        assert_eq!(first.next_cursor.as_deref(), Some("3"));
        let last = page(Some("6"));
        assert_eq!((last.rows, last.next_cursor), (vec![6], None));
        assert!(page(Some("7")).rows.is_empty());
        assert!(page(Some(&usize::MAX.to_string())).rows.is_empty());
        for (cursor, limit) in [(Some("x"), None), (None, Some("0")), (None, Some("101"))] {
            cut(all(), cursor, limit).expect_err("not a page");
        }
    }

    #[test]
    fn words_are_found_in_either_language_whatever_their_case() {
        let texts = ["과학도서관", "Science Library"];
        assert!(holds(None, &texts) && holds(Some(" library "), &texts));
        assert!(holds(Some("도서"), &texts) && !holds(Some("informatics"), &texts));
    }
}
