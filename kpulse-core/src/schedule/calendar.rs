//! The next time that fits five fields: `SpecSchedule.Next` of robfig's `spec.go`, step by step.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::ScheduleError;
use super::field::{Field, STAR};

/// A search that takes more steps than this goes round in circles: robfig's does where a zone left out a whole day.
/// Five years of days that do not fit are 1,830 steps.
const STEPS: u16 = 10_000;
/// Nothing is searched beyond this many years.
const YEARS: i16 = 5;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Five fields as sets of bits, and the zone in which they hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calendar {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    zone: TimeZone,
}

impl Calendar {
    pub(super) fn parse(text: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ if text.starts_with('@') => return Err(ScheduleError::Name { text: text.to_owned() }),
            _ => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let Ok(fields) = <[&str; 5]>::try_from(fields.as_slice()) else {
            return Err(ScheduleError::Fields { text: text.to_owned(), found: fields.len() });
        };
        let [minutes, hours, days, months, weekdays] = Field::ALL;
        let [minute, hour, day, month, weekday] = fields;
        Ok(Self {
            minutes: minutes.parse(minute)?,
            hours: hours.parse(hour)?,
            days: days.parse(day)?,
            months: months.parse(month)?,
            weekdays: weekdays.parse(weekday)?,
            zone,
        })
    }

    /// The first time after second `t` that fits.
    pub(super) fn next_after(&self, t: i64) -> Option<i64> {
        // A field without a value never fits; the search would count all minutes of five years to find that out.
        if self.minutes == 0 || self.hours == 0 || self.months == 0 {
            return None;
        }
        let mut hand = Hand::at(&self.zone, t.checked_add(1)?)?;
        let last_year = hand.local.year().checked_add(YEARS)?;
        while hand.local.year() <= last_year {
            let fits = self.find_month(&mut hand)?
                && self.find_day(&mut hand)?
                && self.find_hour(&mut hand)?
                && self.find_minute(&mut hand)?
                && hand.is_on_the_minute()?;
            if fits {
                return Some(hand.second);
            }
        }
        None
    }

    // Each of these moves on to what fits, and says false where that passed the end of the next larger unit, so that
    // the search begins anew with the month.

