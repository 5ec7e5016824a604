//! When a CronJob is due, as Kubernetes decides it.
//!
//! The CronJob controller reads `spec.schedule` with `ParseStandard` of `github.com/robfig/cron/v3` 3.0.1 and asks it
//! for the next time after the last one (`pkg/controller/cronjob`). Agreement with it is the point, its oddities
//! included, so this is its algorithm and not a cron crate: those differ from it (weekday 7, six fields, `?`,
//! `@every`, what happens when clocks change), and each difference would be a false "missed" or a missed one.

mod calendar;
mod error;
mod every;
mod field;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

pub use error::{FieldFault, ScheduleError};
pub use field::Field;

use calendar::Calendar;
use every::every;

/// A schedule that was understood: it can tell when it is due next.
///
/// ## What is understood
/// - Five fields (minute, hour, day of month, month, day of week), with lists, ranges, steps and the English three-letter
///   names of months and days. `?` is `*`; Sunday is 0, and 7 is not a day; `5/15` is `5-59/15`.
/// - If both days are restricted, either will do. A field is unrestricted if it holds a `*` without a step above 1.
/// - `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
/// - `@every 1h30m`: that long after the last run was scheduled, or after the CronJob's creation if none was; whole
///   seconds, and one at least. Neither the zone nor midnight matter to it.
/// - `TZ=Zone ` and `CRON_TZ=Zone ` before any of these. New API servers refuse them in a new CronJob, but keep those
///   there are, and the controller obeys them (`formatSchedule`), even against `spec.timeZone`; so does this.
///
/// ## Zones
/// They come from the tz database within the program. Without one the controller's own zone holds; nobody outside
/// can see which that is, so UTC is assumed, as in all common distributions: [`Schedule::zone`] is `None` then.
///
/// ## When clocks change
/// As in `SpecSchedule.Next`: an hour at a time is added until the hour fits, so a time that does not exist on a day
/// is skipped on that day (`30 2 * * *` does not run when 2:30 is left out), and one that exists twice runs twice.
/// Two oddities of that search are kept, for the controller has them too. Where midnight itself is left out (Cairo,
/// Beirut, Havana, Santiago), it can pass over that day. Where clocks change by half an hour (Lord Howe), it can pass over
/// runs of the first half of an hour for the rest of that day.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    rule: Rule,
    zone: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Calendar(Calendar),
    /// Seconds from one run to the next.
    Every(i64),
}

impl Schedule {
    /// Understands `spec.schedule`, in the zone of `spec.timeZone`.
    ///
    /// # Errors
    /// If the controller would not start runs by it: it does not understand the text, or does not know the zone.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, ScheduleError> {
        let of_field = zone.map(zone_named).transpose()?;
        let (zone, text) = match zone_within(text) {
            Some((name, rest)) => (Some((name, zone_named(name)?)), rest),
            // The controller puts `TZ=zone ` in front of the text; what follows is trimmed, alone it is not.
            None => (zone.zip(of_field), if zone.is_some() { text.trim() } else { text }),
        };
        let (name, zone) = match zone {
            Some((name, zone)) => (Some(name.to_owned()), zone),
            None => (None, TimeZone::UTC),
        };
        let rule = match text.strip_prefix("@every ") {
            Some(length) => Rule::Every(every(length)?),
            None => Rule::Calendar(Calendar::parse(text, zone)?),
        };
        Ok(Self { rule, zone: name })
    }

    /// The first time after `t` at which a run is due; `None` if there is none in the next five years.
    #[must_use]
    pub fn next_after(&self, t: Timestamp) -> Option<Timestamp> {
        let second = t.as_nanosecond().div_euclid(1_000_000_000);
        let second = i64::try_from(second).ok()?;
        let next = match &self.rule {
            Rule::Calendar(calendar) => calendar.next_after(second)?,
            Rule::Every(seconds) => second.checked_add(*seconds)?,
        };
        Timestamp::from_second(next).ok()
    }

    /// A length of time in which a run is due, wherever it begins: a bound, not always the closest. Not reckoned with
    /// are runs that clocks skip, and the 29th of February.
    #[must_use]
    pub fn longest_gap(&self) -> SignedDuration {
        match &self.rule {
            Rule::Calendar(calendar) => calendar.longest_gap(),
            Rule::Every(seconds) => SignedDuration::from_secs(*seconds),
        }
    }

    /// The zone it is read in, by name; `None` where nothing is said and UTC is assumed.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

/// The zone within the text and what follows it.
fn zone_within(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ="))?;
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((name, rest.trim()))
}

/// A zone by its name in the tz database, as `time.LoadLocation` finds it: the case of letters counts.
fn zone_named(name: &str) -> Result<TimeZone, ScheduleError> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        _ => TimeZoneDatabase::bundled()
            .get(name)
            .ok()
            .filter(|zone| zone.iana_name() == Some(name))
            .ok_or_else(|| ScheduleError::Zone { zone: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
