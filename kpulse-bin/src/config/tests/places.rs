//! Places are found in whatever form YAML is written.

use super::*;
use crate::config::document::Part;

#[track_caller]
fn check(text: &str, path: &[&str], key: Option<(u64, u64)>, value: Option<(u64, u64)>) {
    let document = Document::parse("kpulse.yaml", text).unwrap();
    let path = KeyPath::new(path.iter().copied());
    let place = |part| document.place(&path, part).map(|place| (place.line, place.column));
    assert_eq!((place(Part::Key), place(Part::Value)), (key, value), "{path} in\n{text}");
}

#[test]
fn in_blocks_and_flow_mappings() {
    check("a:\n  b: 1\n", &["a", "b"], Some((2, 3)), Some((2, 6)));
    check("a: {b: 1, c: {d: 2}}\n", &["a", "c", "d"], Some((1, 15)), Some((1, 18)));
    check("a: {\n  b: 1,\n  c: 2\n}\n", &["a", "c"], Some((3, 3)), Some((3, 6)));
    check("a:\n  b: 1\n", &["a", "x"], None, None);
}

#[test]
fn in_lists() {
    check("a:\n  - x\n  - y\n", &["a", "1"], Some((3, 5)), Some((3, 5)));
    check("a: [x, y]\n", &["a", "1"], Some((1, 8)), Some((1, 8)));
    check("a:\n- b: 1\n  c: 2\n", &["a", "0", "c"], Some((3, 3)), Some((3, 6)));
    check("a: [x]\n", &["a", "1"], None, None);
}

#[test]
fn of_quoted_keys_beside_comments_and_after_wide_characters() {
    check("# one\n\"a\": # two\n  'b' : 1 # three\n", &["a", "b"], Some((3, 3)), Some((3, 9)));
    check("ü: {ö: 1}\n", &["ü", "ö"], Some((1, 5)), Some((1, 8)));
    check("---\r\na: 1\r\nb: 2\r\n", &["b"], Some((3, 1)), Some((3, 4)));
}

#[test]
fn of_aliases_where_they_are_used() {
    check("a: &x {b: 1}\nc: *x\n", &["c"], Some((2, 1)), Some((2, 4)));
}

#[test]
fn within_aliases_and_merged_blocks() {
    let text = "a: &x {b: 1, c: [{d: 2}]}\ne: *x\nf:\n  <<: *x\n  g: 3\n";
    check(text, &["e", "c", "0", "d"], Some((1, 19)), Some((1, 22)));
    check(text, &["e", "c", "0"], Some((1, 18)), Some((1, 18)));
    check(text, &["f", "b"], Some((1, 8)), Some((1, 11)));
    check(text, &["f", "g"], Some((5, 3)), Some((5, 6)));
}

#[test]
fn of_keys_without_a_value() {
    check("a:\nb: 1\n", &["a"], Some((1, 1)), Some((1, 1)));
}

#[test]
fn a_scalar_is_known_as_it_was_written() {
    let document =
        Document::parse("kpulse.yaml", "a: 0123\nb: 1.10 # x\nc: &c 0x1F\nd: *c\ne: [1_000]\nf: ~\n").unwrap();
    for (path, written) in [("a", "0123"), ("b", "1.10"), ("c", "0x1F"), ("d", "0x1F"), ("e.0", "1_000"), ("f", "~")] {
        assert_eq!(document.written(&KeyPath::new(path.split('.'))), Some(written), "{path}");
    }
    assert_eq!(document.written(&KeyPath::new(["e"])), None);
}

#[test]
fn a_list_position_is_told_as_it_was_before_faulty_items_were_taken_out() {
    let said = refused("namespaces: {include: [{}, a, {}, {}, \"\"]}\n", &[], Purpose::Rehearsal);
    let keys: Vec<_> =
        said.lines().filter_map(|line| line.split(": ").nth(1)).filter(|key| key.contains('[')).collect();
    let at = |position: usize| format!("namespaces.include[{position}]");
    assert_eq!(keys, [at(0), at(2), at(3)]);
}
