#!/bin/sh
# test_updater.sh UPDATER UPDATER_STATIC SHARED STATIC: the example, linked both ways, on a receipt that stands and on what does not.
set -u
fixture=$COMITY_SOURCE/tests/lib/fixture
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0
verdict() { # verdict NAME WANT GOT
    number=$((number + 1))
    if [ "$2" = "$3" ]; then echo "ok $number - $1"; else echo "not ok $number - $1: $3, want $2"; fi
}
run() { # run NAME WANT ARGS...
    name=$1 want=$2
    shift 2
    "$updater" "$@" >"$dir/out" 2>&1
    verdict "$name" "$want" $?
}
for updater in "$1" "$2"; do
    rm -f "$dir/seen"
    run "what stands is installed" 0 "$fixture/bundle.json" "$fixture/standing.receipt" "$fixture/document" p04 "$dir/seen"
    run "once" 1 "$fixture/bundle.json" "$fixture/standing.receipt" "$fixture/document" p04 "$dir/seen"
    run "the SCITT form" 0 "$fixture/bundle.json" "$fixture/standing.cose" "$fixture/document" p04
    run "by another party" 1 "$fixture/bundle.json" "$fixture/standing.receipt" "$fixture/document" p03
    run "another document" 1 "$fixture/bundle.json" "$fixture/standing.receipt" "$fixture/bundle.json" p04
    run "an empty document" 1 "$fixture/bundle.json" "$fixture/standing.receipt" /dev/null p04
    run "no quorum yet" 3 "$fixture/bundle.json" "$fixture/unwitnessed.receipt" "$fixture/document" p04
    run "no receipt" 4 "$fixture/bundle.json" "$dir/none" "$fixture/document" p04
    echo "torn" >"$dir/seen"
    run "a damaged memory" 1 "$fixture/bundle.json" "$fixture/standing.receipt" "$fixture/document" p04 "$dir/seen"
done
names() { # names FLAG LIBRARY: what it shows, if it shows what it should
    shown=$(nm "$1" --defined-only "$2" | awk 'NF == 3 && $2 != "A" { print $3 }' | sed 's/@.*//')
    case $shown in *comity_verify_receipt*) echo "$shown" | grep -v '^comity_' ;; *) echo "nothing" ;; esac
}
verdict "the shared library shows comity_* alone" "" "$(names -D "$3")"
verdict "so does the static one" "" "$(names -g "$4")"
echo "1..$number"
