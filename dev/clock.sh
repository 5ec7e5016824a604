# shellcheck shell=sh
# Time, for the scripts that say how long something took. To be sourced.

# Milliseconds since some fixed moment. The date of macOS knows no part of a second.
now() {
    clock=$(date +%s%3N)
    case $clock in
    *[!0-9]*) perl -MTime::HiRes=time -e 'printf "%d", time * 1000' ;;
    *) printf '%s' "$clock" ;;
    esac
}

# Milliseconds as seconds with one decimal: 4137 as 4.1.
seconds() {
    printf '%d.%d' $((($1 + 50) / 1000)) $((($1 + 50) % 1000 / 100))
}
