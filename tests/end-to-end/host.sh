#!/bin/bash
# Other organisations' inventories: opt-in, by signed upload, encrypted for each, every access shown to it, and no question across them but whom
# an advisory affects.
base_port=23400
. "$(dirname "$0")/circle.bash"
states=northland
found northland
start_all northland
node=$(url northland)
host() { local who=$1 action=$2; shift 2; "$program" host "$action" "$@" --key "$circle/$who.key"; }
key_of() { "$program" host key --organization "$1.example" --out "$circle/$1.key" | head -n 1; }
waterworks=$(key_of waterworks)
harbour=$(key_of harbour)
same "a key is readable by its owner alone" 600 "$(stat -c %a "$circle/waterworks.key")"
same "nobody is hosted unasked" 1 "$(code_of host waterworks upload "$node" pumps "$appliance")"
check "... and hears why" grep -q 'not signed by an organisation that is hosted here' "$circle/last"
same "a line that is no key is refused" 1 "$(code_of comity northland host add waterworks.example)"
check "the owner adds one" comity northland host add "$waterworks"
same "... once" 5 "$(code_of comity northland host add "$waterworks")"
check "... and another" comity northland host add "$harbour"
same "an upload: exit 0" 0 "$(code_of host waterworks upload "$node" pumps "$appliance")"
check "... says what was read" grep -q '"inventory":"waterworks.example/pumps".*"components":' "$circle/last"
same "a broken file is refused" 1 "$(code_of host waterworks upload "$node" pumps "$circle/charter.json")"
check "the other one uploads, too" host harbour upload "$node" gateway "$here/../../examples/inventories/gateway.cdx.json"
check "the owner sees how many, and from when" sh -c "'$program' -C '$circle/northland' host list | grep -E 'waterworks.example +20.*Z +20.*Z +1$'"
in_clear() { sqlite3 "$circle/northland/state.db" "VACUUM INTO '$circle/copy.db'" 2> "$circle/last"; cat "$circle/northland/state.db"* "$circle"/copy.db 2> "$circle/last.err" | grep -c -a -i "$1"; rm -f "$circle/copy.db"; }
same "no component stands in the database in clear" 0 "$(in_clear vendor-blob)"

# An advisory meets them
id=$(comity northland --json publish "$xz" | id_of)
check "it affects one organisation" until_true 10 told waterworks.example/pumps northland
check "... which reads its notice" sh -c "'$program' host notices '$node' --key '$circle/waterworks.key' | grep -q '\"name\":\"liblzma5\"'"
same "... the other one has none" 0 "$(host harbour notices "$node" | grep -c liblzma5)"
host waterworks accesses "$node" > "$circle/accesses"
check "its accesses show the upload" grep -q '"what":"uploaded","inventory":"waterworks.example/pumps"' "$circle/accesses"
check "... that the advisory met it" grep -q '"what":"matched".*VENDOR-2024-0001' "$circle/accesses"
check "... and that the owner has listed its notices" grep -q '"what":"listed".*"by":"the node.s owner"' "$circle/accesses"
same "... the other one sees none of that" 0 "$(host harbour accesses "$node" | grep -c waterworks)"
stop northland
start northland
check "after a restart all is there" until_true 10 running northland
check "... the notice, too" sh -c "'$program' host notices '$node' --key '$circle/waterworks.key' | grep -q '\"name\":\"liblzma5\"'"

# Another implementation of the signature; what is forged, replayed or of others
/usr/bin/python3 "$here/hosted.py" "$circle/waterworks.key" "$node" /hosted/waterworks.example/pumps "$appliance" /hosted/harbour.example/gateway || failures=$((failures + 1))

# An upload replaces; an empty one withdraws; removing closes
sed 's/5\.6\.0-0\.2/5.6.1+really5.4.5-1/g' "$appliance" > "$circle/patched.cdx.json"
check "a patched appliance is uploaded" host waterworks upload "$node" pumps "$circle/patched.cdx.json"
check "... and its notice is taken back" sh -c "'$program' host notices '$node' --key '$circle/waterworks.key' | grep -q 'no longer affected'"
check "the organisation withdraws it" host waterworks withdraw "$node" pumps
check "... and none is left" sh -c "'$program' -C '$circle/northland' host list | grep -E 'waterworks.example .* 0$'"
same "removing wants the name" 2 "$(code_of comity northland host remove)"
check "the owner removes it" comity northland host remove --yes-remove waterworks.example
same "... then it is nobody here" 1 "$(code_of host waterworks notices "$node")"
same "... and its salt is gone" 0 "$(sqlite3 "$circle/northland/state.db" "SELECT length(value) FROM state WHERE key = CAST('hosted/waterworks.example' AS BLOB) OR key = 'hosted/waterworks.example'")"
same "a node in no circle hosts nobody, and says what to do" 4 "$(init observer $((base_port + 9)); start observer; until_true 10 curl -s --unix-socket "$circle/observer/run/sock" http://node/api/v1/status -o "$circle/last"; code_of comity observer host add "$harbour")"
done_testing
