#!/bin/bash
# One bit is flipped in every class of page and file of a mirror's folder. Each time: comity check names it, comity repair brings back
# what the peers have and says what it could not, and what it calls whole is, row by row, what was there before.
# COMITY_SEED: which bits; COMITY_CLASSES: a pattern of classes, for one alone.
base_port=20400
. "$(dirname "$0")/circle.bash"
flip=$here/flip.py
seed=${COMITY_SEED:-1}
python=/usr/bin/python3
parties="$states vendor operator"
exec 2> "$circle/stderr" # bash tells of every process that is killed
found $parties
start_all $parties
$python - "$circle" << 'PY'
import json, sys
big = {"schema_version": "1.6.0", "id": "BIG-1", "modified": "2024-01-01T00:00:00Z", "summary": "a large one",
       "details": "x".join(str(i * 7919 % 100003) for i in range(400000)),
       "affected": [{"package": {"ecosystem": "Debian", "name": "part-1"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}
json.dump(big, open(sys.argv[1] + "/big.json", "w"))
PY
for n in $(seq 1 40); do printf 'Package: part-%d\nStatus: install ok installed\nVersion: 1.0\n\n' "$n"; done > "$circle/status.dpkg"
comity northland inventory add machine "$circle/status.dpkg" --distribution Debian:12 > "$circle/last" || not_ok "northland takes in an inventory"
for n in $(seq 1 300); do # beyond one tile
    [ $((n % 10)) = 0 ] && { advisory "AD-$n" "part-$((n / 10))" > "$circle/advisory"; publish --open "$circle/advisory" > "$circle/last"; continue; }
    echo "message $n" | comity vendor state --media text/plain --subject "message-$n" - > "$circle/last"
done
for n in 1 2 3 4 5 6 7 8; do echo "north $n" | comity northland state --media text/plain --subject "north-$n" - > "$circle/last"; done
publish --open "$circle/big.json" > "$circle/last"
all_stand() { # at the vendor and at northland; and what northland holds no longer moves
    local who
    for who in vendor northland; do
        comity $who --json status > "$circle/status"
        [ "$(value "$circle/status" 'x["log"]["unwitnessed"] == 0 and min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ] || return 1
    done
}
check "everything stands" until_true 30 all_stand
told_big() { told BIG-1 northland; }
check "northland has its notices" until_true 20 told_big
sleep 1

# With a -wal, as a killed node leaves it; and without, as a stopped one does.
kill -9 "${pid[northland]}"
wait "${pid[northland]}" 2> /dev/null
unset "pid[northland]"
gone() { "$program" -C "$circle/northland" check > "$circle/check.out" 2>&1; [ $? != 4 ]; }
until_true 10 gone
same "a killed node's folder is whole" 0 "$(code_of "$program" -C "$circle/northland" check)"
cp -r "$circle/northland" "$circle/killed"
start northland
until_true 10 running northland || not_ok "northland runs again"
same "check is refused while the node runs (exit 4)" 4 "$(code_of "$program" -C "$circle/northland" --json check)"
check "... and says so" grep -q '"id":"locked"' "$circle/last"
same "repair, too" 4 "$(code_of "$program" -C "$circle/northland" repair)"
until_true 10 all_stand
stop northland
same "a stopped node's folder is whole" 0 "$(code_of "$program" -C "$circle/northland" check)"
note < "$circle/last"
$python - "$circle/northland/state.db" << 'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE gone(x)")
db.executemany("INSERT INTO gone VALUES(?)", [(bytes(3000),) for i in range(40)])
db.commit()
db.execute("DROP TABLE gone")
db.commit()
db.close()
PY
cp -r "$circle/northland" "$circle/stopped"
same "... and with free pages" 0 "$(code_of "$program" -C "$circle/stopped" check)"
$python "$flip" dump "$circle/stopped" > "$circle/stopped.dump"
cp -r "$circle/killed" "$circle/x"; $python "$flip" dump "$circle/x" > "$circle/killed.dump"; rm -rf "$circle/x"

one() { # one ORIGINAL CLASS PLACE OUTCOME: flips, checks, repairs; prints the row of the table
    local original=$1 class=$2 place=$3 outcome=$4 folder=$circle/patient where found code got=""
    rm -rf "$folder"
    cp -r "$circle/$original" "$folder"
    where=$($python "$flip" flip "$folder" "$class" "$seed")
    code=$(code_of "$program" -C "$folder" --json check)
    cp "$circle/last" "$circle/found"
    found=$(value "$circle/found" 'next((d["place"] for d in x["damaged"]), "nothing")')
    if [ "$code" != 1 ] || ! value "$circle/found" '"\n".join(d["place"] for d in x["damaged"])' | grep -E "^$place" > "$circle/grep"; then
        not_ok "$class: found (exit $code; $where)"; note < "$circle/found"; return
    fi
    code=$(code_of "$program" -C "$folder" --json repair)
    cp "$circle/last" "$circle/repair"
    case $code in
        0) got=repaired ;;
        1) got=$(value "$circle/repair" '"left" if x["left"] else "lost"') ;;
        *) got="exit $code" ;;
    esac
    printf '# %-38s %-44s %s\n' "$class ($where)" "${found:0:44}" "$got"
    case $outcome:$got in
        repaired:repaired | private:repaired | private:lost | left:left | unrepairable:left) ;;
        *) not_ok "$class: $outcome (it says: $got; $where)"; note < "$circle/repair"; return ;;
    esac
    if [ $got = repaired ]; then
        $python "$flip" dump "$folder" > "$circle/patient.dump"
        diff "$circle/$original.dump" "$circle/patient.dump" | grep -vE '^> (note|cosignature) |^[0-9,]+[acd][0-9,]+$' > "$circle/diff" # peers may have more
        if [ -s "$circle/diff" ]; then
            not_ok "$class: called whole, and differs ($where)"; cut -c 1-160 "$circle/diff" | note; note < "$circle/repair"; return
        fi
        [ "$class" = blob ] && { "$program" -C "$folder" check > "$circle/last" || not_ok "the blob is whole"; }
    elif [ "$(code_of "$program" -C "$folder" check)" = 0 ] && [ $got = left ]; then
        not_ok "$class: left damaged, and yet whole"; return
    fi
    ok "$class: found and $got"
}
while IFS=$'\t' read -r class place outcome; do
    [[ $class == ${COMITY_CLASSES:-*} ]] && one stopped "$class" "$place" "$outcome"
done < <($python "$flip" classes "$circle/stopped")
while IFS=$'\t' read -r class place outcome; do
    [[ $class == wal/* && $class == ${COMITY_CLASSES:-*} ]] && one killed "$class" "$place" "$outcome"
done < <($python "$flip" classes "$circle/killed")
done_testing
