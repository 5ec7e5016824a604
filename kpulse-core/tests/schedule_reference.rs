//! The schedule against a slow reference that looks at every minute, and against any text at all.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kpulse_core::schedule::Schedule;
use proptest::prelude::*;

/// Zones in which every day has a midnight and clocks change by whole hours: elsewhere the controller passes runs over
/// (`schedule_table`).
const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Pacific/Chatham",
    "Asia/Kolkata",
    "Antarctica/Troll",
];

/// How far the reference looks: it is slow.
const DAYS: i64 = 15;

/// One field: how it is written, and which values it has.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    values: Vec<i8>,
    is_star: bool,
}

fn part(min: i8, max: i8) -> impl Strategy<Value = Written> {
    let stepped = move |text: String, first: i8, last: i8, step: usize| Written {
        text,
        values: (first..=last).step_by(step).collect(),
        is_star: false,
    };
    let sign = prop_oneof![Just('*'), Just('?')];
    prop_oneof![
        sign.clone().prop_map(move |sign| Written { is_star: true, ..stepped(sign.to_string(), min, max, 1) }),
        (sign, 2..20_usize).prop_map(move |(sign, step)| stepped(format!("{sign}/{step}"), min, max, step)),
        (min..=max).prop_map(move |value| stepped(value.to_string(), value, value, 1)),
        (min..=max, 1..20_usize).prop_map(move |(from, step)| stepped(format!("{from}/{step}"), from, max, step)),
        (min..=max, min..=max, 1..9_usize).prop_map(move |(one, other, step)| {
            let (first, last) = (one.min(other), one.max(other));
            stepped(format!("{first}-{last}/{step}"), first, last, step)
        }),
    ]
}

fn field(min: i8, max: i8) -> impl Strategy<Value = Written> {
    proptest::collection::vec(part(min, max), 1..4).prop_map(|parts| Written {
        text: parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(","),
        values: parts.iter().flat_map(|part| part.values.clone()).collect(),
        is_star: parts.iter().any(|part| part.is_star),
    })
}

#[derive(Debug, Clone)]
struct Fields {
    minute: Written,
    hour: Written,
    day: Written,
    month: Written,
    weekday: Written,
}

impl Fields {
    fn text(&self) -> String {
        let Self { minute, hour, day, month, weekday } = self;
        format!("{} {} {} {} {}", minute.text, hour.text, day.text, month.text, weekday.text)
    }

    fn fit(&self, local: DateTime) -> bool {
        let day = self.day.values.contains(&local.day());
        let weekday = self.weekday.values.contains(&local.weekday().to_sunday_zero_offset());
        self.minute.values.contains(&local.minute())
            && self.hour.values.contains(&local.hour())
            && self.month.values.contains(&local.month())
            && if self.day.is_star || self.weekday.is_star { day && weekday } else { day || weekday }
    }
}

fn fields() -> impl Strategy<Value = Fields> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
        .prop_map(|(minute, hour, day, month, weekday)| Fields { minute, hour, day, month, weekday })
}

/// Any time, half of them in the weeks in which clocks change.
fn time() -> impl Strategy<Value = i64> {
    const YEAR: i64 = 31_557_600;
    let (start, day) = (1_704_067_200, 86_400);
    let near = (0..20_i64, prop_oneof![66..100_i64, 266..310_i64], 0..day)
        .prop_map(move |(year, of_year, second)| start + year * YEAR + of_year * day + second);
    prop_oneof![start..start + 20 * YEAR, near]
}

/// The first whole minute after `t` whose clocks fit.
fn reference(fields: &Fields, zone: &TimeZone, t: i64) -> Option<i64> {
    let first = t.div_euclid(60) * 60 + 60;
    (first..first + DAYS * 86_400)
        .step_by(60)
        .find(|second| fields.fit(zone.to_datetime(Timestamp::from_second(*second).unwrap())))
}

proptest! {
    #[test]
    fn the_next_time_is_the_first_minute_that_fits(
        fields in fields(),
        zone in proptest::sample::select(&ZONES[..]),
        t in time(),
    ) {
        let schedule = Schedule::parse(&fields.text(), Some(zone)).unwrap();
        let next = schedule.next_after(Timestamp::from_second(t).unwrap()).map(Timestamp::as_second);
        let zone = TimeZone::get(zone).unwrap();
        match reference(&fields, &zone, t) {
            Some(expect) => prop_assert_eq!(next, Some(expect)),
            None => prop_assert!(next.is_none_or(|next| next > t + DAYS * 86_400)),
        }
    }

    #[test]
    fn no_gap_is_longer_than_the_longest(fields in fields(), t in time()) {
        let schedule = Schedule::parse(&fields.text(), None).unwrap();
        let t = Timestamp::from_second(t).unwrap();
        let of_leap_years = fields.month.values.iter().all(|month| *month == 2);
        if let Some(next) = schedule.next_after(t).filter(|_| !of_leap_years) {
            prop_assert!(next.duration_since(t) <= schedule.longest_gap());
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_go_back(
        text in prop_oneof!["\\PC{0,30}", "[-0-9*?/, a-zT=@+.]{0,24}", "@every [-+0-9.hmsuµn]{0,12}"],
        zone in proptest::option::of(prop_oneof!["\\PC{0,10}", "Africa/Cairo", "Pacific/Apia"]),
        t in time(),
    ) {
        let t = Timestamp::from_second(t).unwrap();
        match Schedule::parse(&text, zone.as_deref()) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(schedule) => {
                prop_assert!(schedule.longest_gap() > SignedDuration::ZERO);
                prop_assert!(schedule.next_after(t).is_none_or(|next| next > t));
            }
        }
    }
}

#[test]
fn the_ends_of_time_are_no_times() {
    for text in ["* * * * *", "@every 1h", "0 0 29 2 *"] {
        for zone in [None, Some("Europe/Berlin")] {
            let schedule = Schedule::parse(text, zone).unwrap();
            assert_eq!(schedule.next_after(Timestamp::MAX), None);
            assert!(schedule.next_after(Timestamp::MIN).is_none_or(|next| next > Timestamp::MIN));
        }
    }
}

#[test]
fn a_search_in_a_zone_that_left_out_a_day_comes_to_an_end() {
    let before = "2011-12-28T00:00:00-10:00".parse().unwrap();
    let schedule = Schedule::parse("0 0 31 12 *", Some("Pacific/Apia")).unwrap();
    assert_eq!(schedule.next_after(before), None);
}
