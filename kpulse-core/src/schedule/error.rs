//! Why a schedule is not understood, in words for the one who wrote it.

use super::field::Field;

/// Why a schedule is not understood. Trying again is no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There are not five fields.
    #[error(
        "schedule `{text}`: it has {found} fields; write five (minute, hour, day of month, month, day of week), or `@daily`"
    )]
    Fields {
        /// The schedule.
        text: String,
        /// How many fields it has.
        found: usize,
    },
    /// One of the fields is wrong.
    #[error("schedule field {field} `{text}`: {fault}")]
    Field {
        /// Which field.
        field: Field,
        /// The part of it that is wrong.
        text: String,
        /// What is wrong with it.
        fault: FieldFault,
    },
    /// A word after `@` that means nothing.
    #[error(
        "schedule `{text}`: no such name; use @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or `@every 1h30m`"
    )]
    Name {
        /// The schedule.
        text: String,
    },
    /// No duration after `@every`.
    #[error("schedule `@every {text}`: that is no duration; write it like `@every 90m` or `@every 1h30m`")]
    Every {
        /// What is written there.
        text: String,
    },
    /// A zone that is not in the tz database.
    #[error("time zone `{zone}`: no such zone; use a name of the tz database, with its capitals, like `Europe/Berlin`")]
    Zone {
        /// The zone.
        zone: String,
    },
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// Not a number, nor a name where there are names.
    #[error("`{word}` is no value; write {allowed}")]
    NoValue {
        /// What is written there.
        word: String,
        /// What may be written there.
        allowed: &'static str,
    },
    /// A number that is too small or too large.
    #[error("{value} is out of range; write {allowed}")]
    OutOfRange {
        /// The number.
        value: u64,
        /// What may be written there.
        allowed: &'static str,
    },
    /// A range that ends before it begins.
    #[error("the range begins at {first} and ends at {last}; write the smaller first, or two ranges with a comma")]
    Backwards {
        /// Where it begins.
        first: u64,
        /// Where it ends.
        last: u64,
    },
    /// A step that is no positive number.
    #[error("`{word}` is no step; write a number of 1 or more after the slash")]
    Step {
        /// What is written there.
        word: String,
    },
    /// More than one hyphen or slash.
    #[error("there is more than one `{sign}`; write ranges like `1-5` or `*/10`, with commas between them")]
    TooMany {
        /// Of which sign.
        sign: char,
    },
}
