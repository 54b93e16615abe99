#!/bin/bash
# A site without a link: a medium carries the circle's logs to a node that nobody answers, with their proofs, whole or only what it lacks.
base_port=23300
. "$(dirname "$0")/circle.bash"
stick=$circle/stick
away="$states vendor"
found $away operator
start_all $away
first=$(publish "$xz")
for n in $(seq 540); do comity vendor --json state --media text/plain --subject "n-$n" - <<< "$n"; done > "$circle/many"
last=$(id_of < "$circle/many" | tail -n 1)
check "the circle's statements stand" until_true 30 stands vendor "$last"
sed 's/"AMBER"/"GREEN"/; s/TLP:AMBER must be sealed/TLP:GREEN is for members/; s/VENDOR-2024-0002/VENDOR-2024-0003/' \
    "$examples/advisories/embargoed-amber.csaf.json" > "$circle/green.csaf.json"
green=$(publish "$circle/green.csaf.json")
check "... an advisory for members, too" until_true 30 stands vendor "$green"
comity northland --json bundle export --out "$stick" > "$circle/made" 2> "$circle/last"
same "export beside the running node: exit 0" 0 $?
same "nothing is overwritten" 5 "$(code_of comity northland bundle export --out "$stick")"
check "sha256sum agrees" sh -c "cd '$stick' && sha256sum --quiet -c SHA256SUMS"
same "an open document is on it" 1 "$(ls "$stick"/documents/*/"$(sha256sum < "$xz" | cut -d ' ' -f 1)" | wc -l)"
same "one for members is not" 0 "$(ls "$stick"/documents/*/"$(sha256sum < "$circle/green.csaf.json" | cut -d ' ' -f 1)" 2> /dev/null | wc -l)"
same "no key, journal or inventory is on it" "" "$(cd "$stick" && find . -type f ! -path './logs/*' ! -path './documents/*' ! -name README.txt ! -name SHA256SUMS ! -name bundle.json ! -name circle.bundle)"
check "comity log verify reads it" "$program" log verify --charter "$stick/circle.bundle" --party vendor.example "$stick/logs/vendor.example"
for who in $away; do stop "$who"; done

# The site: its node has never heard of anybody
start operator
check "the operator's node is there" until_true 10 curl -s --unix-socket "$circle/operator/run/sock" http://node/api/v1/status -o "$circle/last"
comity operator inventory add appliance "$appliance" > "$circle/last" || not_ok "the operator takes in an SBOM"
same "it has no notice" 1 "$(code_of told VENDOR-2024-0001)"
held() { value <(comity operator bundle wants) "[l['size'] for l in x['logs'] if l['party'] == 'vendor.example'][0]"; }
# A medium that was damaged on the way: the rest is taken, and what is bad is named
cp -a "$stick" "$circle/damaged"
flip() { /usr/bin/python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(700); b = f.read(1); f.seek(700); f.write(bytes([b[0] ^ 1]))' "$1"; }
flip "$(find "$circle/damaged/logs/vendor.example/tile/entries" -type f -name 001)"
flip "$(find "$circle/damaged/documents" -type f -name "$(sha256sum < "$xz" | cut -d ' ' -f 1)")"
same "a damaged medium: exit 1" 1 "$(code_of comity operator bundle import "$circle/damaged")"
cp "$circle/last" "$circle/import"
check "... the bundle of entries is named" grep -q 'logs/vendor.example/tile/entries/001: .*copy it once more' "$circle/import"
check "... the document, too" grep -q 'documents/.*copy it once more' "$circle/import"
same "... and the rest is taken" 256 "$(held)"
same "the good medium: exit 0" 0 "$(code_of comity operator bundle import "$stick")"
same "... no log goes on beyond it" 0 "$(grep -c 'goes on' "$circle/last")"
same "... the whole log is there" "$(sed -n 2p "$stick/logs/vendor.example/checkpoint")" "$(held)"
check "the operator has its notice" until_true 5 told VENDOR-2024-0001
check "the statements stand there" stands operator "$last"
check "a receipt composed there verifies" sh -c "'$program' -C '$circle/operator' receipt $first --out '$circle/receipt' && '$program' verify --charter '$stick/circle.bundle' --receipt '$circle/receipt' --document '$xz'"
same "once more: exit 0, and nothing new" '0 0' "$(comity operator --json bundle import "$stick" > "$circle/again"; value "$circle/again" '"%d %d" % (x["entries"], x["documents"])')"

# Only what it lacks; the member's document with --members
comity operator bundle wants > "$circle/wants.json"
start_all $away
second=$(publish --open "$glibc")
check "one more stands elsewhere" until_true 30 stands vendor "$second"
stop operator
comity vendor --json bundle export --for "$circle/wants.json" --members --out "$circle/second" > "$circle/made" 2> "$circle/last" || note < "$circle/last"
for who in $away; do stop "$who"; done
start operator
check "the operator's node is there again" until_true 10 curl -s --unix-socket "$circle/operator/run/sock" http://node/api/v1/status -o "$circle/last"
same "a medium for one node holds one bundle of entries of that log" 1 "$(find "$circle/second/logs/vendor.example/tile/entries" -type f | wc -l)"
same "... and imports: exit 0" 0 "$(code_of comity operator bundle import "$circle/second")"
same "... whole" "$(sed -n 2p "$circle/second/logs/vendor.example/checkpoint")" "$(held)"
check "... with the document for members that was wanted" told VENDOR-2024-0003
same "its label went with it" 403 "$(curl -s -o "$circle/last" -w '%{http_code}' "$(url operator "/documents/$(sha256sum < "$circle/green.csaf.json" | cut -d ' ' -f 1)")")"

# What is not of this circle
sed -i 's/"circle":"[0-9a-f]*"/"circle":"'"$(printf '0%.0s' $(seq 64))"'"/' "$circle/second/bundle.json"
same "a medium of another circle is refused" 1 "$(code_of comity operator bundle import "$circle/second")"
check "... and says so" grep -q 'another circle' "$circle/last"
sed -i 's/"circle":"[0-9a-f]*"/"circle":"'"$(printf '0%.0s' $(seq 64))"'"/' "$circle/wants.json"
same "wants of another circle are refused" 1 "$(code_of comity vendor bundle export --for "$circle/wants.json" --out "$circle/third")"
same "no folder: exit 1" 1 "$(code_of comity operator bundle import "$circle/nowhere")"
done_testing
