//! When a bank is open to its renters: hours of the week and closing days, in the site's time.
//!
//! A span belongs to the day on which it opens, also when it ends after midnight. A closing day takes the
//! spans that open on it away. An instant is compared with instants, so that daylight saving neither
//! repeats nor swallows a span: one that opens or closes inside a skipped hour does so when the clock
//! jumps, and an hour that comes twice opens at its first and closes at its second coming. Pure; called
//! by the openings and the calendar.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::name::Name;
use super::time::DateSpan;

/// Most spans of one day.
pub const SPANS_MAX: usize = 3;
/// Most closings of one bank.
pub const CLOSINGS_MAX: usize = 200;
/// Most days of one closing.
pub const CLOSING_DAYS_MAX: i32 = 366;
/// How many days ahead the next opening is looked for.
const LOOK_AHEAD_DAYS: i64 = 400;

const HOUR_MIN: u16 = 60;
const DAY_MIN: u16 = 24 * HOUR_MIN;
const WEEK_MIN: u32 = 7 * DAY_MIN as u32;

/// From when to when a bank is open, in minutes after the midnight before it opens. Written as
/// `09:00-22:00`; `18:00-02:00` ends on the next day, `00:00-24:00` is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    opens_min: u16,
    closes_min: u16,
}

impl Span {
    /// The whole day.
    pub const DAY: Self = Self { opens_min: 0, closes_min: DAY_MIN };

    /// From minutes as stored: it opens before minute 1440, after less than a day it is closed again.
    pub fn new(opens_min: u16, closes_min: u16) -> Result<Self, String> {
        let length = closes_min.checked_sub(opens_min);
        match length {
            Some(1..=DAY_MIN) if opens_min < DAY_MIN => Ok(Self { opens_min, closes_min }),
            _ => Err(format!("{opens_min} to {closes_min} are no minutes of a span")),
        }
    }

    /// Minutes after midnight at which it opens, below 1440.
    #[must_use]
    pub const fn opens_min(self) -> u16 {
        self.opens_min
    }

    /// Minutes after the same midnight at which it closes, at most 2880.
    #[must_use]
    pub const fn closes_min(self) -> u16 {
        self.closes_min
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes =
            if self.closes_min > DAY_MIN { self.closes_min - DAY_MIN } else { self.closes_min };
        let clock = |min: u16| (min / HOUR_MIN, min % HOUR_MIN);
        let ((from_h, from_m), (to_h, to_m)) = (clock(self.opens_min), clock(closes));
        write!(f, "{from_h:02}:{from_m:02}-{to_h:02}:{to_m:02}")
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no span like 09:00-22:00");
        let (opens, closes) = text.split_once('-').ok_or_else(wrong)?;
        let opens = minute(opens.trim()).ok_or_else(wrong)?;
        let closes = minute(closes.trim()).ok_or_else(wrong)?;
        if opens == DAY_MIN {
            return Err(wrong());
        }
        if opens == closes {
            return Err(format!("{text:?} has no length: the whole day is 00:00-24:00"));
        }
        let closes = if closes < opens { closes + DAY_MIN } else { closes };
        Self::new(opens, closes)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

/// Minutes after midnight of `HH:MM`, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let all = hours * HOUR_MIN + minutes;
    (minutes < HOUR_MIN && all <= DAY_MIN).then_some(all)
}

/// The hours of a week. A day without a span is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeekHours {
    /// Monday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mon: Vec<Span>,
    /// Tuesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tue: Vec<Span>,
    /// Wednesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wed: Vec<Span>,
    /// Thursday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thu: Vec<Span>,
    /// Friday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fri: Vec<Span>,
    /// Saturday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sat: Vec<Span>,
    /// Sunday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sun: Vec<Span>,
}

impl WeekHours {
    /// The days by their names, Monday first.
    #[must_use]
    pub fn days(&self) -> [(&'static str, &[Span]); 7] {
        [
            ("mon", &self.mon),
            ("tue", &self.tue),
            ("wed", &self.wed),
            ("thu", &self.thu),
            ("fri", &self.fri),
            ("sat", &self.sat),
            ("sun", &self.sun),
        ]
    }

    /// The spans of a day of the week, 0 for Monday; `None` beyond Sunday.
    pub fn day_mut(&mut self, from_monday: usize) -> Option<&mut Vec<Span>> {
        let Self { mon, tue, wed, thu, fri, sat, sun } = self;
        [mon, tue, wed, thu, fri, sat, sun].into_iter().nth(from_monday)
    }

    /// The spans that open on a day of the week.
    #[must_use]
    pub fn on(&self, day: Weekday) -> &[Span] {
        let place = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        self.days().get(place).map_or(&[], |(_, spans)| spans)
    }

    /// Puts each day's spans in order and checks that none of the week overlap, also over midnight;
    /// the text names the two that do.
    pub fn validated(mut self) -> Result<Self, String> {
        for place in 0..7 {
            let Some(spans) = self.day_mut(place) else { continue };
            spans.sort_unstable();
        }
        let mut week: Vec<(u32, u32, String)> = Vec::new();
        for (place, (name, spans)) in (0_u32..).zip(self.days()) {
            if spans.len() > SPANS_MAX {
                return Err(format!("hours.{name} has more than {SPANS_MAX} spans"));
            }
            let midnight = place * u32::from(DAY_MIN);
            let at = |minute: u16| midnight + u32::from(minute);
            let names = |span: &Span| format!("{name} {span}");
            week.extend(spans.iter().map(|it| (at(it.opens_min), at(it.closes_min), names(it))));
        }
        let Some(first) = week.first() else {
            return Err("hours open on no day: leave hours out for a bank that is always open, \
                        or set closing days"
                .to_owned());
        };
        // The week begins anew after its last day.
        week.push((first.0 + WEEK_MIN, first.1 + WEEK_MIN, first.2.clone()));
        match week.windows(2).find(|pair| pair[0].1 > pair[1].0) {
            Some([one, two]) => Err(format!("hours overlap: {} and {}", one.2, two.2)),
            _ => Ok(self),
        }
    }
}

/// Days on which a bank stays closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The days, both ends included.
    pub dates: DateSpan,
    /// Why, for people: "개교기념일".
    pub name: Name,
}

