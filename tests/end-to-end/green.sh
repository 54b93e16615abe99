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
for who in vendor northland westland operator; do
    same "$who serves it to nobody who asks without a signature" 403 "$(status "$(url $who "$path")")"
done
check "... and its answer says nothing of it" sh -c "! grep -q liblzma '$circle/body'"

done_testing
