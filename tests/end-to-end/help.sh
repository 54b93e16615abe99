#!/bin/bash
# What the program says of itself: every command has an example, and the manual pages are the same text, well formed.
set -uo pipefail
program=$(realpath "${1:-build/src/cli/comity}")
cd "$(dirname "$0")/../.."
work=$(mktemp -d /tmp/comity-help.XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0
check() { # check WHAT COMMAND...
    local what=$1
    shift
    if "$@" > "$work/out" 2>&1; then echo "ok - $what"; else echo "not ok - $what"; failures=$((failures + 1)); head -n 10 "$work/out" | sed 's/^/# /'; fi
}
has_example() { "$program" "$1" --help | sed '1,/^Example:/d' | grep -qE "^  (.*[|;] )?comity( -[-A-Za-z]+( /[a-z/]+)?)* $1( |\$)"; }
usage_first() { "$program" "$1" --help | sed -n 3p | grep -qE "^comity $1( |\$)"; }
in_page() { grep -qF "$2" "$work/$1"; }
silent() { "$@" > "$work/said" 2>&1 && [ ! -s "$work/said" ] || { cat "$work/said"; return 1; }; }

commands=$("$program" --help | sed '/^Example:/,$d' | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<< "$commands")" -ge 10 ] || { echo "not ok - comity --help lists its commands"; exit 1; }
check "the manual pages are made" env SOURCE_DATE_EPOCH=1764000000 packaging/manual-pages.py "$program" "$work"
for command in $commands; do
    check "$command --help has an example of it" has_example "$command"
    check "... and begins with its usage" usage_first "$command"
    check "... and stands in comity(1)" in_page comity.1 ".SS $command:"
done
"$program" serve --help | sed -n 's/^  \([a-z-]*\) = .*/\1/p' > "$work/keys"
check "serve --help lists the keys of comity.conf" [ "$(wc -l < "$work/keys")" -ge 7 ]
while read -r key; do
    check "$key stands in comity.conf(5)" in_page comity.conf.5 ".B ${key//-/\\-} ="
done < "$work/keys"
for page in comity.1 comity-serve.8 comity.conf.5; do
    check "groff renders $page without a warning" silent groff -man -ww -b -z -Tutf8 "$work/$page"
    check "mandoc finds no fault in $page" silent mandoc -Tlint -Wwarning "$work/$page"
done
[ "$failures" = 0 ]
