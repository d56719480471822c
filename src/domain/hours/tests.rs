//! Hours: what is refused, midnight, closing days, and the two days a year with another length.

use jiff::civil::{date, datetime};
use proptest::prelude::*;

use super::*;

fn span(text: &str) -> Span {
    text.parse().expect("a span")
}

fn week(days: &[(usize, &[&str])]) -> WeekHours {
    let mut week = WeekHours::default();
    for (day, spans) in days {
        *week.day_mut(*day).expect("a weekday") = spans.iter().map(|it| span(it)).collect();
    }
    week
}

fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").expect("bundled")
}

fn new_york() -> TimeZone {
    TimeZone::get("America/New_York").expect("bundled")
}

fn closing(first: Date, last: Date) -> Closing {
    let name = Name::parse("쉬는 날", Some("A day off")).expect("valid");
    Closing { dates: DateSpan::new(first, last).expect("in order"), name }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn opens_at(opening: &Opening<'_>, now: &str, zone: &TimeZone) -> Option<String> {
    match opening.at(at(now), zone) {
        Openness::Open => Some("open".to_owned()),
        Openness::Closed { opens_at } => opens_at.map(|it| it.to_string()),
    }
}

#[test]
fn a_span_is_read_as_written_and_nothing_else_is_one() {
    for text in ["09:00-22:00", "00:00-24:00", "18:00-02:00", "23:59-00:00", "00:00-00:01"] {
        let shown = span(text).to_string();
        let expected = if text == "23:59-00:00" { "23:59-24:00" } else { text };
        assert_eq!(shown, expected);
        assert_eq!(span(&shown), span(text));
    }
    for text in
        ["9:00-22:00", "09:00", "24:00-25:00", "09:60-10:00", "09:00-09:00", "-", "24:00-01:00"]
    {
        text.parse::<Span>().expect_err(text);
    }
    for (opens, closes) in [(0, 0), (10, 5), (1_440, 1_500), (0, 1_441)] {
        Span::new(opens, closes).expect_err("no span");
    }
}

#[test]
fn spans_that_overlap_are_named_also_over_midnight_and_the_weeks_end() {
    let refused = |days: &[(usize, &[&str])]| week(days).validated().expect_err("overlap");
    let text = refused(&[(0, &["11:00-13:00", "09:00-12:00"])]);
    assert_eq!(text, "hours overlap: mon 09:00-12:00 and mon 11:00-13:00");
    let text = refused(&[(4, &["18:00-02:00"]), (5, &["01:59-03:00"])]);
    assert_eq!(text, "hours overlap: fri 18:00-02:00 and sat 01:59-03:00");
    let text = refused(&[(6, &["20:00-03:00"]), (0, &["02:00-04:00"])]);
    assert_eq!(text, "hours overlap: sun 20:00-03:00 and mon 02:00-04:00");
    assert!(refused(&[]).contains("open on no day"));
    let many = &["00:00-01:00", "02:00-03:00", "04:00-05:00", "06:00-07:00"];
    assert!(refused(&[(2, many)]).contains("hours.wed has more than 3"));
    let good = week(&[(0, &["13:00-24:00", "09:00-13:00"]), (1, &["00:00-02:00"])]);
    let good = good.validated().expect("they only touch");
    assert_eq!(good.mon, [span("09:00-13:00"), span("13:00-24:00")], "in order");
}

#[test]
fn a_bank_opens_and_closes_on_the_minute_in_the_sites_time() {
    // 2026-08-24 is a Monday.
    let hours = week(&[(0, &["09:00-22:00"]), (4, &["18:00-02:00"])]);
    let opening = Opening::new(Some(&hours), &[]);
    let seoul = seoul();
    let asked = |now| opens_at(&opening, now, &seoul);
    let monday = Some("2026-08-24T00:00:00Z".to_owned());
    let friday = Some("2026-08-28T09:00:00Z".to_owned());
    assert_eq!(asked("2026-08-23T23:59:59.999Z"), monday);
    assert_eq!(asked("2026-08-24T00:00:00Z"), Some("open".to_owned()));
    assert_eq!(asked("2026-08-24T12:59:59.999Z"), Some("open".to_owned()));
    assert_eq!(asked("2026-08-24T13:00:00Z"), friday);
    // Friday evening goes on until two in the morning of Saturday.
    assert_eq!(asked("2026-08-28T16:59:59Z"), Some("open".to_owned()));
    assert_eq!(asked("2026-08-28T17:00:00Z"), Some("2026-08-31T00:00:00Z".to_owned()));
}

#[test]
fn a_closing_day_takes_the_spans_that_open_on_it() {
    let hours = week(&[(4, &["18:00-02:00"]), (5, &["10:00-12:00"])]);
    let saturday = [closing(date(2026, 8, 29), date(2026, 8, 29))];
    let opening = Opening::new(Some(&hours), &saturday);
    let seoul = seoul();
    assert_eq!(opens_at(&opening, "2026-08-28T16:30:00Z", &seoul), Some("open".to_owned()));
    let next = Some("2026-09-04T09:00:00Z".to_owned());
    assert_eq!(opens_at(&opening, "2026-08-29T01:30:00Z", &seoul), next);
    // Without hours a closing day is closed from midnight to midnight.
    let always = Opening::new(None, &saturday);
    assert_eq!(opens_at(&always, "2026-08-28T14:59:59Z", &seoul), Some("open".to_owned()));
    let sunday = Some("2026-08-29T15:00:00Z".to_owned());
    assert_eq!(opens_at(&always, "2026-08-28T15:00:00Z", &seoul), sunday);
    assert_eq!(opens_at(&always, "2026-08-29T15:00:00Z", &seoul), Some("open".to_owned()));
    let day = always.day(date(2026, 8, 29), &seoul);
    assert_eq!(day.closing.map(|it| it.name.en.as_str()), Some("A day off"));
    assert!(day.spans.is_empty());
}

#[test]
fn a_bank_that_stays_closed_for_longer_than_can_be_foreseen_says_so() {
    let hours = week(&[(0, &["09:00-10:00"])]);
    let long = [
        closing(date(2026, 1, 1), date(2026, 12, 30)),
        closing(date(2026, 12, 31), date(2027, 12, 30)),
    ];
    let opening = Opening::new(Some(&hours), &long);
    assert_eq!(opens_at(&opening, "2026-02-01T00:00:00Z", &seoul()), None);
    assert!(validated_closings(long.to_vec()).is_ok());
    validated_closings(vec![closing(date(2026, 1, 1), date(2027, 1, 2))]).expect_err("367 days");
    let day = closing(date(2026, 1, 1), date(2026, 1, 1));
    validated_closings(vec![day.clone(), day.clone()]).expect_err("twice");
    validated_closings(vec![day; CLOSINGS_MAX + 1]).expect_err("too many");
}

#[test]
fn a_skipped_hour_opens_and_closes_when_the_clock_jumps() {
    // New York, 2026-03-08: 02:00 is 03:00, at 07:00 UTC. It is a Sunday.
    let zone = new_york();
    let spans = |text: &str| {
        let hours = week(&[(6, &[text])]);
        let day = Opening::new(Some(&hours), &[]).day(date(2026, 3, 8), &zone);
        day.spans.iter().map(|(_, from, to)| format!("{from} {to}")).collect::<Vec<_>>()
    };
    assert_eq!(spans("02:30-05:00"), ["2026-03-08T07:00:00Z 2026-03-08T09:00:00Z"]);
    assert_eq!(spans("02:00-05:00"), ["2026-03-08T07:00:00Z 2026-03-08T09:00:00Z"]);
    assert_eq!(spans("01:00-02:30"), ["2026-03-08T06:00:00Z 2026-03-08T07:00:00Z"]);
    assert_eq!(spans("02:10-02:50"), [""; 0], "the hour does not exist on this day");
    // The whole day has 23 hours.
    assert_eq!(spans("00:00-24:00"), ["2026-03-08T05:00:00Z 2026-03-09T04:00:00Z"]);
}

#[test]
fn an_hour_that_comes_twice_opens_once() {
    // New York, 2026-11-01: from 06:00 UTC on 01:00 to 02:00 comes again. It is a Sunday.
    let zone = new_york();
    let spans = |text: &str| {
        let hours = week(&[(6, &[text])]);
        let day = Opening::new(Some(&hours), &[]).day(date(2026, 11, 1), &zone);
        day.spans.iter().map(|(_, from, to)| format!("{from} {to}")).collect::<Vec<_>>()
    };
    assert_eq!(spans("01:30-03:00"), ["2026-11-01T05:30:00Z 2026-11-01T08:00:00Z"]);
    assert_eq!(spans("00:30-01:30"), ["2026-11-01T04:30:00Z 2026-11-01T06:30:00Z"]);
    assert_eq!(spans("00:00-24:00"), ["2026-11-01T04:00:00Z 2026-11-02T05:00:00Z"]);
}

proptest! {
    /// Where no hour is skipped or repeated, being open means that the wall clock stands within a span.
    #[test]
    fn open_is_what_the_clock_on_the_wall_says(
        spans in prop::collection::vec((0_usize..7, 0_u16..1_440, 1_u16..1_440), 1..6),
        closed in 0_i8..14,
        minute in 0_i64..20_160,
    ) {
        let mut hours = WeekHours::default();
        for (day, opens, length) in &spans {
            let span = Span::new(*opens, opens + length).expect("a span");
            hours.day_mut(*day).expect("a weekday").push(span);
        }
        let Ok(hours) = hours.validated() else { return Ok(()) };
        let first = date(2026, 8, 24);
        let closed = first.checked_add(i64::from(closed).days()).expect("a day");
        let closings = [closing(closed, closed)];
        let now = datetime(2026, 8, 24, 0, 0, 0, 0).checked_add(minute.minutes()).expect("a time");
        let instant = now.to_zoned(seoul()).expect("exists").timestamp();
        let within = |date: Date| {
            let midnight = date.to_datetime(Time::midnight());
            date != closed
                && hours.on(date.weekday()).iter().any(|span| {
                    let at = |min: u16| midnight.checked_add(i64::from(min).minutes()).expect("a time");
                    at(span.opens_min) <= now && now < at(span.closes_min)
                })
        };
        let yesterday = now.date().checked_sub(1.day()).expect("a day");
        let expected = within(now.date()) || within(yesterday);
        let opening = Opening::new(Some(&hours), &closings);
        match opening.at(instant, &seoul()) {
            Openness::Open => prop_assert!(expected),
            Openness::Closed { opens_at } => {
                prop_assert!(!expected);
                let next = opens_at.expect("it opens every week but one day");
                prop_assert!(next > instant);
                prop_assert_eq!(opening.at(next, &seoul()), Openness::Open);
            }
        }
    }
}
