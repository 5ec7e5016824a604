//! One field of a schedule, as a set of bits: `getField` and `getRange` of robfig's `parser.go`.

use std::fmt;

use super::error::{FieldFault, ScheduleError};

/// Set in a field that holds a `*`: it does not restrict the day.
pub(super) const STAR: u64 = 1 << 63;

/// One of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12.
    Month,
    /// 0, which is Sunday, to 6.
    DayOfWeek,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

impl Field {
    pub(super) const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    pub(super) const fn bounds(self) -> (u64, u64) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 6),
        }
    }

    const fn allowed(self) -> &'static str {
        match self {
            Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::DayOfMonth => "1 to 31",
            Self::Month => "1 to 12 or jan to dec",
            Self::DayOfWeek => "0 (Sunday) to 6 or sun to sat",
        }
    }

    fn named(self, word: &str) -> Option<u64> {
        const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        let (names, first): (&[&str], u64) = match self {
            Self::Month => (&MONTHS, 1),
            Self::DayOfWeek => (&DAYS, 0),
            _ => return None,
        };
        let at = names.iter().position(|name| name.eq_ignore_ascii_case(word))?;
        Some(first + u64::try_from(at).ok()?)
    }

    /// The values it lists. Nothing between two commas is nothing, not an error.
    pub(super) fn parse(self, text: &str) -> Result<u64, ScheduleError> {
        let mut bits = 0;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let fault = |fault| ScheduleError::Field { field: self, text: part.to_owned(), fault };
            bits |= self.range(part).map_err(fault)?;
        }
        Ok(bits)
    }

    fn range(self, part: &str) -> Result<u64, FieldFault> {
        let (min, max) = self.bounds();
        let (range, step) = match part.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err(FieldFault::TooMany { sign: '/' }),
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (low, Some(high)),
            None => (range, None),
        };
        let is_star = matches!(low, "*" | "?");
        let (first, last) = match high {
            // Whatever follows the hyphen of `*-` is not looked at.
            _ if is_star => (min, max),
            Some(high) if high.contains('-') => return Err(FieldFault::TooMany { sign: '-' }),
            Some(high) => (self.value(low)?, self.value(high)?),
            // `5/15` is `5-59/15`.
            None if step.is_some() => (self.value(low)?, max),
            None => (self.value(low)?, self.value(low)?),
        };
        if first > last {
            return Err(FieldFault::Backwards { first, last });
        }
        let step = step.map_or(Ok(1), parse_step)?;
        let star = if is_star && step == 1 { STAR } else { 0 };
        Ok((first..=last).step_by(step).fold(star, |bits, value| bits | 1 << value))
    }

    fn value(self, word: &str) -> Result<u64, FieldFault> {
        let (min, max) = self.bounds();
        let allowed = self.allowed();
        let number = || word.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
        match self.named(word).or_else(number) {
            None => Err(FieldFault::NoValue { word: word.to_owned(), allowed }),
            Some(value) if value < min || value > max => Err(FieldFault::OutOfRange { value, allowed }),
            Some(value) => Ok(value),
        }
    }
}

fn parse_step(word: &str) -> Result<usize, FieldFault> {
    let step = word.parse::<i64>().ok().filter(|step| *step > 0);
    // A step beyond every field leaves its first value only, however far beyond.
    step.map(|step| usize::try_from(step).unwrap_or(usize::MAX))
        .ok_or_else(|| FieldFault::Step { word: word.to_owned() })
}
