#!/bin/bash
# A node that runs on a damaged database serves no wrong byte and cosigns nothing wrong: one bit is flipped in each table that it serves
# from, it is started as it is, and all that it answers is compared with what another mirror has. COMITY_SEED: which bits.
base_port=21000
. "$(dirname "$0")/circle.bash"
seed=${COMITY_SEED:-1}
python=/usr/bin/python3
parties="$states vendor"
exec 2> "$circle/stderr"
found $parties
start_all $parties
for n in $(seq 1 40); do
    advisory "SAFE-$n" "part-$n" > "$circle/advisory"
    publish --open "$circle/advisory" > "$circle/last"
done
everywhere() {
    comity vendor --json status > "$circle/status"
    [ "$(value "$circle/status" 'x["log"]["unwitnessed"] == 0 and min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]
}
check "everything stands at every mirror" until_true 30 everywhere
prefix=/mirror/$(curl -s "$(url vendor /checkpoint)" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
stop northland
# Pages that are in the -wal, too, would be read from there.
$python -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' "$circle/northland/state.db"
cp -r "$circle/northland" "$circle/good"
refusals=0
cat > "$circle/compare.py" << 'PY'
"""compare.py GOOD BAD PREFIX FOLDER: asks both for the same; prints what BAD answered wrongly, and counts its refusals."""
import sqlite3, sys, urllib.error, urllib.request
good, bad, prefix, folder = sys.argv[1:]
size = int(urllib.request.urlopen(good + prefix + "/checkpoint").read().split(b"\n")[1])
full, rest = divmod(size, 256)
paths = ["%s/tile/%s/%03d%s" % (prefix, level, n, part) for level in ("0", "entries")
         for n, part in [(i, "") for i in range(full)] + ([(full, ".p/%d" % rest)] if rest else [])]
db = sqlite3.connect("file:%s/state.db?immutable=1" % folder, uri=True)
paths += ["/documents/" + row[0] for row in db.execute("SELECT lower(hex(hash)) FROM document")]
def get(base, path):
    try:
        return urllib.request.urlopen(base + path, timeout=10).read()
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return 0
refused, wrong = 0, []
for path in paths:
    want, got = get(good, path), get(bad, path)
    refused += isinstance(got, int) and not isinstance(want, int)
    if not isinstance(got, int) and not isinstance(want, int) and got != want:
        wrong.append(path)
print(" ".join(wrong) or "none", refused, "of", len(paths))
PY
for class in entry/leaf/cell tile/leaf/cell document/leaf/cell note/leaf/cell cosignature/leaf/cell id_index/leaf/cell d_view/leaf/cell log/leaf/cell entry/leaf/pointers tile/leaf/head; do
    rm -rf "$circle/northland"
    cp -r "$circle/good" "$circle/northland"
    where=$($python "$here/flip.py" flip "$circle/northland" "$class" "$seed")
    start northland
    until_true 5 running northland || true
    answers=$($python "$circle/compare.py" "$(url southland)" "$(url northland)" "$prefix" "$circle/good")
    check "$class flipped ($where): no wrong byte is served; refused: ${answers#* }" [ "${answers%% *}" = none ]
    [ "$(cut -d ' ' -f 2 <<< "$answers")" = 0 ] || refusals=$((refusals + 1))
    [ "${answers%% *}" = none ] || echo "# wrong: ${answers%% *}"
    kill -9 "${pid[northland]}" 2> /dev/null
    wait "${pid[northland]}" 2> /dev/null
    unset "pid[northland]"
    free() { flock -n "$circle/northland/lock" true && flock -n "$circle/northland/state.db.lock" true; }
    until_true 10 free || not_ok "the folder is free again"
done
check "at least four of the flips hit what is served ($refusals)" [ $refusals -ge 4 ]
rm -rf "$circle/northland"
cp -r "$circle/good" "$circle/northland"
start northland
check "on the good copy it runs again" until_true 20 running northland
answers=$($python "$circle/compare.py" "$(url southland)" "$(url northland)" "$prefix" "$circle/good")
same "... and answers all, as the other mirror does" "none 0" "$(cut -d ' ' -f 1,2 <<< "$answers")"
advisory LAST part-1 > "$circle/advisory"
publish --open "$circle/advisory" > "$circle/last"
check "everything stands at every mirror" until_true 60 everywhere
same "nobody was accused of two faces" "" "$(for who in $parties; do comity "$who" --json status > "$circle/status"; value "$circle/status" '"".join(p["party"] for p in x["peers"] if p["their_log"]["two_faces"])'; done | tr -d '\n')"
done_testing
