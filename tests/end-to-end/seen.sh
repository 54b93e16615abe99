#!/bin/bash
# In a circle, what was seen at a source is stated in the own log: one statement for a run that brought something, none for others, and none
# at all where the owner wants none.
base_port=21400
. "$(dirname "$0")/circle.bash"
source_port=$((base_port + 60))
web=$circle/web
source="http://127.0.0.1:$source_port"
mkdir -p "$web/2026"
make() { /usr/bin/python3 "$here/source_make.py" "$@"; }
found $states vendor operator
echo "state-followed = no" >> "$circle/operator/comity.conf"
/usr/bin/python3 "$here/source.py" $source_port "$web" "$circle/asked" &
pid[source]=$!
until_true 10 curl -s -o "$circle/probe" "$source/"
start_all $states vendor operator
make csaf "$web/2026/a.json" HW-2026-1 1.0.0 2026-01-01T00:00:00Z xz-utils
make csaf "$web/2026/b.json" HW-2026-2 1.0.0 2026-01-01T00:00:00Z zlib
changes() { printf '"2026/%s.json","2026-01-0%dT00:00:00Z"\n' "$@" > "$web/changes.csv"; }
size() { comity "$1" --json status > "$circle/s"; value "$circle/s" 'x["log"]["size"]'; }
grown() { [ "$(size vendor)" = "$1" ]; }
now() { comity "$1" follow now harbour "${@:2}" > "$circle/now" 2>&1; }
last() { # last SIZE: the document of the last statement, from the public log and by its hash
    "$program" log --help > "$circle/help"
    curl -sf "$(url vendor "/tile/entries/000.p/$1")" > "$circle/bundle"
    /usr/bin/python3 - "$circle/bundle" > "$circle/hash" << 'END'
import cbor2, sys
data, entries = open(sys.argv[1], "rb").read(), []
while data:
    n = int.from_bytes(data[:2], "big")
    entries.append(data[2:2 + n])
    data = data[2 + n:]
cose = cbor2.loads(entries[-1]).value
print(cbor2.loads(cose[0])[259], cose[2].hex())
END
    read -r media hash < "$circle/hash"
    curl -sf "$(url vendor "/documents/$hash")" > "$circle/document"
}
changes a 1 b 1
before=$(size vendor)
check "a vendor follows a source" comity vendor follow add harbour "$source/"
same "... all is here" 0 "$(code_of now vendor)"
check "one statement tells of it" until_true 10 grown $((before + 1))
last $((before + 1))
same "... of its own type" application/vnd.comity.seen+json "$media"
check "... as its schema has it" /usr/bin/python3 -c 'import json, jsonschema, sys; jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' "$circle/document" "$here/../../schemas/seen.schema.json"
same "... both documents" "$(sha256sum "$web/2026/a.json" "$web/2026/b.json" | cut -d ' ' -f 1 | sort | tr '\n' ' ')" "$(value "$circle/document" '"".join(sorted(d["sha256"] + " " for d in x["documents"]))')"
same "... which nobody is served by that" 403 "$(curl -s -o "$circle/x" -w '%{http_code}' "$(url vendor "/documents/$(sha256sum < "$web/2026/a.json" | cut -d ' ' -f 1)")")"
same "a run that brings nothing states nothing" "0 $((before + 1))" "$(code_of now vendor) $(size vendor)"
make csaf "$web/2026/a.json" HW-2026-1 1.0.0 2026-01-01T00:00:00Z xz-utils "Silently another"
changes a 1
same "one changes silently, one vanishes" 0 "$(code_of now vendor --check)"
check "... which is stated" until_true 10 grown $((before + 2))
last $((before + 2))
same "... as such" "a.json seen, b.json gone" "$(value "$circle/document" '", ".join(sorted("%s %s" % (d["url"].split("/")[-1], d["state"]) for d in x["documents"]))')"
stop vendor
start vendor
check "the vendor starts again" until_true 10 running vendor
same "... and states nothing twice" "0 $((before + 2))" "$(code_of now vendor) $(size vendor)"
before=$(size operator)
check "an operator follows it, and wants nothing stated" comity operator follow add harbour "$source/"
same "... all is here" 0 "$(code_of now operator)"
same "... and nothing is" "$before" "$(size operator)"
done_testing
