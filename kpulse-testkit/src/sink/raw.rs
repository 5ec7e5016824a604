//! JSON as it was sent, indented: keys in their order, numbers as written, secrets masked.
//!
//! Parsed and written again it would lose just what somebody who looks at the raw form wants to see.

use super::mask;

/// Indents JSON text and masks texts under secret names. Text that is not JSON is returned as it is.
pub(super) fn indented(source: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(source).is_err() {
        return source.to_owned();
    }
    let mut writer = Writer { out: String::with_capacity(source.len() * 2), depth: 0, key: String::new() };
    let mut rest = source.trim();
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '"' => writer.text(rest),
            '{' | '[' => writer.open(c, rest),
            _ => writer.sign(c, rest),
        };
    }
    writer.out
}

/// The first `bytes` of a text, or a little less so as not to cut a letter.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.split_at(end).0
}

struct Writer {
    out: String,
    depth: usize,
    /// The last name of a field, whose value comes next.
    key: String,
}

impl Writer {
    fn text<'s>(&mut self, rest: &'s str) -> &'s str {
        let (text, after) = rest.split_at(end_of_text(rest));
        if after.trim_start().starts_with(':') {
            text.trim_matches('"').clone_into(&mut self.key);
            self.out.push_str(text);
        } else if mask::is_secret(&self.key) {
            self.out.push_str("\"•••\"");
        } else {
            self.out.push_str(text);
        }
        after
    }

    fn open<'s>(&mut self, c: char, rest: &'s str) -> &'s str {
        self.out.push(c);
        self.key.clear();
        let inner = rest.split_at(1).1;
        let empty = inner.trim_start();
        if let Some(after) = empty.strip_prefix(['}', ']']) {
            self.out.push(if c == '{' { '}' } else { ']' });
            return after;
        }
        self.depth += 1;
        self.line();
        inner
    }

    fn sign<'s>(&mut self, c: char, rest: &'s str) -> &'s str {
        match c {
            '}' | ']' => {
                self.depth -= 1;
                self.line();
                self.out.push(c);
            }
            ',' => {
                self.out.push(c);
                self.line();
            }
            ':' => self.out.push_str(": "),
            c if c.is_whitespace() => {}
            c => self.out.push(c),
        }
        rest.split_at(c.len_utf8()).1
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// Where the text that begins here ends, behind its closing quote.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = true; // The opening quote ends nothing.
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: &str) {
        assert_eq!(indented(source), expect);
    }

    #[test]
    fn order_and_numbers_stay_as_sent() {
        check(
            r#"{"z":1.50,"a":[],"b":[{"c":null},"x"],"e":{}}"#,
            "{\n  \"z\": 1.50,\n  \"a\": [],\n  \"b\": [\n    {\n      \"c\": null\n    },\n    \"x\"\n  ],\n  \"e\": {}\n}",
        );
    }

    #[test]
    fn signs_inside_texts_are_text() {
        check(r#"{"a":"x\\\", {y: [1]} é"}"#, "{\n  \"a\": \"x\\\\\\\", {y: [1]} é\"\n}");
    }

    #[test]
    fn only_texts_under_secret_names_are_masked() {
        check(
            r#"{"routing_key":"abc","summary":"token: abc"}"#,
            "{\n  \"routing_key\": \"•••\",\n  \"summary\": \"token: abc\"\n}",
        );
        check(r#"{"token":{"summary":"x"}}"#, "{\n  \"token\": {\n    \"summary\": \"x\"\n  }\n}");
        check(r#"{"tokens":["a","b"]}"#, "{\n  \"tokens\": [\n    \"a\",\n    \"b\"\n  ]\n}");
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        check("{\"a\": ", "{\"a\": ");
        check("plain \"text\"", "plain \"text\"");
    }

    #[test]
    fn a_cut_does_not_split_a_letter() {
        assert_eq!((beginning("aé", 2), beginning("aé", 3), beginning("", 9)), ("a", "aé", ""));
    }
}
