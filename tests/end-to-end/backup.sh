#!/bin/bash
# A copy of a running node is whole, is checked whole, and never convicts its owner when it comes back: whatever is older in it, the
# database, the signer's state or both, its node catches up from the mirrors and goes on with one face.
base_port=20100
. "$(dirname "$0")/circle.bash"
parties="$states vendor observer"
found $parties
start_all $parties
comity vendor inventory add appliance "$appliance" > "$circle/last" 2>&1
say() { echo "$2" | comity "$1" --json state --media text/plain --subject "${3:-note}" - | id_of; } # say WHO TEXT
size_of() { curl -s "$(url "$1" /checkpoint)" | sed -n 2p; }
head -c 3000000 /dev/urandom | base64 > "$circle/large.txt"
large=$(comity vendor --json state --media text/plain --subject large "$circle/large.txt" | id_of)
check "a large document stands" until_true 20 stands vendor "$large"

# A backup of a node that is busy
publisher() { local n=0; while [ ! -f "$circle/enough" ]; do n=$((n + 1)); say vendor "message $n" > "$circle/publisher.out" 2>&1; done; }
publisher &
pid[publisher]=$!
before=$(size_of vendor)
same "a backup is made while the node publishes" 0 "$(code_of comity vendor --json backup --out "$circle/first")"
made=$(cat "$circle/last")
[ -d "$circle/first" ] || { note < "$circle/last"; touch "$circle/enough"; done_testing; }
id=$(sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p' <<< "$made")
check "... its id is the hash of SHA256SUMS" [ "$id" = "$(sha256sum < "$circle/first/SHA256SUMS" | cut -d ' ' -f 1)" ]
check "... the keys were tried" grep -q 'opened with the passphrase' <<< "$made"
check "... the node went on meanwhile" until_true 10 sh -c "[ \$(curl -s $(url vendor /checkpoint) | sed -n 2p) -gt $before ]"
for round in 2 3 4 5 6; do
    code=$(code_of comity vendor backup --out "$circle/busy$round")
    [ "$code" = 0 ] || { not_ok "backup $round under load"; note < "$circle/last"; }
    rm -rf "$circle/busy$round"
done
ok "five more backups of the busy node are good"
touch "$circle/enough"
wait "${pid[publisher]}"
unset "pid[publisher]"
check "sha256sum agrees" sh -c "cd '$circle/first' && sha256sum --quiet -c SHA256SUMS"
same "nothing in it can be read by others" "" "$(find "$circle/first" -perm /077)"
check "it holds the inventory, the keys, the charter and the large document" sh -c \
    "cd '$circle/first' && ls comity.conf card.note charter/charter.json keys/log.key signer.state state.db blobs/*/*"
same "no temporary name is left" "" "$(find "$circle" -name '*.partial-*')"
same "verify: exit 0" 0 "$(code_of "$program" backup verify "$circle/first")"
same "verify with the passphrase: exit 0" 0 "$(code_of "$program" --json backup verify "$circle/first" --passphrase-file "$circle/passphrase")"
check "... says the same id" grep -q "$id" "$circle/last"
echo wrong-passphrase > "$circle/wrong"
same "verify with another passphrase: refused" 5 "$(code_of "$program" backup verify "$circle/first" --passphrase-file "$circle/wrong")"
same "nothing is overwritten" 5 "$(code_of comity vendor backup --out "$circle/first")"
same "a target that cannot be made: exit 4, and nothing is left" 4 "$(code_of comity vendor backup --out /proc/nowhere/backup)"
full_disk() { # the target is a disk of one MiB, in a mount namespace of its own; prints the exit code and what is left there
    unshare --mount bash -c 'mkdir -p "$2" && mount -t tmpfs -o size=1m tmpfs "$2" && "$0" -C "$1" --json backup --out "$2/copy" > "$3" 2>&1; echo "$? $(ls "$2")"' \
        "$program" "$circle/vendor" "$circle/small" "$circle/last"
}
if unshare --mount true 2> /dev/null; then
    same "a disk that is full: exit 4, and nothing is left" "4 " "$(full_disk)"
    check "... which is said" grep -q '"id":"disk-full"' "$circle/last"
else
    ok "a disk that is full # SKIP no mount namespace here"
fi
sqlite3 "file:$circle/vendor/state.db?mode=ro" "SELECT count(*) FROM journal WHERE kind = CAST('backup' AS BLOB)" > "$circle/last"
same "the journal knows of six backups" 6 "$(cat "$circle/last")"

# Damage is found and named, and nothing is restored from it
damaged() { # damaged WHAT EXPECTED-ID FILE-NAMED COMMAND: a copy is changed by the command, in its folder
    rm -rf "$circle/damaged" "$circle/into"
    cp -a "$circle/first" "$circle/damaged"
    (cd "$circle/damaged" && eval "$4")
    local code=$(code_of "$program" --json backup verify "$circle/damaged")
    if [ "$code" != 0 ] && grep -q "\"id\":\"$2\"" "$circle/last" && grep -q "$3" "$circle/last"; then ok "$1: found and named"; else
        not_ok "$1: exit $code"; note < "$circle/last"; fi
    code=$(code_of "$program" restore "$circle/damaged" --into "$circle/into")
    if [ "$code" != 0 ] && [ ! -e "$circle/into" ] && [ -z "$(find "$circle" -name 'into.partial*')" ]; then ok "... and not restored"; else not_ok "... restore: exit $code"; fi
}
flip() { /usr/bin/python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 1]))' "$1" "$2"; }
resum() { (cd "$circle/${1:-damaged}" && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS); }
damaged "a bit of the database" hash-mismatch state.db 'flip state.db 50000'
damaged "a bit of a key" hash-mismatch keys/log.key 'flip keys/log.key 100'
damaged "a bit of the signer's state" hash-mismatch signer.state 'flip signer.state 5000'
damaged "a bit of the large document" hash-mismatch blobs/ 'flip blobs/*/* 1000'
damaged "a file that is cut" hash-mismatch state.db 'truncate -s -1 state.db'
damaged "a file that is missing" missing charter.json 'rm charter/charter.json'
damaged "a file too many" trailing-bytes extra 'touch extra'
damaged "a link in the place of a file" wrong-type card.note 'mv card.note /tmp/comity-card.$$; ln -s /tmp/comity-card.$$ card.note'
rm -f /tmp/comity-card.$$
damaged "a path that leads out" bad-syntax SHA256SUMS 'sed -i "1s|  .*|  ../x|" SHA256SUMS'
damaged "a sums file that is cut" truncated SHA256SUMS 'truncate -s -1 SHA256SUMS'
damaged "a later kind of backup" unsupported backup.json 'sed -i "s|backup/1|backup/2|" backup.json; resum'
damaged "another party's card" bad-config card.note "cp '$circle/observer/card.note' .; resum"
damaged "a database page, under new sums" corrupt '' 'dd if=/dev/urandom of=state.db bs=4096 seek=3 count=2 conv=notrunc 2> /dev/null; resum'
damaged "a large document that is not there, under new sums" missing 'large document' 'rm blobs/*/*; resum'
damaged "the signer's state of another day, ahead of the database" wrong-state signer "cp '$circle/vendor/signer.state' .; resum"

