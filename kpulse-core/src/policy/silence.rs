//! Silences: what people do not want to hear for a while. A silence holds back firings, updates and reminders, never
//! the end of what was told; what is still true when it ends is told then.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::route::Matcher;
use crate::Alert;

/// One entry of `silences`: alerts that fit `match` are not told from `from` until `until`, or within weekly windows.
/// Without either it holds always.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Silence {
    /// Which alerts; an empty match takes all.
    #[serde(rename = "match")]
    pub matches: Matcher,
    /// From when; nothing means from ever.
    pub from: Option<Timestamp>,
    /// Until when; nothing means for ever.
    pub until: Option<Timestamp>,
    /// Only within these windows of each week; an empty list means all week.
    pub weekly: Vec<Window>,
    /// The zone of the windows, as the tz database names it: `Europe/Berlin`. UTC if nothing is said.
    pub zone: Zone,
    /// Why, for people.
    pub reason: String,
}

/// A window that comes every week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// On which days it begins; an empty list means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins: `22:00`.
    pub from: TimeOfDay,
    /// When it ends: `06:00`; a time that is not after its beginning is the next day's.
    pub until: TimeOfDay,
}

/// A day of the week: `mon`, `Monday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Weekday);

/// A time of day: `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// Minutes since midnight, 1,440 at most.
    minutes: i16,
}

/// A zone of the tz database; UTC if nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        let word = text.trim().to_ascii_lowercase();
        let day = DAYS.into_iter().find(|(_, name)| word.len() >= 3 && name.starts_with(&word));
        day.map(|(day, _)| Self(day))
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no day of the week: write mon, tue, … sun")))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let name = DAYS.into_iter().find(|(day, _)| *day == self.0).map_or("", |(_, name)| name);
        out.serialize_str(name.get(..3).unwrap_or(name))
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        let parts = text.split_once(':').and_then(|(hour, minute)| {
            let (hours, minutes): (i16, i16) = (hour.parse().ok()?, minute.parse().ok()?);
            let in_range = (0..24).contains(&hours) && (0..60).contains(&minutes) || (hours, minutes) == (24, 0);
            in_range.then_some(hours * 60 + minutes)
        });
        parts
            .map(|minutes| Self { minutes })
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time of day: write it like \"22:30\"")))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&format_args!("{:02}:{:02}", self.minutes / 60, self.minutes % 60))
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        TimeZoneDatabase::bundled().get(&text).map(Self).map_err(|_| {
            serde::de::Error::custom(format!("`{text}` is no zone of the tz database: write it like Europe/Berlin"))
        })
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl Silence {
    /// Whether it holds for this alert now.
    #[must_use]
    pub fn silences(&self, alert: &Alert, now: Timestamp) -> bool {
        self.is_active(now) && self.matches.matches(alert)
    }

    /// Whether it holds now.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now)
            && self.until.is_none_or(|until| now < until)
            && (self.weekly.is_empty() || self.spans(now).any(|(from, until)| from <= now && now < until))
    }

    /// When it begins or ends to hold next; nothing if it never does.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if self.until.is_some_and(|until| until <= now) {
            return None;
        }
        let bounds = self.spans(now).flat_map(|(from, until)| [from, until]);
        self.from.into_iter().chain(self.until).chain(bounds).filter(|at| *at > now).min()
    }

    /// The windows around now: those that began yesterday, and those of the next week.
    fn spans(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let zone = &self.zone.0;
        let today = zone.to_datetime(now).date();
        let days = (-1..=8).filter_map(move |offset: i64| today.checked_add(offset.days()).ok());
        days.flat_map(move |date| self.weekly.iter().filter_map(move |window| window.on(date, zone)))
    }
}

impl Window {
    /// The window that begins on a date; where clocks change, times that do not exist are moved on by the change.
    fn on(&self, date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.is_empty() && !self.days.iter().any(|day| day.0 == date.weekday()) {
            return None;
        }
        let last = if self.until <= self.from { date.tomorrow().ok()? } else { date };
        Some((self.from.on(date, zone)?, self.until.on(last, zone)?))
    }
}

impl TimeOfDay {
    fn on(self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        let (date, minutes) = if self.minutes == 1_440 { (date.tomorrow().ok()?, 0) } else { (date, self.minutes) };
        let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        zone.to_timestamp(date.to_datetime(time)).ok()
    }
}