/// Checks a bank's closing days and puts them in order of their days.
pub fn validated_closings(mut closings: Vec<Closing>) -> Result<Vec<Closing>, String> {
    if closings.len() > CLOSINGS_MAX {
        return Err(format!("closings are {}; at most {CLOSINGS_MAX} fit", closings.len()));
    }
    for closing in &closings {
        let days = (closing.dates.last() - closing.dates.first()).get_days();
        if days >= CLOSING_DAYS_MAX {
            let name = &closing.name.ko;
            return Err(format!("closings: {name:?} has more than {CLOSING_DAYS_MAX} days"));
        }
    }
    let key = |it: &Closing| (it.dates.first(), it.dates.last(), it.name.ko.clone());
    closings.sort_by_key(key);
    match closings.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        Some([one, _]) => Err(format!("closings: {:?} on {} stands twice", one.name.ko, one.dates)),
        _ => Ok(closings),
    }
}

/// Whether a bank is open at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// It is.
    Open,
    /// It is not; it opens again then, as far as that can be foreseen.
    Closed {
        /// The next opening within 400 days.
        opens_at: Option<Timestamp>,
    },
}

/// One day of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay<'a> {
    /// Which.
    pub date: Date,
    /// Why it stays closed, when it is a closing day.
    pub closing: Option<&'a Closing>,
    /// The spans that open on it, with their instants.
    pub spans: Vec<(Span, Timestamp, Timestamp)>,
}

/// A bank's hours and closing days together.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    week: Option<&'a WeekHours>,
    closings: &'a [Closing],
}

#[derive(Clone, Copy)]
enum Edge {
    Opens,
    Closes,
}

impl<'a> Opening<'a> {
    /// Without hours the bank is open day and night, except on closing days.
    #[must_use]
    pub const fn new(week: Option<&'a WeekHours>, closings: &'a [Closing]) -> Self {
        Self { week, closings }
    }

    /// What a day looks like.
    #[must_use]
    pub fn day(&self, date: Date, zone: &TimeZone) -> CalendarDay<'a> {
        let closing = self.closings.iter().find(|it| it.dates.contains(date));
        let spans: &[Span] = match (closing, self.week) {
            (Some(_), _) => &[],
            (None, None) => &[Span::DAY],
            (None, Some(week)) => week.on(date.weekday()),
        };
        let instants = |span: &Span| {
            let opens = instant(date, span.opens_min, zone, Edge::Opens)?;
            let closes = instant(date, span.closes_min, zone, Edge::Closes)?;
            // A span within a skipped hour has no length.
            (opens < closes).then_some((*span, opens, closes))
        };
        CalendarDay { date, closing, spans: spans.iter().filter_map(instants).collect() }
    }

    /// Whether the bank is open at `now`, and if not, when it opens next.
    #[must_use]
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Openness {
        if self.week.is_none() && self.closings.is_empty() {
            return Openness::Open;
        }
        let today = now.to_zoned(zone.clone()).date();
        let yesterday = today.checked_sub(1.day()).ok();
        for date in yesterday.into_iter().chain([today]) {
            if self.day(date, zone).spans.iter().any(|(_, from, to)| *from <= now && now < *to) {
                return Openness::Open;
            }
        }
        let days = (0..LOOK_AHEAD_DAYS).map_while(|n| today.checked_add(n.days()).ok());
        let mut openings =
            days.flat_map(|date| self.day(date, zone).spans).map(|(_, from, _)| from);
        Openness::Closed { opens_at: openings.find(|from| now < *from) }
    }
}

/// The instant of a minute of a day; `None` at the end of all time.
fn instant(date: Date, minute: u16, zone: &TimeZone, edge: Edge) -> Option<Timestamp> {
    let civil = date.to_datetime(Time::midnight()).checked_add(i64::from(minute).minutes()).ok()?;
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
        AmbiguousOffset::Fold { before, after } => {
            let offset = if matches!(edge, Edge::Opens) { before } else { after };
            offset.to_timestamp(civil).ok()
        }
        // Counted with the offset after the gap the time lies before it: the gap follows.
        AmbiguousOffset::Gap { after, .. } => {
            let before_gap = after.to_timestamp(civil).ok()?;
            zone.following(before_gap).next().map(|it| it.timestamp())
        }
    }
}

#[cfg(test)]
mod tests;
