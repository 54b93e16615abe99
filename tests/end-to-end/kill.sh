#!/bin/bash
# The node, signer and net process of a vendor are killed at random moments while it publishes. What was acknowledged is there at the
# end, in one log of one face; what was not may be there or not.
base_port=19300
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all $states vendor
: > "$circle/acknowledged"
publisher() {
    local n=0 id
    while [ ! -f "$circle/enough" ]; do
        n=$((n + 1))
        id=$(echo "message $n" | comity vendor --json state --media text/plain --subject "message-$n" - 2> /dev/null | grep -v '"error"' | id_of)
        [ -n "$id" ] && echo "$id message-$n" >> "$circle/acknowledged" || sleep 0.02
    done
}
child() { pgrep -P "${pid[vendor]}" -x "comity-$1"; }
names=(node signer net)
publisher &
pid[publisher]=$!
kills=0
for round in 1 2 3 4 5 6 7 8 9 10; do
    before=$(wc -l < "$circle/acknowledged")
    until_true 12 sh -c "[ \$(wc -l < '$circle/acknowledged') -gt $((before + 2)) ]" || { not_ok "round $round: it publishes again"; tail -n 5 "$circle/vendor.log" | note; }
    sleep 0.$((RANDOM % 3))$((RANDOM % 10))
    victim=$(child "${names[round % 3]}")
    [ -n "$victim" ] && kill -9 "$victim" && kills=$((kills + 1))
    if [ $((round % 5)) = 0 ]; then # the supervisor waits longer from death to death; a new one starts afresh
        stop vendor
        start vendor
    fi
done
same "ten processes were killed" 10 $kills
until_true 12 running vendor || not_ok "the node runs again"
sleep 0.5
touch "$circle/enough"
wait "${pid[publisher]}"
unset "pid[publisher]"
acknowledged=$(wc -l < "$circle/acknowledged")
check "it published in between: $acknowledged statements were acknowledged" [ "$acknowledged" -ge 30 ]
last=$(tail -n 1 "$circle/acknowledged" | cut -d ' ' -f 1)
check "the last one stands" until_true 15 stands vendor "$last"

check "the audit finds one good log" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url vendor)"
origin=$(curl -s "$(url vendor /checkpoint)" | head -n 1)
prefix=/mirror/$(printf %s "$origin" | sha256sum | cut -d ' ' -f 1)
for who in $states; do
    check "... and so does the audit of $who's copy" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url $who "$prefix")"
done
curl -s "$(url vendor /checkpoint)" > "$circle/checkpoint"
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url vendor)" < "$circle/acknowledged")
same "every acknowledged statement is in the log, once" "" "$missing"
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url southland "$prefix")" < "$circle/acknowledged")
same "... and in a mirror's copy" "" "$missing"
for who in $states vendor; do
    comity "$who" --json status > "$circle/status"
    same "$who has seen no two faces" False "$(value "$circle/status" 'any(p["their_log"]["two_faces"] for p in x["peers"])')"
done
stop vendor

# A supervisor that dies while its node is still starting takes the node with it: an orphan would keep the folder's lock for ever.
orphans=""
for round in 1 2 3 4 5 6; do
    start vendor
    born() { node=$(child node); [ -n "$node" ]; }
    until_true 5 born || not_ok "round $round: the node is born"
    sleep 0.0$round
    kill -9 "${pid[vendor]}"
    wait "${pid[vendor]}" 2> /dev/null
    unset "pid[vendor]"
    gone() { ! kill -0 "$node"; }
    until_true 5 gone || { orphans+=" $round"; kill -9 "$node"; }
done
same "a node whose supervisor was killed while it started does not outlive it" "" "$orphans"
check "the audit of the vendor's own database agrees" comity vendor log verify --charter "$circle/circle.bundle" --party vendor.example
done_testing
