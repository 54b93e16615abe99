#!/bin/bash
# A whole party as ordinary files: written beside the running node, and all that is needed to audit it when every node is gone.
base_port=20300
. "$(dirname "$0")/circle.bash"
parties="$states vendor observer"
found $parties
start_all $parties
comity vendor inventory add appliance "$appliance" > "$circle/last" 2>&1
seq 300 | while read -r n; do echo "$n"; done > "$circle/numbers"
first=$(publish "$xz")
for n in 1 2 3; do comity observer state --media text/plain --subject "note-$n" "$circle/numbers" > "$circle/last"; done
head -c 1500000 /dev/urandom | base64 > "$circle/large.txt"
large=$(comity vendor --json state --media text/plain --subject large "$circle/large.txt" | id_of)
publisher() { local n=0; while [ $n -lt 270 ]; do n=$((n + 1)); echo "$n" | comity vendor --json state --media text/plain --subject "n-$n" - ; done > "$circle/publisher.out" 2>&1; }
publisher
last=$(id_of < "$circle/publisher.out" | tail -n 1)
check "272 statements of the vendor stand" until_true 30 stands vendor "$last"
cose_here() { comity vendor receipt "$last" --form cose --out "$circle/receipt.cose"; }
until_true 20 cose_here || not_ok "COSE receipts are there"
comity vendor --json export --out "$circle/export" > "$circle/made" 2> "$circle/last"
same "export beside the running node: exit 0" 0 $?
same "... with every statement's receipt" 273 "$(value "$circle/made" 'x["receipts"]')"
same "nothing is overwritten" 5 "$(code_of comity vendor export --out "$circle/export")"
same "nothing in it can be read by others, and no key is in it" "" "$(find "$circle/export" -perm /077 -o -name '*.key' -o -name signer.state)"
check "sha256sum agrees" sh -c "cd '$circle/export' && sha256sum --quiet -c SHA256SUMS"
check "README.txt explains it" grep -q 'comity log verify' "$circle/export/README.txt"

# A node that is stopped; what nobody has cosigned is there too
for who in $states observer; do stop "$who"; done
lonely=$(echo alone | comity vendor --json state --media text/plain --subject lonely - | id_of)
stop vendor
check "export of a node that is stopped" comity vendor export --out "$circle/stopped"
check "... holds the statement that no mirror has" grep -q "$lonely" "$circle/stopped/documents.jsonl"
check "... beyond the checkpoint, or under it" sh -c "ls '$circle/stopped/logs/vendor.example/beyond/'* || grep -x 274 '$circle/stopped/logs/vendor.example/checkpoint'"
check "a mirror's export" comity northland export --out "$circle/mirror"

# Everything else is deleted
mkdir "$circle/archive"
mv "$circle/export" "$circle/mirror" "$circle/stopped" "$circle/archive"
for who in $parties; do rm -rf "${circle:?}/$who"; done
rm -f "$circle"/*.bundle "$circle"/charter.json
cd "$circle/archive/export" || exit 1
for party in logs/*; do
    check "comity log verify: $(basename "$party")" "$program" log verify --charter circle.bundle --party "$(basename "$party")" "$party"
done
check "comity verify: a receipt of the archive" sh -c "'$program' verify --charter circle.bundle --receipt receipts/$first.tlog-proof --document documents/*/$(sha256sum < "$xz" | cut -d ' ' -f 1)"
check "... and in COSE" "$program" verify --charter circle.bundle --receipt "receipts/$first.cose"
check "the large document is what was stated" sh -c "cmp '$circle/large.txt' documents/*/$(sha256sum < "$circle/large.txt" | cut -d ' ' -f 1)"
check "the inventory is what was given" cmp "$appliance" inventories/*
cd "$circle/archive" || exit 1
for who in export stopped; do /usr/bin/python3 "$here/exported.py" "$circle/archive/$who" > "$circle/audit" || failures=$((failures + 1)); sed "s/ - / - $who, by python alone: /" "$circle/audit"; done
check "comity log verify of the vendor's log in a mirror's archive" "$program" log verify --charter mirror/circle.bundle --party vendor.example mirror/logs/vendor.example

# The audit sees what is changed
cp -a export damaged
entry=$(find damaged/logs/vendor.example/tile/entries -type f -size +1k | head -n 1)
/usr/bin/python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(700); b = f.read(1); f.seek(700); f.write(bytes([b[0] ^ 1]))' "$entry"
same "a changed entry: comity log verify says no" 1 "$(code_of "$program" log verify --charter damaged/circle.bundle --party vendor.example damaged/logs/vendor.example)"
/usr/bin/python3 "$here/exported.py" damaged > "$circle/audit" 2>&1 && not_ok "... python says no" || ok "... and so does python"
done_testing
