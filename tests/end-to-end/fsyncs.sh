#!/bin/bash
# A single submission is logged after at most two syncs: the database's commit, and the signer's own state.
base_port=20700
states="northland"
. "$(dirname "$0")/circle.bash"
if ! strace -o /dev/null true 2> /dev/null; then
    echo "ok - syncs of a submission are counted # SKIP strace may not trace here"
    done_testing
fi
found northland
start_all northland
family() { # family PID: it and all its descendants
    echo "$1"
    local child
    for child in $(cat /proc/"$1"/task/*/children 2> /dev/null); do family "$child"; done
}
trace=$circle/trace
tracers=()
for process in $(family "${pid[northland]}"); do
    strace -f -ttt -e trace=fsync,fdatasync,sync_file_range,msync -o "$trace.$process" -p "$process" 2> "$circle/strace.$process" &
    tracers+=($!)
    check "process $process is traced" until_true 10 grep -q attached "$circle/strace.$process"
done
syncs() { cat "$trace".* | grep -cE '(fsync|fdatasync|sync_file_range|msync)\(.*= 0'; }
for i in 1 2 3 4 5; do
    advisory "SYNC-$i" openssl > "$circle/$i.json"
    before=$(syncs)
    check "submission $i is logged" comity northland publish --open "$circle/$i.json"
    made=$(($(syncs) - before))
    check "... after at most two syncs ($made)" test $made -le 2
    check "... and at least one" test $made -ge 1
done
for tracer in "${tracers[@]}"; do kill "$tracer" 2> /dev/null; wait "$tracer" 2> /dev/null; done
done_testing
