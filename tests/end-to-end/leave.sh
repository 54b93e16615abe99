#!/bin/bash
# A party leaves in good order: by its own name only, once it stands, for ever, at its node and at its signer; the others see it, keep
# its log and serve it; a committee member that has left goes on cosigning.
base_port=20200
. "$(dirname "$0")/circle.bash"
parties="$states vendor observer"
found $parties
start_all $parties
say() { echo "$2" | comity "$1" --json state --media text/plain --subject "${3:-note}" - | id_of; } # say WHO TEXT
size_of() { curl -s "$(url "$1" /checkpoint)" | sed -n 2p; }
leave_of() { # leave_of WHO PEER: "STATE INDEX REASON" of the peer's leaving, as WHO sees it
    comity "$1" --json status > "$circle/status"
    value "$circle/status" "'; '.join('%s %d %s' % (p['leave']['state'], p['leave']['index'], p['leave'].get('reason')) for p in x['peers'] if p['party'] == '$2.example' and 'leave' in p)"
}
first=$(publish "$xz")
check "an advisory stands" until_true 20 stands vendor "$first"
comity vendor backup --out "$circle/before" > "$circle/last" || not_ok "a backup from before"
before=$(size_of vendor)

# Not by accident
same "without the party's name it is refused" 5 "$(code_of comity vendor leave --reason 'closing down')"
same "with another name it is refused" 5 "$(code_of comity vendor --json leave --reason 'closing down' --yes-leave observer.example)"
check "... by a rule" grep -q '"id":"refused"' "$circle/last"
same "without a reason it is no command" 2 "$(code_of comity vendor leave --yes-leave vendor.example)"
same "a reason of two lines is refused" 1 "$(code_of comity vendor leave --reason $'one\ntwo' --yes-leave vendor.example)"
same "nobody leaves by comity state" 5 "$(echo '{}' | code_of comity vendor state --media application/vnd.comity.leave+json --subject x -)"
same "... and none of it was stated" "$before" "$(size_of vendor)"

# It stands only with a quorum
stop eastland
stop westland
same "without a quorum: exit 3" 3 "$(code_of comity vendor --json leave --reason 'the office is closed; «fin»' --yes-leave vendor.example --wait 1)"
id=$(id_of < "$circle/last")
seen() { [ "$(leave_of "$1" "$2")" = "$3" ]; }
check "the observer sees that it leaves, unwitnessed, and why" until_true 20 seen observer vendor "logged $before the office is closed; «fin»"
comity observer status > "$circle/last"
check "people read it" grep -q 'vendor.example.*leaves (unwitnessed)' "$circle/last"
same "nothing more is stated from now on" 5 "$(echo no | code_of comity vendor --json state --media text/plain --subject no -)"
check "... because it has left" grep -q '"id":"left"' "$circle/last"
same "... nor published" 5 "$(code_of comity vendor publish --open "$glibc")"
start eastland
start westland
same "with a quorum, said again: exit 0" 0 "$(code_of comity vendor --json leave --reason 'said again' --yes-leave vendor.example --wait 30)"
same "... by the same statement" "$id" "$(id_of < "$circle/last")"
same "... the log ends with it" $((before + 1)) "$(size_of vendor)"
for who in northland observer; do
    check "$who sees that it has left" until_true 20 seen $who vendor "standing $before the office is closed; «fin»"
done
comity vendor status > "$circle/last"
check "people at the vendor's read it" grep -q 'this party HAS LEFT' "$circle/last"
curl -s "$(url vendor)/documents/$(value <(comity vendor --json show "$id") 'x["document"]')" > "$circle/leave.json"
same "its document is by the schema" "" "$(/usr/bin/python3 - "$circle/leave.json" "$here/../../schemas/leave.schema.json" << 'CHECK'
import json, re, sys
document, schema = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
kinds = {"string": str, "integer": int}
for key in schema["required"]:
    if key not in document: print("missing", key)
for key, value in document.items():
    rule = schema["properties"].get(key)
    if rule is None or not isinstance(value, kinds.get(rule.get("type"), object)) or rule.get("const", value) != value or \
       not re.search(rule.get("pattern", ""), str(value)) or len(str(value)) < rule.get("minLength", 0) or (isinstance(value, int) and value < rule.get("minimum", 0)):
        print("wrong", key)
CHECK
)"
same "... and says the log's last size" $((before + 1)) "$(value "$circle/leave.json" 'x["size"]')"

# What remains
origin=$(curl -s "$(url vendor /checkpoint)" | head -n 1)
prefix=/mirror/$(printf %s "$origin" | sha256sum | cut -d ' ' -f 1)
comity vendor receipt "$first" --wait 10 --out "$circle/receipt"
comity vendor receipt "$id" --wait 10 --out "$circle/leave.receipt"
check "its log is good" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url vendor)"
stop vendor
check "... and served by the mirrors while it is gone" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url westland "$prefix")"
check "its receipts stay good" "$program" verify --charter "$circle/circle.bundle" --receipt "$circle/receipt" --document "$xz"
check "... that of its leaving, too" "$program" verify --charter "$circle/circle.bundle" --receipt "$circle/leave.receipt" --document "$circle/leave.json"

# For ever: after a restart, a rebuild, a restore from before, and for a node that has forgotten it
refused() { # refused WHAT
    same "$1" 5 "$(echo no | code_of comity vendor --json state --media text/plain --subject no -)"
    check "... because it has left" grep -q '"id":"left"' "$circle/last"
    same "... and the log has not grown" $((before + 1)) "$(size_of vendor)"
}
start vendor
until_true 20 running vendor || not_ok "the vendor runs again"
refused "after a restart nothing is stated"
comity vendor rebuild > "$circle/last"
refused "... nor after a rebuild"
check "... and the observer sees it as before, after its own" sh -c "'$program' -C '$circle/observer' rebuild"
same "... " "standing $before the office is closed; «fin»" "$(leave_of observer vendor)"
stop vendor
sqlite3 "$circle/vendor/state.db" "DELETE FROM d_view WHERE view = CAST('leave' AS BLOB)"
start vendor
until_true 20 running vendor || not_ok "the vendor runs again"
refused "a node that has forgotten it: the signer refuses"
stop vendor
rm -rf "$circle/vendor"
"$program" restore "$circle/before" --into "$circle/vendor" > "$circle/last" || not_ok "restoring the backup from before"
start vendor
check "restored from before, it runs" until_true 30 running vendor
refused "... and states nothing"
stop vendor
sqlite3 "$circle/vendor/state.db" "DELETE FROM d_view WHERE view = CAST('leave' AS BLOB)"
start vendor
until_true 20 running vendor || not_ok "the vendor runs again"
refused "... and its signer knows it by now"

# A committee member that has left goes on cosigning
same "a committee member leaves" 0 "$(code_of comity westland leave --reason 'merged into eastland' --yes-leave westland.example)"
stop southland
after=$(say northland "three of the other mirrors, one of them has left")
check "... and still cosigns: a statement that needs it stands" until_true 30 stands northland "$after"
comity northland --json show "$after" > "$circle/shown"
same "... with its cosignature" True "$(value "$circle/shown" 'any(c["party"] == "westland.example" for c in x["cosigners"])')"
for who in northland eastland observer; do
    comity "$who" --json status > "$circle/status"
    same "$who has seen no two faces" False "$(value "$circle/status" 'any(p["their_log"]["two_faces"] for p in x["peers"])')"
done
done_testing