# What an earlier release made: the table and the columns that later schemas added are taken out again
cp -a "$circle/first" "$circle/older"
sqlite3 "$circle/older/state.db" "DROP TABLE kept"
sqlite3 "$circle/older/state.db" "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'sum'" > "$circle/tables"
while read -r table; do sqlite3 "$circle/older/state.db" "ALTER TABLE $table DROP COLUMN sum"; done < "$circle/tables"
sqlite3 "$circle/older/state.db" "PRAGMA user_version = 1; PRAGMA journal_mode = DELETE" > "$circle/last"
sed -i 's|"schema":[0-9]*|"schema":1|' "$circle/older/backup.json"
resum older
mkdir "$circle/tmp"
export TMPDIR=$circle/tmp
check "a backup of an earlier schema verifies" "$program" backup verify "$circle/older"
check "... and is restored" "$program" restore "$circle/older" --into "$circle/migrated"
same "... to this release's schema" "$(sqlite3 "$circle/first/state.db" 'PRAGMA user_version')" "$(sqlite3 "$circle/migrated/state.db" 'PRAGMA user_version')"
same "... leaving nothing behind" "" "$(ls "$TMPDIR")"

# Restored elsewhere, while the original is off
known=$(say vendor "before the fall" later)
check "more is published after the backup" until_true 20 stands vendor "$known"
stop vendor
mv "$circle/vendor" "$circle/original"
mkdir "$circle/vendor"
same "a folder that is not empty is refused" 5 "$(touch "$circle/vendor/x"; code_of "$program" restore "$circle/first" --into "$circle/vendor")"
check "... and is left as it was" [ "$(ls "$circle/vendor")" = x ]
rm "$circle/vendor/x"
same "restore into an empty folder: exit 0" 0 "$(code_of "$program" restore "$circle/first" --into "$circle/vendor" --passphrase-file "$circle/passphrase")"
start vendor
check "the restored node runs" until_true 30 running vendor
comity vendor --json status > "$circle/status"
same "... and knows that it was restored" True "$(value "$circle/status" 'x["restored"]')"
check "what it had said after the backup is there" until_true 10 stands vendor "$known"
check "the inventory is there" grep -q appliance <<< "$(comity vendor inventory list)"
check "the large document is served" sh -c "curl -s $(url vendor)/documents/$(sha256sum < "$circle/large.txt" | cut -d ' ' -f 1) | cmp - '$circle/large.txt'"
after=$(say vendor "after the fall" later)
check "it publishes on" until_true 20 stands vendor "$after"

