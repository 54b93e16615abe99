#!/bin/bash
# Any process of a running circle is killed (SIGKILL) at random moments while the vendor publishes: supervisors, nodes, signers and
# whatever else descends from `comity serve`, of every party. Nothing acknowledged is lost, everything stands at the end, each
# advisory is noticed exactly once, and every log and copy audits. COMITY_KILLS sets how many (200), COMITY_SEED from which seed.
base_port=20300
. "$(dirname "$0")/circle.bash"
kills=${COMITY_KILLS:-200}
RANDOM=${COMITY_SEED:=$((RANDOM * 7 + 1))}
parties="$states vendor operator"
exec 2> "$circle/stderr" # bash tells of every process that is killed
found $parties
start_all $parties
for n in $(seq 1 3000); do printf 'Package: part-%d\nStatus: install ok installed\nVersion: 1.0\n\n' "$n"; done > "$circle/status.dpkg"
comity operator inventory add machine "$circle/status.dpkg" --distribution Debian:12 > "$circle/last" || not_ok "the operator takes in its packages"

: > "$circle/acknowledged"
publisher() {
    local n=0 id
    while [ ! -f "$circle/enough" ]; do
        n=$((n + 1))
        advisory "KILL-$n" "part-$n" > "$circle/advisory"
        id=$(comity vendor --json publish --open "$circle/advisory" 2> /dev/null | grep -v '"error"' | id_of)
        [ -n "$id" ] && echo "$id KILL-$n" >> "$circle/acknowledged" || sleep 0.05
        sleep 0.03
    done
}
descendants() { # descendants PID: it and all below it
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do descendants "$child"; done
}
alive() { [ -n "${pid[$1]:-}" ] && [ -d "/proc/${pid[$1]}" ] && ! grep -q '^State:.Z' "/proc/${pid[$1]}/status" 2> /dev/null; }
restart_dead() {
    local who
    for who in $parties; do
        alive "$who" && continue
        [ -n "${pid[$who]:-}" ] && wait "${pid[$who]}" 2> /dev/null
        start "$who"
        restarts=$((restarts + 1))
    done
}
publisher &
publisher_pid=$!
pid[publisher]=$publisher_pid
done_kills=0 restarts=0
declare -A killed
order=($parties)
while [ $done_kills -lt "$kills" ]; do
    sleep 0.$((RANDOM % 6))$((RANDOM % 10))
    restart_dead
    who=${order[RANDOM % ${#order[@]}]}
    all=($(descendants "${pid[$who]}"))
    victim=${all[RANDOM % ${#all[@]}]}
    depth=supervisor
    [ "$victim" != "${pid[$who]}" ] && depth=child
    kill -9 "$victim" 2> /dev/null || continue
    killed[$depth]=$((${killed[$depth]:-0} + 1))
    done_kills=$((done_kills + 1))
done
same "$kills processes were killed (${killed[supervisor]:-0} supervisors, ${killed[child]:-0} of their children; seed $COMITY_SEED)" "$kills" $done_kills
everybody() { restart_dead; local who; for who in $parties; do running "$who" || return 1; done; }
check "all six nodes run again" until_true 60 everybody
before=$(wc -l < "$circle/acknowledged")
more() { [ "$(wc -l < "$circle/acknowledged")" -gt $((before + 2)) ]; }
check "it publishes again" until_true 30 more
touch "$circle/enough"
wait "$publisher_pid"
unset "pid[publisher]"
acknowledged=$(wc -l < "$circle/acknowledged")
check "it published in between: $acknowledged statements were acknowledged, $restarts supervisors started anew" [ "$acknowledged" -ge $((kills / 4)) ]
all_stand() {
    comity vendor --json status > "$circle/status"
    [ "$(value "$circle/status" 'x["log"]["unwitnessed"] == 0 and min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]
}
check "everything stands, at every mirror" until_true 60 all_stand
same "every log is of one face" "" "$(for who in $parties; do comity "$who" --json status > "$circle/status"; value "$circle/status" '"".join(p["party"] for p in x["peers"] if p["their_log"]["two_faces"])'; done | tr -d '\n')"

bundle=$circle/circle.bundle
prefix=/mirror/$(curl -s "$(url vendor /checkpoint)" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
for who in $states vendor; do
    check "the audit of $who's own log" "$program" log verify --charter "$bundle" --party "$who.example" "$(url "$who")"
    [ "$who" = vendor ] || check "... and of its copy of the vendor's" "$program" log verify --charter "$bundle" --party vendor.example "$(url "$who" "$prefix")"
done
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url vendor)" < "$circle/acknowledged")
same "every acknowledged statement is in the log, once" "" "$missing"
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url southland "$prefix")" < "$circle/acknowledged")
same "... and in a mirror's copy" "" "$missing"

# No acknowledged advisory without its notice, and none with two.
noticed() {
    comity operator --json notices > "$circle/notices"
    cat > "$circle/notices.py" << 'PY'
import json, sys, collections
notices = json.load(open(sys.argv[1]))
seen = collections.Counter(n["notice"]["advisory"]["id"] for n in notices)
wanted = [line.split()[1] for line in open(sys.argv[2])]
print(" ".join([w + ":none" for w in wanted if not seen[w]] + ["%s:%d" % p for p in seen.items() if p[1] > 1]))
PY
    /usr/bin/python3 "$circle/notices.py" "$circle/notices" "$circle/acknowledged"
}
all_noticed() { [ -z "$(noticed)" ]; }
until_true 30 all_noticed
same "exactly one notice for each acknowledged advisory" "" "$(noticed)"
for who in $parties; do stop "$who"; done
for who in $states vendor; do
    check "the audit of $who's database agrees" comity "$who" log verify --charter "$bundle" --party vendor.example
done
done_testing
