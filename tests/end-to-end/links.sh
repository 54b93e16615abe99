#!/bin/bash
# Each node in a network namespace of its own, on a bridge: links are pulled and plugged in again, packets are dropped one way only, and
# links flap at random while it publishes. Everything stands in the end, and nobody is told twice. COMITY_SEED: of the flapping.
base_port=8400
. "$(dirname "$0")/circle.bash"
RANDOM=${COMITY_SEED:=$((RANDOM + 1))}
parties="$states vendor operator"
run=c$$ # names of namespaces and links are this run's own
declare -A address
cleanup() {
    finish
    local who
    for who in $parties; do ip netns del "$run-$who" 2> /dev/null; done
    ip link del "$run" 2> /dev/null
}
trap cleanup EXIT
if [ "$(id -u)" != 0 ] || [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ] || ! ip netns add "$run-vendor" 2> /dev/null; then
    echo "ok - real links # SKIP this machine allows no network namespaces (root is needed)"
    exit 0
fi
ip netns del "$run-vendor"
ip link add "$run" type bridge && ip link set "$run" up || { not_ok "a bridge"; done_testing; }
exec 2> "$circle/stderr"

number=0
join() { # join WHO: a namespace, a link to the bridge, an address
    number=$((number + 1))
    address[$1]=10.77.0.$number
    ip netns add "$run-$1"
    ip link add "$run-$number" type veth peer name wire netns "$run-$1"
    ip link set "$run-$number" master "$run" up
    ip -n "$run-$1" addr add "${address[$1]}/24" dev wire
    ip -n "$run-$1" link set wire up
    ip -n "$run-$1" link set lo up
    link[$1]=$run-$number
}
declare -A link
init() {
    local role=state
    case $1 in vendor | operator | observer) role=$1 ;; esac
    join "$1"
    port[$1]=8440
    [ -f "$circle/passphrase" ] || head -c 18 /dev/urandom | base64 > "$circle/passphrase"
    "$program" init "$circle/$1" --name "$1.example" --role $role --jurisdiction "$1" --listen "${address[$1]}:8440" \
        --url "http://${address[$1]}:8440" --passphrase-file "$circle/passphrase" > "$circle/$1.init"
}
start() {
    ip netns exec "$run-$1" "$program" -C "$circle/$1" serve > "$circle/$1.out" 2>> "$circle/$1.log" &
    pid[$1]=$!
}
url() { echo "http://${address[$1]}:8440${2:-}"; }
pull() { ip link set "${link[$1]}" down; }
plug() { ip link set "${link[$1]}" up; }
deaf() { ip -n "$run-$1" route add blackhole "${address[$2]}/32"; } # deaf FROM TO: nothing of FROM reaches TO any more
heard() { ip -n "$run-$1" route del blackhole "${address[$2]}/32"; }

found $parties
start_all $parties
for n in $(seq 1 200); do printf 'Package: part-%d\nStatus: install ok installed\nVersion: 1.0\n\n' "$n"; done > "$circle/status.dpkg"
comity operator inventory add machine "$circle/status.dpkg" --distribution Debian:12 > "$circle/last" || not_ok "the operator takes in its packages"
count=0
: > "$circle/acknowledged"
state_one() { # publishes the next advisory: id in $id, its name in $name
    count=$((count + 1))
    name=LINK-$count
    advisory "$name" "part-$count" > "$circle/advisory"
    id=$(publish --open "$circle/advisory")
    [ -n "$id" ] && echo "$id $name" >> "$circle/acknowledged"
}
state_one
check "with all links it stands" until_true 20 stands vendor "$id"
check "... and the operator is told" until_true 20 told "$name"

pull vendor
state_one
sleep 1
same "the vendor's link is pulled: its statement is logged only" 3 "$(code_of comity vendor show "$id")"
same "... and nobody is told" 1 "$(told "$name"; echo $?)"
plug vendor
check "plugged in again it stands" until_true 90 stands vendor "$id"
check "... and the operator is told" until_true 60 told "$name"

pull eastland
pull westland
state_one
check "two mirrors of four are cut off: the operator is told" until_true 60 told "$name"
sleep 1
same "... but it does not stand" 3 "$(code_of comity vendor show "$id")"
plug eastland
check "one is back: it stands" until_true 90 stands vendor "$id"
plug westland

deaf northland vendor
state_one
check "one way: what northland sends never reaches the vendor; the others suffice" until_true 60 stands vendor "$id"
heard northland vendor
deaf vendor southland
state_one
check "the other way: what the vendor sends never reaches southland; the others suffice" until_true 90 stands vendor "$id"
heard vendor southland
deaf operator vendor
deaf vendor operator
state_one
check "vendor and operator are cut from each other alone: the mirrors carry it" until_true 90 told "$name"
heard operator vendor
heard vendor operator

order=($parties)
for round in $(seq 1 20); do
    who=${order[RANDOM % ${#order[@]}]}
    pull "$who"
    state_one
    sleep 0.$((RANDOM % 8 + 1))
    plug "$who"
    sleep 0.$((RANDOM % 3))
done
same "links flapped 20 times (seed $COMITY_SEED): all was acknowledged" "$count" "$(wc -l < "$circle/acknowledged")"
all_stand() {
    comity vendor --json status > "$circle/status"
    [ "$(value "$circle/status" 'x["log"]["unwitnessed"] == 0 and min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]
}
check "everything stands, at every mirror" until_true 120 all_stand
noticed() {
    comity operator --json notices > "$circle/notices"
    value "$circle/notices" "' '.join('%s:%d' % (w, c) for w in ('LINK-%d' % n for n in range(1, $count + 1)) for c in [sum(r['notice']['advisory']['id'] == w for r in x)] if c != 1)"
}
all_noticed() { [ -z "$(noticed)" ]; }
until_true 90 all_noticed
same "exactly one notice for each" "" "$(noticed)"
if ip netns exec "$run-vendor" tc qdisc add dev wire root netem delay 80ms 20ms loss 5% 2> /dev/null; then
    for who in $states operator; do ip netns exec "$run-$who" tc qdisc add dev wire root netem delay 80ms 20ms loss 5%; done
    for n in 1 2 3 4 5; do state_one; done
    check "with 80 ms of delay and 5 % of loss it stands" until_true 120 stands vendor "$id"
    check "... and the operator is told" until_true 60 told "$name"
else
    echo "ok - delay and loss in the kernel # SKIP this kernel has no netem; lossy.sh does it in a proxy"
fi
for who in $parties; do stop "$who"; done
for who in $states vendor; do check "the audit of $who's database" comity "$who" log verify --charter "$circle/circle.bundle" --party vendor.example; done
done_testing
