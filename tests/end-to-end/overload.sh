#!/bin/bash
# A mirror is flooded from four addresses: it goes on mirroring its friends, tells the others plainly to come again, keeps its memory
# bounded, and serves everybody again afterwards.
base_port=20800
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all northland southland eastland vendor # three of four: the quorum needs each, the flooded one too
head -c 4000000 /dev/urandom | base64 > "$circle/large"
large=$(comity vendor --json state --media text/plain --subject large "$circle/large" | id_of)
check "a statement stands, by a quorum that needs the mirror which is flooded next" until_true 20 stands vendor "$large"
document=/documents/$(sha256sum < "$circle/large" | cut -d ' ' -f 1)
pss() { awk '/^Pss:/ { print $2 }' "/proc/$(pgrep -P "${pid[northland]}" -x "comity-$1")/smaps_rollup"; }

/usr/bin/python3 "$here/flood.py" "${port[northland]}" "$circle/enough" "$document" > "$circle/flood.out" &
pid[flood]=$!
check "the flood runs" until_true 10 grep -q ready "$circle/flood.out"
for n in 1 2 3; do
    advisory "FLOOD-$n" zlib > "$circle/advisory"
    id=$(publish --open "$circle/advisory")
    check "under the flood a friend's advisory $n stands" until_true 60 stands vendor "$id"
done
check "its owner is answered, too" comity northland status
total=$(($(pss net) + $(pss node)))
check "net and node together stay under 320 MiB ($total kB)" [ $total -lt 327680 ]
touch "$circle/enough"
wait "${pid[flood]}"
unset "pid[flood]"
tail -n 1 "$circle/flood.out" > "$circle/heard"
check "the flood was heard of: $(cat "$circle/heard")" [ "$(value "$circle/heard" 'sum(x["heard"].values())')" -gt 1000 ]
check "much of it was told to come again" [ "$(value "$circle/heard" 'x["heard"].get("429", 0) + x["heard"].get("503", 0)')" -gt 10 ]
same "... always with a time to wait" True "$(value "$circle/heard" 'x["retry"]')"

stranger() { curl -sf --interface 127.0.0.3 -o "$circle/answer" "$(url northland "$1")"; }
check "afterwards a stranger is served again" until_true 60 stranger /checkpoint
check "... large documents, too" until_true 60 stranger "$document"
same "... as they are" "$(sha256sum < "$circle/large")" "$(sha256sum < "$circle/answer")"
id=$(advisory AFTER zlib > "$circle/advisory"; publish --open "$circle/advisory")
check "and an advisory stands" until_true 15 stands vendor "$id"
done_testing
