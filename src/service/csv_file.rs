//! Tables as CSV files that Excel opens in Korean: UTF-8 with the mark before it, lines that end in CRLF,
//! times in the site's zone, and no cell that a spreadsheet would take for a formula. One for every list.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most rows of one file.
pub const ROWS_MAX: usize = 200_000;

/// A file that is being written.
#[derive(Debug, Clone)]
pub struct CsvFile {
    text: String,
    rows: usize,
}

impl CsvFile {
    /// A file with its first line. Excel takes a file without the mark before it for the machine's own
    /// code page.
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        let mut file = Self { text: "\u{feff}".to_owned(), rows: 0 };
        file.text.push_str(&line(head));
        file
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&str]) {
        self.text.push_str(&line(cells));
        self.rows += 1;
    }

    /// How many rows it has, its head not counted.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The file.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// One line (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it,
/// as OWASP advises; the roster import takes it off again.
#[must_use]
pub fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| written(cell)).collect();
    cells.join(",") + "\r\n"
}

fn written(cell: &str) -> String {
    let begins = cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if begins { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// A stored time (unix milliseconds) as a cell, in the site's zone; empty when there is none.
#[must_use]
pub fn at(ms: Option<i64>, zone: &TimeZone) -> String {
    let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| {
        at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// A value as a cell; empty when there is none.
#[must_use]
pub fn some(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_leaves_its_place() {
        let cells = ["=1+1", "a,b", "say \"hi\"", "-5", "  @x", "plain"];
        let written = "\"'=1+1\",\"a,b\",\"say \"\"hi\"\"\",\"'-5\",\"'  @x\",plain\r\n";
        assert_eq!(line(&cells), written);
    }

    #[test]
    fn a_file_begins_with_the_mark_and_counts_its_rows() {
        let zone = TimeZone::get("Asia/Seoul").expect("bundled");
        let mut file = CsvFile::new(&["at", "who"]);
        file.row(&[&at(Some(0), &zone), &some(None::<i64>)]);
        assert_eq!(file.rows(), 1);
        assert_eq!(file.into_text(), "\u{feff}at,who\r\n1970-01-01 09:00:00,\r\n");
    }
}
