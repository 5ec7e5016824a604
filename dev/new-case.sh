#!/bin/sh
# Makes a case of a recording: something that kpulse got wrong once, and never again.
#
#   kpulse record --output night.jsonl --duration 10m        while it happens, on any cluster
#   sh dev/new-case.sh volume-lost night.jsonl               without a file: volume-lost.jsonl
#
# The recording and a first draft of the truth about it go to kpulse-testkit/recordings, where kpulse-bin/tests/recordings.rs
# finds them. The draft says what kpulse says today, and holds one line that cannot be true, so that the test fails until
# somebody has said what is.
set -eu
name=${1:?what to call it: sh dev/new-case.sh NAME [RECORDING]}
recording=${2:-$name.jsonl}
case $name in
*[!a-z0-9-]* | '')
    echo "\"$name\": small letters, digits and - only, for it is the name of a file" >&2
    exit 2
    ;;
esac
test -f "$recording" || {
    echo "$recording is missing: kpulse record --output $recording, or name another file: sh dev/new-case.sh $name FILE" >&2
    exit 2
}
recording=$(cd "$(dirname "$recording")" && pwd)/$(basename "$recording")
cd "$(dirname "$0")/.."
fixture=kpulse-testkit/recordings/$name.jsonl
truth=kpulse-testkit/recordings/$name.truth.yaml
if test -e "$fixture" || test -e "$truth"; then
    echo "there is a case $name already: $fixture" >&2
    exit 2
fi

said=$(mktemp)
drafted=$(mktemp)
settings=$(mktemp)
trap 'rm -f "$said" "$drafted" "$settings"' EXIT
# The settings that the draft has. Both before anything is laid down: what is no recording must not become a case.
echo "dedupe: {digest: {enabled: false}}" >"$settings"
cargo run --quiet --package kpulse-bin -- replay --horizon 5m --config "$settings" "$recording" >"$said"
cargo run --quiet --package kpulse-testkit --example draft-truth -- "$recording" <"$said" >"$drafted"
cp "$recording" "$fixture"
cp "$drafted" "$truth"

echo "$fixture"
echo "$truth"
echo
echo "Look at the recording before you hand it on: names, labels and messages of your cluster are in it."
echo "Then say what is true in the second file, until this passes: cargo test -p kpulse-bin --test recordings"
