#!/bin/sh
# kpulse on this machine, without a cluster and without Docker, built and run anew on each save of a file in dev/inputs.
#
#   sh dev/watch.sh
#
# A fake API server breaks and heals. On localhost:8081 the echo sink shows what each kind of channel is sent: every kind of
# message first, then those of the story; what a change did to a message stands below it. On localhost:8080 kpulse answers.
set -eu
cd "$(dirname "$0")/.."
. dev/clock.sh
sink=http://127.0.0.1:${SINK_PORT:-8081}
page=127.0.0.1:${PAGE_PORT:-8080}
target=${CARGO_TARGET_DIR:-target}/debug
stamp=$(mktemp)
sink_stamp=$(mktemp)
demo=
served=

stop() {
    if test -n "$1" && kill "$1" 2>/dev/null; then wait "$1" 2>/dev/null || :; fi
}
trap 'stop "$demo"; stop "$served"; rm -f "$stamp" "$sink_stamp"' EXIT
trap 'exit 130' INT TERM

# What in dev/inputs is newer than a file.
newer() {
    set -f
    set --
    while read -r line; do
        case $line in
        '' | '#'*) ;;
        '!**/'*) set -- "$@" ! -name "${line#'!**/'}" ! -path "*/${line#'!**/'}/*" ;;
        '!'*) set -- "$@" ! -path "${line#!}" ! -path "${line#!}/*" ;;
        esac
    done <dev/inputs
    # A directory is newer when something in it was added, renamed or deleted.
    # shellcheck disable=SC2046 # the paths are words
    find $(grep -v '^[!#]' dev/inputs) -newer "$stamp" "$@"
    set +f
}

serve() {
    touch "$sink_stamp"
    stop "$served"
    "$target/echo-sink" --quiet --listen "${sink#http://}" &
    served=$!
    sleep 0.3
    kill -0 "$served" 2>/dev/null || {
        echo "the sink does not run: sh dev/doctor.sh says who has its port" >&2
        exit 1
    }
}

while :; do
    touch "$stamp"
    begin=$(now)
    if cargo build --quiet --package kpulse-bin --package kpulse-testkit --bin kpulse --bin echo-sink; then
        echo "build $(seconds $(($(now) - begin)))s"
        # It forgets what it shows, so only a change of its own starts it again.
        if test -z "$served" || test -n "$(find kpulse-testkit/src/bin kpulse-testkit/src/sink* -newer "$sink_stamp")"; then
            serve
        fi
        stop "$demo"
        "$target/kpulse" demo --sink "$sink" --http "$page" &
        demo=$!
    else
        echo "what ran goes on; save again" >&2
    fi
    while test -z "$(newer)"; do sleep 0.3; done
done
