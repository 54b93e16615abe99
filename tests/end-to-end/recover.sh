#!/bin/bash
# Total loss: a state's folder is gone, and it comes back with its recovery key alone. Then theft: a vendor's keys are used by another, and
# the vendor names the first entry that was not its own.
base_port=20600
. "$(dirname "$0")/circle.bash"
found $states vendor operator
start_all $states vendor operator
comity operator inventory add appliance "$appliance" > "$circle/last" || not_ok "the operator takes in an SBOM"
words() { grep -A2 'Print it, lock it away' "$circle/$1.init" | tail -n 1; } # words WHO: its recovery key, as printed
echo "A text that westland states." > "$circle/text"
words westland > "$circle/westland.words"
words vendor > "$circle/vendor.words"
id=$(publish "$xz")
check "an advisory stands" until_true 10 stands vendor "$id"
comity westland --json state --media text/plain --subject before "$circle/text" > "$circle/before.json" 2>&1 || not_ok "westland states something: $(cat "$circle/before.json")"
before=$(id_of < "$circle/before.json")
check "... and what westland said too" until_true 10 stands westland "$before"
comity westland receipt "$before" > "$circle/before.receipt"
comity vendor receipt "$id" > "$circle/xz.receipt"
curl -sf "$(url northland /bundle)" > "$circle/old.bundle"

stop westland
rm -rf "$circle/westland"
bundle=$circle/old.bundle
recover() { # recover WHO OPTIONS...
    local who=$1
    shift
    "$program" recover "$circle/$who" --bundle "$bundle" --party "$who.example" --key "$circle/$who.words" --listen "127.0.0.1:${port[$who]}" \
        --url "$(url "$who")" --passphrase-file "$circle/passphrase" "$@"
}
same "another's words are refused" 1 "$(cp "$circle/vendor.words" "$circle/w" && code_of "$program" recover "$circle/nowhere" --bundle "$circle/old.bundle" \
    --party westland.example --key "$circle/w" --listen 127.0.0.1:1 --passphrase-file "$circle/passphrase")"
check "... and nothing was made" test ! -e "$circle/nowhere"
stop eastland
same "a mirror that does not answer is named" 4 "$(code_of recover westland)"
check "... with what to do" grep -q -- "--absent eastland.example" "$circle/last"
check "... and nothing was made" test ! -e "$circle/westland"
same "without it the change is made; with two of four states away nothing can stand yet" 3 "$(code_of recover westland --absent eastland.example --wait 2)"
check "... and the new recovery key is printed" grep -q 'Recovery key' "$circle/last"
start eastland
until_true 15 running eastland || not_ok "eastland runs again"
same "the same command again: now it stands" 0 "$(code_of recover westland --wait 30)"
check "... no other keys were made" sh -c "! grep -q 'Recovery key' '$circle/last'"
start westland
check "westland runs again, with its log from the mirrors" until_true 30 running westland
check "... what it had said still stands" stands westland "$before"
comity westland --json state --media text/plain --subject after "$circle/text" > "$circle/after.json" 2>&1 || not_ok "westland states something: $(cat "$circle/after.json")"
after=$(id_of < "$circle/after.json")
check "... and what it says now stands" until_true 15 stands westland "$after"
comity westland receipt "$after" > "$circle/after.receipt"
for who in northland vendor operator; do
    check "$who knows the new keys" until_true 60 eval "curl -sf $(url $who /bundle) | grep -q key-change"
done
curl -sf "$(url operator /bundle)" > "$circle/new.bundle"
verify() { "$program" verify --charter "$1" --receipt "$2"; }
check "an old receipt verifies with the new bundle" verify "$circle/new.bundle" "$circle/before.receipt"
check "... and the new one" verify "$circle/new.bundle" "$circle/after.receipt"
check "... and the vendor's, which westland's old mirror key has cosigned" verify "$circle/new.bundle" "$circle/xz.receipt"
same "with the old bundle the new receipt is refused" 1 "$(code_of verify "$circle/old.bundle" "$circle/after.receipt")"
check "westland's log audits from a mirror" "$program" log verify --charter "$circle/new.bundle" --party westland.example \
    "$(url northland "/mirror/$(printf '%s' "$(sed -n 's/.*"origin":"\([^"]*\)".*/\1/p' "$circle/after.json")" | sha256sum | cut -d ' ' -f 1)")"
check "... and the log that hosts the change" "$program" log verify --charter "$circle/new.bundle" --party northland.example "$(url northland)"
id=$(publish "$glibc" --open)
check "westland mirrors with its new key: what is published stands with three states" until_true 15 stands vendor "$id"
check "nobody has shown two faces" sh -c "! '$program' -C '$circle/northland' --json status | grep -q '\"two_faces\":true'"
check "a rebuild gives the same views" comity northland rebuild
check "... and the node still knows the keys" eval "curl -sf $(url northland /bundle) | grep -q key-change"
stop northland
start northland
check "after a restart, too" until_true 15 running northland
check "..." eval "curl -sf $(url northland /bundle) | grep -q key-change"

bundle=$circle/new.bundle
# Theft: whoever has a copy of the vendor's folder publishes from it.
good=$id
good_index=$(value <(comity vendor --json show "$good") 'x["index"]')
id=$(publish "$examples/advisories/embargoed-amber.csaf.json" 2> /dev/null)
advisory THEFT-1 openssl > "$circle/theft.json"
theft=$(publish --open "$circle/theft.json")
check "a false advisory by stolen keys stands" until_true 15 stands vendor "$theft"
comity vendor receipt "$theft" > "$circle/theft.receipt"
index=$(value <(comity vendor --json show "$theft") 'x["index"]')
stop vendor
mv "$circle/vendor" "$circle/thief"
check "the vendor takes its log back from the entry that was not its own" recover vendor --compromised-from "$index" --wait 30
start vendor
check "the vendor runs again" until_true 30 running vendor
curl -sf "$(url northland /bundle)" > "$circle/third.bundle"
check "what was its own still verifies" verify "$circle/third.bundle" "$circle/xz.receipt"
same "what the thief said does not, though a quorum held it" 1 "$(code_of verify "$circle/third.bundle" "$circle/theft.receipt")"
check "... and why is told" grep -q "replaced this statement key" "$circle/last"
id=$(advisory AFTER-1 zlib > "$circle/own.json" && publish --open "$circle/own.json")
check "what the vendor publishes now stands" until_true 45 stands vendor "$id"
port[thief]=${port[vendor]}
same "the thief's copy signs no more" 1 "$(sed -i "s/^listen = .*/listen = 127.0.0.1:20699/" "$circle/thief/comity.conf"; "$program" -C "$circle/thief" serve > "$circle/thief.out" 2> "$circle/thief.log" & p=$!; until_true 20 grep -q 'replaced this node' "$circle/thief.log"; echo $?; kill $p 2> /dev/null; wait $p 2> /dev/null)"
done_testing