one_face() { # one_face WHO WHAT: its log is good everywhere, and nobody saw two faces
    local bad="" other origin prefix
    origin=$(curl -s "$(url "$1" /checkpoint)" | head -n 1)
    prefix=/mirror/$(printf %s "$origin" | sha256sum | cut -d ' ' -f 1)
    "$program" log verify --charter "$circle/circle.bundle" --party "$1.example" "$(url "$1")" > "$circle/last" 2>&1 || bad+=" own"
    for other in $states; do
        [ "$other" = "$1" ] && continue
        "$program" log verify --charter "$circle/circle.bundle" --party "$1.example" "$(url "$other" "$prefix")" > "$circle/last" 2>&1 || bad+=" $other"
    done
    for other in $parties; do
        comity "$other" --json status > "$circle/status"
        [ "$(value "$circle/status" 'any(p["their_log"]["two_faces"] for p in x["peers"])')" = False ] || bad+=" two-faces-at-$other"
    done
    same "$2" "" "$bad"
}
one_face vendor "it has one face, at itself and at every mirror"

# Parts of different days: an older signer's state beside a newer database, and the reverse. Each is a folder that somebody put together.
comity vendor backup --out "$circle/second" > "$circle/last" 2>&1 || not_ok "a second backup"
more=$(say vendor "more" later)
until_true 20 stands vendor "$more" || not_ok "more stands"
stop vendor
cp "$circle/vendor/signer.state" "$circle/newest.signer.state"
again() { # again WHAT DATABASE-FROM SIGNER-STATE: a node of these parts comes back and goes on
    rm -rf "$circle/vendor"
    "$program" restore "$circle/$2" --into "$circle/vendor" > "$circle/last" 2>&1 || not_ok "$1: restore"
    cp "$3" "$circle/vendor/signer.state"
    start vendor
    check "$1: it runs" until_true 30 running vendor
    local id=$(say vendor "$1" later)
    check "... and publishes" until_true 20 stands vendor "$id"
    check "... and has what it had said" until_true 10 stands vendor "$more"
    one_face vendor "... with one face"
    stop vendor
}
again "a signer's state that is older than the database" second "$circle/first/signer.state"
again "a signer's state that is newer than the database" first "$circle/newest.signer.state"
sqlite3 "$circle/vendor/state.db" "SELECT hex(value) FROM state WHERE key = CAST('restored' AS BLOB)" > "$circle/last"
same "the mark of the restore is taken away once it has recovered" "" "$(tr -d '\n' < "$circle/last")"
start vendor

