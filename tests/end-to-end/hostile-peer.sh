#!/bin/bash
# One mirror is replaced by a peer that is silent, endless, slow, or answers garbage or errors: the others go on, memory stays bounded,
# and the real mirror finds everything when it is back.
base_port=19700
. "$(dirname "$0")/circle.bash"
parties="$states vendor operator"
found $parties
start_all $parties
comity operator inventory add appliance "$appliance" > "$circle/last"
check "the vendor's log stands at first" until_true 10 sh -c "'$program' -C '$circle/vendor' status"

memory() { # of all its processes together, each counting its share of what they share
    local total=0 process
    for process in $(pgrep -P "${pid[vendor]}"); do total=$((total + $(awk '/^Pss:/ { print $2 }' "/proc/$process/smaps_rollup"))); done
    echo $total
}
stop westland
before=$(memory)
n=0
for mode in silent endless garbage errors slow; do
    n=$((n + 1))
    /usr/bin/python3 "$here/hostile_peer.py" "${port[westland]}" $mode > "$circle/hostile.out" &
    pid[hostile]=$!
    until_true 5 grep -q ready "$circle/hostile.out"
    advisory "HOSTILE-$n" zlib > "$circle/advisory.json"
    id=$(publish --open "$circle/advisory.json")
    check "beside a peer that is $mode a statement stands" until_true 10 stands vendor "$id"
    check "... and the operator is told" until_true 10 told "HOSTILE-$n"
    sleep 0.5
    check "... and the vendor still answers" comity vendor --json show "$id"
    stop hostile
done
after=$(memory)
check "the vendor's memory has not grown by more than 24 MB ($before to $after kB)" test $((after - before)) -lt 24000
start westland
size=$(comity vendor --json status | sed -n 's/.*"log":{"size":\([0-9]*\).*/\1/p')
caught_up() { comity vendor --json status | grep -q "\"party\":\"westland.example\"[^}]*\"cosigned_our_size\":$size"; }
check "the real mirror is back, and holds the whole log" until_true 70 caught_up
done_testing
