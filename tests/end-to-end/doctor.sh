#!/bin/bash
# comity doctor: nothing to say of a healthy node; and each thing that it looks at, broken in turn, is told with what to do.
base_port=20500
. "$(dirname "$0")/circle.bash"
url_offset=0
found $states vendor
# One more party, in a circle of its own, whose URL is https
init secure $((base_port + 60))
chmod 600 "$circle/passphrase"
start_all $states vendor
level() { # level CHECK [WHO]: "LEVEL" of a check, the worst if there are several; empty when it says nothing
    comity "${2:-vendor}" --json doctor > "$circle/doctor" 2> "$circle/doctor.err"
    value "$circle/doctor" "max((c['level'] for c in x['checks'] if c['check'] == '$1'), key=['skip', 'ok', 'warn', 'bad'].index, default='')"
}
says() { # says WHAT CHECK LEVEL [TEXT]: and tells what to do, unless all is well
    local got
    got=$(level "$2")
    if [ "$got" = "$3" ] && { [ "$3" = ok ] || [ -n "$(value "$circle/doctor" "''.join(c['do'] for c in x['checks'] if c['check'] == '$2' and c['level'] == '$3')")" ]; } &&
        grep -q "${4:-}" "$circle/doctor"; then ok "$1"; else not_ok "$1: $got"; note 40 < "$circle/doctor"; fi
}
id=$(publish "$xz")
until_true 20 stands vendor "$id" || not_ok "it stands"
says "no backup was ever made" backup warn "none was ever made"
comity vendor backup --out "$circle/copy" > "$circle/last" || not_ok "a backup"
until_true 10 sh -c "[ \$('$program' -C '$circle/vendor' doctor > '$circle/last' 2>&1; echo \$?) = 0 ]"
same "a healthy node: exit 0" 0 "$(code_of comity vendor doctor)"
check "... people read it" grep -q '^ok    keys' "$circle/last"
for check in configuration disk modes passphrase keys signer database node peers quorum clock pending notices backup; do
    same "... $check is ok" ok "$(level $check)"
done
same "... none needed more" 0 "$(value "$circle/doctor" 'sum(c["level"] != "ok" for c in x["checks"])')"

# Files
chmod 644 "$circle/vendor/keys/log.key"
says "a key that others can read" modes warn "keys/log.key has mode 0644"
same "... exit 1" 1 "$(code_of comity vendor doctor)"
chmod 600 "$circle/vendor/keys/log.key"
chmod 640 "$circle/passphrase"
says "a passphrase file that others can read" passphrase warn "mode 0640"
chmod 600 "$circle/passphrase"
mv "$circle/passphrase" "$circle/passphrase.kept"
says "no passphrase file" passphrase bad "No such file"
echo another-passphrase > "$circle/passphrase"
chmod 600 "$circle/passphrase"
says "another passphrase" keys bad "the passphrase does not open the key"
mv "$circle/passphrase.kept" "$circle/passphrase"
mv "$circle/vendor/keys/seal.key" "$circle/seal.key"
says "a key that is missing" keys bad "seal.key"
mv "$circle/seal.key" "$circle/vendor/keys/seal.key"
cp "$circle/vendor/comity.conf" "$circle/conf"
echo "colour = red" >> "$circle/vendor/comity.conf"
says "a configuration with an unknown key" configuration bad "colour"
cp "$circle/conf" "$circle/vendor/comity.conf"
cp "$circle/vendor/card.note" "$circle/card"
cp "$circle/northland/card.note" "$circle/vendor/card.note"
says "another party's card" configuration bad "northland"
cp "$circle/card" "$circle/vendor/card.note"

