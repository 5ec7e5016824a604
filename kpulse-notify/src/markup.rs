//! Somebody else's words in a platform's markup: escaped, and no longer than the platform takes.

use crate::text::Lines;

/// How a platform has a character written; nothing for one that stands for itself.
pub(crate) type Escape = fn(char) -> Option<&'static str>;

/// How long a character is, as a platform counts: [`char::len_utf16`] where it speaks of characters, and
/// [`char::len_utf8`] where it speaks of bytes.
pub(crate) type Unit = fn(char) -> usize;

/// What ends a text that was cut.
const CUT: char = '…';

/// `text` as `escape` writes it; what is longer than `limit` ends in `…`. No escape is cut in two.
pub(crate) fn fit(text: &str, limit: usize, unit: Unit, escape: Escape) -> String {
    let (mut written, mut length) = (String::new(), 0);
    // How much may stay if what follows turns out too long.
    let mut safe = 0;
    for c in text.chars() {
        let mut own = [0; 4];
        let piece = escape(c).unwrap_or_else(|| c.encode_utf8(&mut own));
        length += piece.chars().map(unit).sum::<usize>();
        if length > limit {
            written.truncate(safe);
            written.push(CUT);
            return written;
        }
        written.push_str(piece);
        if length + unit(CUT) <= limit {
            safe = written.len();
        }
    }
    written
}

/// As many whole lines as fit, as `escape` writes them, and how many more there are.
pub(crate) fn fit_lines(lines: &Lines, limit: usize, unit: Unit, escape: Escape) -> String {
    let with = |count| {
        let first = lines.first(count).map(|line| fit(&line, limit, unit, escape));
        first.collect::<Vec<_>>().join("\n")
    };
    let fits = |text: &String| text.chars().map(unit).sum::<usize>() <= limit;
    (0..=lines.shown.len()).rev().map(with).find(fits).unwrap_or_default()
}

/// As many whole parts as fit, in characters.
pub(crate) fn whole(parts: impl Iterator<Item = String>, limit: usize, between: &str) -> String {
    let mut text = String::new();
    for part in parts {
        let gap = if text.is_empty() { "" } else { between };
        if [&text, gap, &part].iter().map(|piece| piece.encode_utf16().count()).sum::<usize>() > limit {
            break;
        }
        text.push_str(gap);
        text.push_str(&part);
    }
    text
}

/// For texts in which nothing means anything.
pub(crate) const fn plain(_: char) -> Option<&'static str> {
    None
}

/// Within backticks, where there can be none.
pub(crate) const fn code(c: char) -> Option<&'static str> {
    match c {
        '`' => Some("'"),
        _ => None,
    }
}

/// For HTML and what is like it.
pub(crate) const fn html(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, limit: usize, expect: &str) {
        let fitted = fit(text, limit, char::len_utf16, html);
        assert_eq!(fitted, expect, "{text}");
        assert!(fitted.encode_utf16().count() <= limit);
    }

    #[test]
    fn what_fits_is_whole() {
        check("", 0, "");
        check("abc", 3, "abc");
        check("<&>", 13, "&lt;&amp;&gt;");
    }

    #[test]
    fn whole_lines_are_left_out_and_counted() {
        let lines = Lines { shown: ["first & best", "second", "third"].map(str::to_owned).to_vec(), more: 4 };
        let check =
            |limit, expect: &str| assert_eq!(fit_lines(&lines, limit, char::len_utf16, html), expect, "{limit}");
        check(100, "first &amp; best\nsecond\nthird\n… and 4 more");
        check(40, "first &amp; best\nsecond\n… and 5 more");
        check(30, "first &amp; best\n… and 6 more");
        check(20, "7 in all");
        assert_eq!(fit_lines(&Lines::default(), 9, char::len_utf16, html), "");
    }

    #[test]
    fn parts_that_do_not_fit_are_left_out_whole() {
        let parts = || ["first", "second"].map(str::to_owned).into_iter();
        assert_eq!(whole(parts(), 14, " · "), "first · second");
        assert_eq!(whole(parts(), 13, " · "), "first");
        assert_eq!(whole(parts(), 4, " · "), "");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis_and_between_escapes() {
        check("abcd", 3, "ab…");
        check("a<b", 5, "a…");
        check("a<b", 6, "a&lt;b");
        check("<<<", 9, "&lt;&lt;…");
        check("👩👩👩", 5, "👩👩…");
        assert_eq!(fit("äöü", 5, char::len_utf8, plain), "ä…");
        assert_eq!(fit("&&&&", 8, char::len_utf8, html), "&amp;…");
    }
}
