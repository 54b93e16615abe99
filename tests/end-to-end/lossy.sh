#!/bin/bash
# Everybody reaches everybody through a network that cuts, truncates, delays, duplicates and corrupts, connection by connection, from a
# seed (COMITY_SEED). Everything stands in the end, nobody is told twice, and nothing corrupted was ever taken in.
base_port=20600
url_offset=50
. "$(dirname "$0")/circle.bash"
seed=${COMITY_SEED:-$((RANDOM + 1))}
parties="$states vendor operator"
exec 2> "$circle/stderr"
found $parties
pairs=()
for who in $parties; do pairs+=("$((port[$who] + url_offset)):${port[$who]}"); done
/usr/bin/python3 "$here/lossy.py" "$seed" "$circle/counts" "${pairs[@]}" &
pid[lossy]=$!
start_all $parties
for n in $(seq 1 200); do printf 'Package: part-%d\nStatus: install ok installed\nVersion: 1.0\n\n' "$n"; done > "$circle/status.dpkg"
comity operator inventory add machine "$circle/status.dpkg" --distribution Debian:12 > "$circle/last" || not_ok "the operator takes in its packages"
: > "$circle/acknowledged"
times() { local n; n=$(sed -n "s/^$1 //p" "$circle/counts"); echo "${n:-0}"; } # times FATE: how many connections have met it
all_fates() { local fate; for fate in cut truncate delay duplicate corrupt; do [ "$(times $fate)" -ge 3 ] || return 1; done; }
said=0 # sixty, and on until every fate has come three times
while [ $said -lt 60 ] || { [ $said -lt 200 ] && ! all_fates; }; do
    said=$((said + 1))
    advisory "BAD-$said" "part-$said" > "$circle/advisory"
    id=$(publish --open "$circle/advisory")
    [ -n "$id" ] && echo "$id BAD-$said" >> "$circle/acknowledged"
    sleep 0.1
done
same "all $said statements were acknowledged (seed $seed)" $said "$(wc -l < "$circle/acknowledged")"
all_stand() {
    comity vendor --json status > "$circle/status"
    [ "$(value "$circle/status" 'x["log"]["unwitnessed"] == 0 and min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]
}
check "everything stands, at every mirror" until_true 90 all_stand
noticed() {
    comity operator --json notices > "$circle/notices"
    value "$circle/notices" '" ".join("%s:%d" % (w, c) for w in ("BAD-%d" % n for n in range(1, '"$((said + 1))"')) for c in [sum(r["notice"]["advisory"]["id"] == w for r in x)] if c != 1)'
}
all_noticed() { [ -z "$(noticed)" ]; }
until_true 60 all_noticed
same "exactly one notice for each" "" "$(noticed)"
for fate in cut truncate delay duplicate corrupt; do
    check "connections were met by: $fate ($(times $fate))" [ "$(times $fate)" -ge 3 ]
done
prefix=/mirror/$(curl -s "http://127.0.0.1:${port[vendor]}/checkpoint" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
for who in $states; do
    check "the audit of $who's copy" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "http://127.0.0.1:${port[$who]}$prefix"
done
same "nobody is accused of two faces" "" "$(for who in $parties; do comity "$who" --json status > "$circle/status"; value "$circle/status" '"".join(p["party"] for p in x["peers"] if p["their_log"]["two_faces"])'; done | tr -d '\n')"
for who in $parties; do stop "$who"; done
for who in $parties; do check "$who's folder is whole" "$program" -C "$circle/$who" check; done
done_testing
