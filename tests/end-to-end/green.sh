#!/bin/bash
# TLP:GREEN goes to members and to nobody else: a member's node signs its request (RFC 9421), and what is not signed so is refused.
base_port=19800
. "$(dirname "$0")/circle.bash"
green=$circle/green.csaf.json
sed 's/"AMBER"/"GREEN"/; s/TLP:AMBER must be sealed/TLP:GREEN is for members/; s/VENDOR-2024-0002/VENDOR-2024-0003/' \
    "$examples/advisories/embargoed-amber.csaf.json" > "$green"
found $states vendor operator
start_all $states vendor operator
comity operator inventory add appliance "$appliance" > "$circle/last" || not_ok "the operator takes in an SBOM"
id=$(publish "$green")
check "a TLP:GREEN advisory reaches the operator as a notice" until_true 10 told VENDOR-2024-0003
check "... and it stands" until_true 10 stands vendor "$id"
path=/documents/$(sha256sum "$green" | cut -d ' ' -f 1)
status() { curl -s -o "$circle/body" -w '%{http_code}' "$@"; } # prints the status; the body to $circle/body
refused() { [ "$(status "$(url "$1" "$path")")" = 403 ]; } # 404 until this node has it: it stands by a quorum, before the slowest mirror
for who in vendor northland westland operator; do
    check "$who serves it to nobody who asks without a signature" until_true 10 refused $who
done
check "... and its answer says nothing of it" sh -c "! grep -q liblzma '$circle/body'"

/usr/bin/python3 "$here/member.py" "$circle/operator" "$circle/passphrase" "$(url vendor)" "$path" "$(url northland)" || failures=$((failures + 1))
mirror=$(/usr/bin/python3 "$here/member.py" "$circle/vendor" "$circle/passphrase" "$(url northland)" "$path" "$(url vendor)") || failures=$((failures + 1))
sed 's/^\(not ok\|ok\) - /&at a mirror: /' <<< "$mirror"

# A mirror gives it to a member, too: the vendor has lost the second one before the operator came to ask.
stop operator
sed 's/VENDOR-2024-0003/VENDOR-2024-0004/' "$green" > "$circle/second.csaf.json"
id=$(publish "$circle/second.csaf.json")
path=/documents/$(sha256sum "$circle/second.csaf.json" | cut -d ' ' -f 1)
check "a second one stands while the operator is away" until_true 10 stands vendor "$id"
stop vendor
sqlite3 "$circle/vendor/state.db" "DELETE FROM document WHERE hash = x'${path#/documents/}'"
start vendor
until_true 15 running vendor || not_ok "the vendor runs again"
same "the vendor has lost the document" 404 "$(status "$(url vendor "$path")")"
start operator
check "the operator has its notice, from a mirror" until_true 20 told VENDOR-2024-0004
same "... and keeps the document's label" 403 "$(status "$(url operator "$path")")"
done_testing