    fn find_month(&self, hand: &mut Hand<'_>) -> Option<bool> {
        while !has(self.months, hand.local.month()) {
            if hand.loosen() {
                hand.set(hand.local.year(), hand.local.month(), 1, 0)?;
            }
            let time = hand.time_of_day();
            let (year, month) = match hand.local.month() {
                12 => (hand.local.year().checked_add(1)?, 1),
                month => (hand.local.year(), month + 1),
            };
            hand.set(year, month, hand.local.day().into(), time)?;
            if hand.local.month() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_day(&self, hand: &mut Hand<'_>) -> Option<bool> {
        while !self.day_fits(hand.local.date()) {
            if hand.loosen() {
                hand.set_in_month(hand.local.day().into(), 0)?;
            }
            let time = hand.time_of_day();
            hand.set_in_month(i64::from(hand.local.day()) + 1, time)?;
            // Midnight may have been left out: go to the nearest.
            match i64::from(hand.local.hour()) {
                0 => {}
                late @ 13.. => hand.forward((24 - late) * HOUR)?,
                early => hand.forward(-early * HOUR)?,
            }
            if hand.local.day() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_hour(&self, hand: &mut Hand<'_>) -> Option<bool> {
        while !has(self.hours, hand.local.hour()) {
            if hand.loosen() {
                hand.set_in_month(hand.local.day().into(), i64::from(hand.local.hour()) * HOUR)?;
            }
            hand.forward(HOUR)?;
            if hand.local.hour() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn find_minute(&self, hand: &mut Hand<'_>) -> Option<bool> {
        while !has(self.minutes, hand.local.minute()) {
            if hand.loosen() {
                hand.forward(-hand.second.rem_euclid(MINUTE))?;
            }
            hand.forward(MINUTE)?;
            if hand.local.minute() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    /// If both days are restricted, either will do.
    fn day_fits(&self, date: Date) -> bool {
        let in_month = has(self.days, date.day());
        let in_week = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        if (self.days | self.weekdays) & STAR != 0 { in_month && in_week } else { in_month || in_week }
    }

    /// A length of time in which a run is due, wherever it begins.
    pub(super) fn longest_gap(&self) -> SignedDuration {
        // A month may lack the days from the 29th on.
        let early_days = self.days & ((1 << 29) - 1);
        let days_of_month = if early_days == 0 { 62 } else { widest(early_days, Field::DayOfMonth) };
        let days_of_week = widest(self.weekdays, Field::DayOfWeek);
        let days = match (self.days & STAR != 0, self.weekdays & STAR != 0) {
            _ if widest(self.months, Field::Month) > 1 => 366,
            (true, true) => 1,
            (true, false) => days_of_week,
            (false, true) => days_of_month,
            (false, false) => days_of_month.min(days_of_week),
        };
        match widest(self.hours, Field::Hour) {
            _ if days > 1 => SignedDuration::from_hours((24 * days + 1).into()),
            1 => SignedDuration::from_mins(widest(self.minutes, Field::Minute).into()),
            hours => SignedDuration::from_hours((hours + 1).into()),
        }
    }
}

/// The widest step from one value of a field to its next, around the end.
fn widest(bits: u64, field: Field) -> i32 {
    let (min, max) = field.bounds();
    let length = max - min + 1;
    let (mut run, mut widest) = (0, 0);
    for value in (0..2 * length).map(|value| min + value % length) {
        run += 1;
        if bits & (1 << value) != 0 {
            widest = widest.max(run);
            run = 0;
        }
    }
    widest.max(run)
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits & 1_u64.wrapping_shl(value) != 0)
}

/// Where the search stands: a second, and what clocks show then.
struct Hand<'a> {
    zone: &'a TimeZone,
    second: i64,
    local: DateTime,
    /// Whether it has moved: the smaller units were set to their first value then.
    moved: bool,
    steps: u16,
}

impl<'a> Hand<'a> {
    fn at(zone: &'a TimeZone, second: i64) -> Option<Self> {
        let local = zone.to_datetime(Timestamp::from_second(second).ok()?);
        Some(Self { zone, second, local, moved: false, steps: 0 })
    }

    fn go_to(&mut self, second: i64) -> Option<()> {
        self.second = second;
        self.local = self.zone.to_datetime(Timestamp::from_second(second).ok()?);
        self.steps += 1;
        (self.steps < STEPS).then_some(())
    }

    fn forward(&mut self, seconds: i64) -> Option<()> {
        self.go_to(self.second.checked_add(seconds)?)
    }

    /// Whether this is its first move.
    fn loosen(&mut self) -> bool {
        !std::mem::replace(&mut self.moved, true)
    }

    /// Seconds are 0 in every schedule: any other begins the search anew with the next minute.
    fn is_on_the_minute(&mut self) -> Option<bool> {
        match i64::from(self.local.second()) {
            0 => Some(true),
            second => {
                self.moved = true;
                self.forward(MINUTE - second)?;
                Some(false)
            }
        }
    }

    /// What clocks show, in seconds since they showed midnight.
    fn time_of_day(&self) -> i64 {
        let time = self.local.time();
        i64::from(time.hour()) * HOUR + i64::from(time.minute()) * MINUTE + i64::from(time.second())
    }

    fn set_in_month(&mut self, day: i64, time: i64) -> Option<()> {
        self.set(self.local.year(), self.local.month(), day, time)
    }

    /// Goes to a day and a time of day, as Go's `time.Date` does: a day past the month's end is in the next month, and
    /// a time that clocks skip or show twice is read with the offset that holds near it.
    fn set(&mut self, year: i16, month: i8, day: i64, time: i64) -> Option<()> {
        let first = Date::new(year, month, 1).ok()?.to_datetime(jiff::civil::Time::midnight());
        let as_if_utc = TimeZone::UTC.to_timestamp(first).ok()?.as_second().checked_add((day - 1) * DAY + time)?;
        let near = as_if_utc - self.offset(as_if_utc)?;
        self.go_to(as_if_utc - self.offset(near)?)
    }

    fn offset(&self, second: i64) -> Option<i64> {
        Some(self.zone.to_offset(Timestamp::from_second(second).ok()?).seconds().into())
    }
}