# A mirror comes back from an old copy, too: it cosigns nothing before it holds all that it had cosigned
check "a mirror's backup" comity southland backup --out "$circle/mirror-copy"
for n in 1 2 3; do latest=$(say vendor "for the mirrors $n" later); done
all_cosigned() { comity vendor --json status > "$circle/status"; [ "$(value "$circle/status" 'min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]; }
until_true 20 all_cosigned || not_ok "all mirrors have cosigned"
stop southland
rm -rf "$circle/southland"
"$program" restore "$circle/mirror-copy" --into "$circle/southland" > "$circle/last" 2>&1 || not_ok "restoring the mirror"
start southland
check "the restored mirror runs" until_true 30 running southland
latest=$(say vendor "a mirror is back" later)
check "... and cosigns again" until_true 30 all_cosigned
one_face southland "... its own log has one face"
one_face vendor "... and so has the vendor's"

# Only a command knows that it was restored, when nobody whom it hears first knows more: it waits for all, or for its owner's word
check "a third backup" comity vendor backup --out "$circle/third"
stop westland
stop vendor
rm -rf "$circle/vendor"
"$program" restore "$circle/third" --into "$circle/vendor" > "$circle/last" 2>&1 || not_ok "restoring the third"
start vendor
waits() { comity vendor --json status > "$circle/status"; [ "$(value "$circle/status" '[x["state"], x["restored"], x["recovery_answers_needed"]]')" = "['recovering', True, 4]" ]; }
check "a restored node waits for every mirror" until_true 10 waits
heard() { [ "$(comity vendor --json status > "$circle/status"; value "$circle/status" 'sum(p["mirror"] and not p["missing_since"] for p in x["peers"])')" = 3 ]; }
until_true 10 heard || not_ok "it hears three"
same "... and signs nothing" 5 "$(echo no | code_of comity vendor state --media text/plain --subject no -)"
check "... until its owner names the absent" comity vendor absent westland.example
check "... then it runs" until_true 20 running vendor
start westland
until_true 20 running westland || not_ok "westland runs"
id=$(say vendor "all are back" later)
check "... and publishes" until_true 20 stands vendor "$id"
until_true 30 all_cosigned || not_ok "westland catches up"
one_face vendor "... with one face"

# A checkpoint that only an observer has heard of: no mirror can tell of it
check "a fourth backup" comity vendor backup --out "$circle/fourth"
for who in $states; do stop "$who"; done
alone=$(say vendor "nobody of the committee hears this" later)
heard_by_observer() { grep -q '"document_held":true' <<< "$(comity observer --json show "$alone")"; }
check "an observer alone hears of a statement" until_true 20 heard_by_observer
stop vendor
rm -rf "$circle/vendor"
"$program" restore "$circle/fourth" --into "$circle/vendor" > "$circle/last" 2>&1 || not_ok "restoring the fourth"
for who in $states; do start "$who"; done
for who in $states; do until_true 20 running "$who" || not_ok "$who runs"; done
start vendor
check "the restored node runs" until_true 60 running vendor
check "... with the statement that only the observer had" until_true 20 stands vendor "$alone"
id=$(say vendor "and on" later)
check "... and publishes" until_true 20 stands vendor "$id"
one_face vendor "... with one face"

# Cut off in the middle: what is left has a temporary name, and the next one does not mind
for at in 1 2 3 4 5; do
    "$program" -C "$circle/vendor" backup --out "$circle/cut$at" > "$circle/last" 2>&1 &
    pid[backup]=$!
    sleep 0.0$at
    kill -9 "${pid[backup]}" 2> /dev/null
    wait "${pid[backup]}" 2> /dev/null
    unset "pid[backup]"
    [ ! -e "$circle/cut$at" ] || "$program" backup verify "$circle/cut$at" > "$circle/last" 2>&1 || not_ok "a backup that was cut off has its name"
done
check "after five that were killed the next is good" comity vendor backup --out "$circle/fifth"
stop vendor
check "a backup of a node that is stopped" comity vendor backup --out "$circle/stopped"
sqlite3 "file:$circle/vendor/state.db?mode=ro" "SELECT count(*) FROM journal WHERE kind = CAST('backup' AS BLOB) AND key = CAST('$(sha256sum < "$circle/stopped/SHA256SUMS" | cut -d ' ' -f 1)' AS BLOB)" > "$circle/last"
same "... is in the journal, too" 1 "$(cat "$circle/last")"
done_testing
