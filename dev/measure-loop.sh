#!/bin/sh
# How long it takes from a change in a channel to a new program: the median of five, and what was compiled for it.
#
#   sh dev/measure-loop.sh
#
# Changes a text in the file below, builds as Tilt does, and puts the file back. More than six seconds, or a crate too many,
# is a failure: see "The loop is slow" in CONTRIBUTING.md.
set -eu
cd "$(dirname "$0")/.."
. dev/clock.sh
file=kpulse-notify/src/channels/slack.rs
limit=6000
log=$(mktemp)
cp "$file" "$log.original"
trap 'cp "$log.original" "$file"; rm -f "$log" "$log.original"' EXIT
trap 'exit 130' INT TERM

test "$(grep -c '^const [A-Z_]*: &str = "' "$file")" -gt 0 || {
    echo "$file has no text to change: a line that begins with const NAME: &str = \"" >&2
    exit 1
}
echo "building once, so that only the change is left to build"
sh dev/build.sh kpulse >"$log" 2>&1 || { cat "$log" >&2; exit 1; }

figures=
for round in 1 2 3 4 5; do
    sed "s/^\\(const [A-Z_]*: &str = \"\\)/\\1$round/" "$log.original" >"$file"
    begin=$(now)
    sh dev/build.sh kpulse >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    took=$(($(now) - begin))
    compiled=$(sed -n 's/^ *Compiling \([^ ]*\) .*/\1/p' "$log" | sort | tr '\n' ' ')
    echo "$(seconds "$took")s  $compiled"
    test "$compiled" = "kpulse-bin kpulse-notify " || {
        echo "a change in a channel must compile kpulse-notify and kpulse-bin, and nothing else" >&2
        exit 1
    }
    figures="$figures$took
"
done
median=$(printf '%s' "$figures" | sort -n | sed -n 3p)
load=$(uptime | sed 's/.*load average[s]*: *//')
echo "median $(seconds "$median")s, load average $load"
test "$median" -le "$limit" || {
    echo "that is more than $(seconds "$limit")s: is the machine busy? See CONTRIBUTING.md" >&2
    exit 1
}
