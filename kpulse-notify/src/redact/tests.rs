use super::*;

mod samples;

#[test]
fn every_pattern_is_one() {
    for rule in [&*shaped::PRIVATE_KEY, &*named::NAMED, &*shaped::CERTAIN, &*shaped::LIKELY] {
        rule.pattern.as_ref().unwrap();
    }
}

#[test]
fn what_is_secret_is_masked() {
    let faults: Vec<String> = samples::SECRETS
        .iter()
        .filter_map(|(line, expect)| {
            let found = redact(line);
            (found != *expect).then(|| format!("{line}\n  -> {found}\n  != {expect}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_no_secret_stays() {
    let faults: Vec<String> = samples::ORDINARY
        .iter()
        .filter_map(|line| {
            let found = redact(line);
            matches!(found, Cow::Owned(_)).then(|| format!("{line}\n  -> {found}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_masked_stays_so_and_nothing_of_a_secret_is_left_wherever_it_stands() {
    for (line, expect) in samples::SECRETS {
        assert_eq!(redact(expect), *expect);
        for (before, after) in
            [("", "\n"), ("2026-11-22T14:02:11Z INFO ", " and so on"), ("{\"msg\":\"", "\"}"), ("a\n", "\nb")]
        {
            let found = redact(&format!("{before}{line}{after}")).into_owned();
            assert!(!found.contains("hunter") && !found.contains("s3cr3t"), "{before}{line}{after}\n  -> {found}");
        }
    }
}

#[test]
fn the_time_is_linear() {
    let pieces = [
        "password=",
        "a://b:c@",
        "-----BEGIN PRIVATE KEY-----",
        "\"token\": \"\\",
        "eyJ",
        "postgres://a:b",
        "key: ",
        "x",
        "A1",
    ];
    for piece in pieces {
        let text = piece.repeat((256 << 10) / piece.len());
        let begin = std::time::Instant::now();
        let _masked = redact(&text);
        assert!(begin.elapsed().as_secs() < 10, "{piece}: {:?}", begin.elapsed());
    }
}