# Peers, quorum, clocks
stop eastland
says "a mirror that is gone" peers warn "eastland.example"
says "... one more may not fail" quorum warn "none more may fail"
stop westland
says "two that are gone: no quorum" quorum bad "2 of 4 mirrors answer, 3 are needed"
lonely=$(echo lonely | comity vendor --json state --media text/plain --subject lonely - | id_of)
says "a statement that does not stand" pending warn "1 of "
missing_since() { grep -q 'eastland.example since 20' <<< "$(comity vendor --json doctor 2> "$circle/doctor.err")"; }
check "since when they are missing is told" until_true 30 missing_since
for who in east:eastland west:westland; do
    /usr/bin/python3 "$here/clock.py" "${port[${who#*:}]}" 3600 &
    pid[clock-${who%:*}]=$!
    until_true 10 curl -s -o "$circle/last" "$(url "${who#*:}" /checkpoint)" || not_ok "a clock that is off serves"
done
stop northland
stop southland
says "the others' clocks are an hour ahead" clock bad "3[56][0-9][0-9] s behind the middle of 2"
stop clock-east
stop clock-west
says "nobody is there to compare with" clock skip
for who in $states; do start "$who"; done
for who in $states; do until_true 20 running "$who" || not_ok "$who runs again"; done
until_true 40 stands vendor "$lonely" || not_ok "it stands again"
says "all are back" peers ok

# The node stopped: what it alone knows is left out, the rest is looked at
stop vendor
says "the node does not run" node warn "does not answer"
for check in keys signer database peers quorum pending backup; do
    same "... $check is looked at all the same" ok "$(level $check)"
done
cp -a "$circle/vendor" "$circle/whole"
sqlite3 "$circle/vendor/state.db" "PRAGMA wal_checkpoint(TRUNCATE)" > "$circle/last"
dd if=/dev/urandom of="$circle/vendor/state.db" bs=4096 seek=4 count=12 conv=notrunc 2> "$circle/last"
says "a damaged database" database bad
rm -rf "$circle/vendor"
cp -a "$circle/whole" "$circle/vendor"
cp "$circle/copy/state.db" "$circle/vendor/state.db"
rm -f "$circle/vendor/state.db-wal" "$circle/vendor/state.db-shm"
says "a database that is older than the signer's state" signer bad "the signer has signed"
rm -rf "$circle/vendor"
cp -a "$circle/whole" "$circle/vendor"
cp "$circle/northland/signer.state" "$circle/vendor/signer.state"
says "another party's signer's state" signer bad "another party"
rm -rf "$circle/vendor"
cp -a "$circle/whole" "$circle/vendor"
sqlite3 "$circle/vendor/state.db" "PRAGMA user_version = 99"
says "a database of a later release" database bad "schema has version 99"
rm -rf "$circle/vendor"
cp -a "$circle/whole" "$circle/vendor"

# Notices that nobody takes
echo "notify-command = /bin/false" >> "$circle/vendor/comity.conf"
start vendor
until_true 20 running vendor || not_ok "the vendor runs again"
comity vendor inventory add appliance "$appliance" > "$circle/last" 2>&1
says "a channel that takes nothing" notices warn "the command has not taken"
stop vendor

# Disk, by a small one; in a mount namespace of its own
if unshare --mount true 2> /dev/null; then
    small() { # small BYTES-TO-LEAVE: the node's folder on a disk of 600 MiB
        unshare --mount bash -c 'mkdir -p "$2" && mount -t tmpfs -o size=600m tmpfs "$2" && cp -a "$1" "$2/party" && fallocate -l "$((600 - $3))M" "$2/fill"; "$0" -C "$2/party" --json doctor > "$4"' \
            "$program" "$circle/vendor" "$circle/small" "$1" "$circle/doctor"
        value "$circle/doctor" "''.join(c['level'] for c in x['checks'] if c['check'] == 'disk')"
    }
    same "a disk with 300 MiB left" warn "$(small 300)"
    same "a disk with 40 MiB left" bad "$(small 40)"
else
    ok "a disk that is nearly full # SKIP no mount namespace here"
fi

# A certificate that soon ends, and one that nobody trusts
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$circle/tls.key" -out "$circle/tls.pem" 2> "$circle/last"
/usr/bin/python3 "$here/clock.py" $((base_port + 61)) 0 "$circle/tls.pem" "$circle/tls.key" &
pid[tls]=$!
until_true 10 curl -sk -o "$circle/last" "https://127.0.0.1:$((base_port + 61))/checkpoint" || not_ok "https serves"
rm -rf "$circle/secure"
"$program" init "$circle/secure" --name secure.example --role vendor --jurisdiction X --listen "127.0.0.1:$((base_port + 60))" \
    --url "https://127.0.0.1:$((base_port + 61))" --passphrase-file "$circle/passphrase" > "$circle/last"
"$program" charter new --name Alone --card "$circle/secure/card.note" --card "$circle/northland/card.note" --committee northland.example --out "$circle/alone.json" > "$circle/last"
comity secure charter accede "$circle/alone.json"
start secure
until_true 10 curl -s --unix-socket "$circle/secure/run/sock" http://node/api/v1/status -o "$circle/last" || not_ok "the secure party runs"
same "a certificate that nobody trusts, with its end" bad "$(level certificate secure)"
check "... named" grep -q "it is refused.*it ends $(date -u -d '+5 days' +%F)" "$circle/doctor"
done_testing
