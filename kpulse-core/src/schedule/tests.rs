use super::*;

#[track_caller]
fn check(text: &str, zone: Option<&str>, message: &str) {
    let error = Schedule::parse(text, zone).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message), "{text}");
}

#[test]
fn an_error_names_the_field_the_fault_and_the_remedy() {
    check("60 * * * *", None, "schedule field minute `60`: 60 is out of range; write 0 to 59");
    check("0 8,24 * * *", None, "schedule field hour `24`: 24 is out of range; write 0 to 23");
    check("0 0 0 * *", None, "schedule field day of month `0`: 0 is out of range; write 1 to 31");
    check("0 0 * 13/2 *", None, "schedule field month `13/2`: 13 is out of range; write 1 to 12 or jan to dec");
    check("0 0 * * 7", None, "schedule field day of week `7`: 7 is out of range; write 0 (Sunday) to 6 or sun to sat");
    check(
        "0 0 * * MON,FREE",
        None,
        "schedule field day of week `FREE`: `FREE` is no value; write 0 (Sunday) to 6 or sun to sat",
    );
    check("x * * * *", None, "schedule field minute `x`: `x` is no value; write 0 to 59");
    check("-1 * * * *", None, "schedule field minute `-1`: `` is no value; write 0 to 59");
    check(
        "0 17-9 * * *",
        None,
        "schedule field hour `17-9`: the range begins at 17 and ends at 9; write the smaller first, or two ranges with a comma",
    );
    check(
        "*/0 * * * *",
        None,
        "schedule field minute `*/0`: `0` is no step; write a number of 1 or more after the slash",
    );
    check(
        "*/5/2 * * * *",
        None,
        "schedule field minute `*/5/2`: there is more than one `/`; write ranges like `1-5` or `*/10`, with commas between them",
    );
    check(
        "1-2-3 * * * *",
        None,
        "schedule field minute `1-2-3`: there is more than one `-`; write ranges like `1-5` or `*/10`, with commas between them",
    );
}

#[test]
fn an_error_of_the_whole_names_what_was_expected() {
    check(
        "0 0 * *",
        None,
        "schedule `0 0 * *`: it has 4 fields; write five (minute, hour, day of month, month, day of week), or `@daily`",
    );
    check(
        "0 0 0 * * *",
        None,
        "schedule `0 0 0 * * *`: it has 6 fields; write five (minute, hour, day of month, month, day of week), or `@daily`",
    );
    check(
        "@Daily",
        None,
        "schedule `@Daily`: no such name; use @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or `@every 1h30m`",
    );
    check(
        "@every day",
        None,
        "schedule `@every day`: that is no duration; write it like `@every 90m` or `@every 1h30m`",
    );
    check(
        "* * * * *",
        Some("Europe/Atlantis"),
        "time zone `Europe/Atlantis`: no such zone; use a name of the tz database, with its capitals, like `Europe/Berlin`",
    );
}

#[test]
fn the_controller_starts_nothing_by_these() {
    for text in ["", " ", "@every", "@every ", "@daily ", " @daily", "TZ=UTC", "TZ=Nowhere * * * * *", "L * * * *"] {
        assert!(Schedule::parse(text, None).is_err(), "{text}");
    }
    for zone in ["europe/berlin", "CET+1", "../etc/passwd", "Europe/Berlin "] {
        assert!(Schedule::parse("* * * * *", Some(zone)).is_err(), "{zone}");
        assert!(Schedule::parse("TZ=UTC * * * * *", Some(zone)).is_err(), "{zone}");
    }
}

#[test]
fn it_says_which_zone_it_is_read_in() {
    let zone = |text, zone| Schedule::parse(text, zone).unwrap().zone().map(str::to_owned);
    assert_eq!(zone("* * * * *", None), None);
    assert_eq!(zone("* * * * *", Some("UTC")).as_deref(), Some("UTC"));
    assert_eq!(zone(" @daily ", Some("Europe/Berlin")).as_deref(), Some("Europe/Berlin"));
    assert_eq!(zone("TZ=Asia/Tokyo @daily", Some("Europe/Berlin")).as_deref(), Some("Asia/Tokyo"));
}

#[test]
fn it_knows_how_far_apart_runs_are_at_most() {
    let gap = |text| Schedule::parse(text, None).unwrap().longest_gap();
    assert_eq!(gap("*/5 * * * *"), SignedDuration::from_mins(5));
    assert_eq!(gap("10 * * * *"), SignedDuration::from_mins(60));
    assert_eq!(gap("0 9-17 * * *"), SignedDuration::from_hours(17));
    assert_eq!(gap("0 3 * * *"), SignedDuration::from_hours(25));
    assert_eq!(gap("0 9 * * 1-5"), SignedDuration::from_hours(73));
    assert_eq!(gap("0 0 1 * *"), SignedDuration::from_hours(31 * 24 + 1));
    assert_eq!(gap("0 0 31 * *"), SignedDuration::from_hours(62 * 24 + 1));
    assert_eq!(gap("@yearly"), SignedDuration::from_hours(366 * 24 + 1));
    assert_eq!(gap("@every 90s"), SignedDuration::from_secs(90));
}
