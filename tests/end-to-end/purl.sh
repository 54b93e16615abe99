#!/bin/bash
# comity purl parse as a pipe: a line of JSON for each line, no node, no network.
set -uo pipefail
program=$(realpath "${1:-build/src/cli/comity}")
work=$(mktemp -d /tmp/comity-purl.XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0
same() { # same WHAT WANTED GOT
    if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "# wanted: $2"; echo "# got:    $3"; failures=$((failures + 1)); fi
}
printf 'pkg:PyPI/Django_X@1?b=%%2F&a=1\r\npkg:deb/curl\n\nno purl\npkg:unheard/of' > "$work/in"
"$program" purl parse < "$work/in" > "$work/out" 2> "$work/err"
same "one of them is no purl: exit 1" 1 $?
same "nothing on standard error" 0 "$(wc -c < "$work/err")"
rows() { /usr/bin/python3 -c 'import json, sys; x = [json.loads(l) for l in open(sys.argv[1])]; print(eval(sys.argv[2]))' "$work/out" "$1"; }
same "a line for each that is not empty" 4 "$(rows 'len(x)')"
same "the purl as it was read" "pkg:PyPI/Django_X@1?b=%2F&a=1" "$(rows 'x[0]["purl"]')"
same "its canonical form" "pkg:pypi/django-x@1?a=1&b=%2F" "$(rows 'x[0]["canonical"]')"
same "its qualifiers, decoded" "[('a', '1'), ('b', '/')]" "$(rows 'list(x[0]["qualifiers"].items())')"
same "what its type demands" missing "$(rows 'x[1]["error"]["id"]')"
same "an error has all members" "code detail id message remedy rule where" "$(rows '" ".join(sorted(x[2]["error"]))')"
same "the last line needs no end, and a type that is not registered is said so" False "$(rows 'x[3]["registered"]')"
"$program" purl parse "$work/in" > "$work/again"
same "from a file the same: exit 1" 1 $?
same "... and the same lines" "$(cat "$work/out")" "$(cat "$work/again")"
echo 'pkg:npm/a@1' | "$program" purl parse > "$work/out"
same "all good: exit 0" 0 $?
"$program" purl parse "$work/none" > "$work/out" 2>&1
same "no such file: exit 1" 1 $?
"$program" purl write > "$work/out" 2>&1
same "another word: exit 2" 2 $?
exit $((failures > 0))