/// What the annotation `kpulse.io/silence` says: `until=2026-12-01T08:00:00Z, reason`. Nothing if it cannot be
/// understood: then it does not hold.
#[must_use]
pub fn annotation(text: &str) -> Option<(Timestamp, &str)> {
    let (until, reason) = text.split_once(',').unwrap_or((text, ""));
    let until = until.trim().strip_prefix("until=")?.trim();
    Some((until.parse().ok()?, reason.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(json: &str) -> Silence {
        serde_json::from_str(json).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(silence: &Silence, table: &[(&str, bool, Option<&str>)]) {
        for (now, active, next) in table {
            assert_eq!(silence.is_active(at(now)), *active, "{now}");
            assert_eq!(silence.next_change(at(now)), next.map(at), "after {now}");
        }
    }

    #[test]
    fn from_and_until_bound_it() {
        check(
            &silence(r#"{"from": "2026-12-01T08:00:00Z", "until": "2026-12-01T10:00:00Z"}"#),
            &[
                ("2026-12-01T07:59:59Z", false, Some("2026-12-01T08:00:00Z")),
                ("2026-12-01T08:00:00Z", true, Some("2026-12-01T10:00:00Z")),
                ("2026-12-01T10:00:00Z", false, None),
            ],
        );
        check(&silence("{}"), &[("2026-12-01T07:59:59Z", true, None)]);
    }

    #[test]
    fn a_window_goes_over_midnight_in_its_zone() {
        let nights = silence(
            r#"{"weekly": [{"days": ["fri", "Saturday"], "from": "22:00", "until": "06:00"}], "zone": "Europe/Berlin"}"#,
        );
        check(
            &nights,
            &[
                // Friday 22:00 in Berlin is 21:00 UTC in winter.
                ("2026-11-27T20:59:59Z", false, Some("2026-11-27T21:00:00Z")),
                ("2026-11-28T04:00:00Z", true, Some("2026-11-28T05:00:00Z")),
                ("2026-11-28T05:00:00Z", false, Some("2026-11-28T21:00:00Z")),
                ("2026-11-29T05:00:00Z", false, Some("2026-12-04T21:00:00Z")),
            ],
        );
    }

    #[test]
    fn a_window_may_be_a_whole_day() {
        let sunday = silence(r#"{"weekly": [{"days": ["sun"], "from": "00:00", "until": "24:00"}]}"#);
        check(
            &sunday,
            &[
                ("2026-11-22T00:00:00Z", true, Some("2026-11-23T00:00:00Z")),
                ("2026-11-23T00:00:00Z", false, Some("2026-11-29T00:00:00Z")),
            ],
        );
    }

    #[test]
    fn a_window_on_the_day_clocks_change_keeps_the_wall_clock() {
        let early = silence(r#"{"weekly": [{"from": "01:00", "until": "05:00"}], "zone": "Europe/Berlin"}"#);
        // 25 October 2026: 03:00 summer time becomes 02:00.
        check(&early, &[("2026-10-24T23:00:00Z", true, Some("2026-10-25T04:00:00Z"))]);
    }

    #[test]
    fn what_cannot_be_understood_says_how_to_write_it() {
        let error = |json: &str| serde_json::from_str::<Silence>(json).unwrap_err().to_string();
        assert!(error(r#"{"weekly": [{"from": "25:00", "until": "06:00"}]}"#).contains("write it like \"22:30\""));
        assert!(error(r#"{"weekly": [{"days": ["x"], "from": "1:00", "until": "06:00"}]}"#).contains("write mon, tue"));
        assert!(error(r#"{"zone": "Berlin"}"#).contains("write it like Europe/Berlin"));
    }

    #[test]
    fn an_annotation_names_an_end_and_a_reason() {
        let until = at("2026-12-01T08:00:00Z");
        assert_eq!(annotation("until=2026-12-01T08:00:00Z, moving the disk"), Some((until, "moving the disk")));
        assert_eq!(annotation(" until=2026-12-01T08:00:00Z"), Some((until, "")));
        assert_eq!(annotation("until=tomorrow, x"), None);
        assert_eq!(annotation("2026-12-01T08:00:00Z"), None);
    }
}
