#!/bin/bash
# comity version compare, on the command line: every answer, its exit code, both forms of output. Usage: version.sh PROGRAM
set -uo pipefail
program=$1 number=0 failed=0
same() { # same WHAT WANTED GOT
    number=$((number + 1))
    if [ "$2" = "$3" ]; then echo "ok $number - $1"; else
        echo "not ok $number - $1"; printf 'wanted %s, got %s\n' "$2" "$3" | sed 's/^/# /'; failed=1; fi
}
compare() { printf '%b' "$2" | "$program" ${3:-} version compare "$1" 2> /dev/null | tr '\n' ' '; echo "${PIPESTATUS[1]}"; }

contains() { printf '%b' "$2" | "$program" ${3:-} vers contains "$1" 2> /dev/null | tr '\n' ' '; echo "${PIPESTATUS[1]}"; }
same "what a range holds" "yes no yes 0" "$(contains 'vers:npm/1.2.3|>=2.0.0|<5.0.0' '1.2.3\n5.0.0\r\n4.9.9')"
same "... and what cannot be told" "? no 1" "$(contains 'vers:npm/>=2.0.0' 'one\n1.0.0\n')"
same "... as JSON" '{"version":"2.0.0","answer":"yes"} 0' "$(contains 'vers:npm/>=2.0.0' '2.0.0\n' --json)"
same "what is no range is refused" 1 "$(contains 'vers:npm/2.0.0|1.0.0' '1.0.0\n')"

same "all four answers, and 1 because of the last" "< = > ? 1" "$(compare Debian '1.0~rc1-1\t1.0-1\n1.0-0\t1.0\n2:1\t1:9\n1.0\tnot one\n')"
same "a line without a tab is undecided, and the rest goes on" "? < 1" "$(compare npm '1.0.0\n1.0.0-rc.1\t1.0.0\n')"
same "a last line without a newline counts, and a carriage return does not" "= < 0" "$(compare debian:12 '1-1\t1-1\r\n1\t2')"
same "nothing in, nothing out" "0" "$(compare Maven '')"
for row in 'Red Hat|1.0^git1-1|1.0.1-1' 'Alpine|1.2_rc1|1.2' 'PyPI|1.0.dev1|1.0' 'Maven|1.0-SNAPSHOT|1.0' 'RubyGems|1.0.a|1.0' \
    'NuGet|1.0-beta|1.0' 'Packagist|1.0-dev|1.0' 'Pub|1.0.0|1.0.0+1' 'CRAN|0.9|0.75' 'Hackage|1.0|1.0.0' 'Windows|10.0.19041.1|10.0.19041.508' \
    'generic|V4 SP1|V4 SP2' 'Go|v1.2.3|v1.10.0'; do
    IFS='|' read -r ecosystem a b <<< "$row"
    same "$ecosystem: $a comes before $b" "< 0" "$(compare "$ecosystem" "$a\t$b\n")"
done
same "JSON" '{"a":"1\"","b":"2","answer":"?"} 1' "$(compare Debian '1"\t2\n' --json)"
same "an ecosystem without an order is a mistake in the command" "2" "$(compare Nothing '1\t2\n')"
same "so is another action" "2" "$("$program" version sort Debian < /dev/null > /dev/null 2>&1; echo $?)"
echo "1..$number"
exit $failed
