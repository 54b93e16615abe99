#!/bin/bash
# What is broken, forged, too large or not allowed: each with its exit code and error id on the command line, its status over HTTP.
base_port=19500
. "$(dirname "$0")/circle.bash"
found $states vendor operator
start_all $states vendor operator
cd "$circle" || exit 1

# The command line
refused() { # refused EXIT ID WHAT COMMAND...
    local code=$1 id=$2 what=$3 got
    shift 3
    "$@" > "$circle/last" 2>&1
    got="$? $(sed -n 's/^{"error":{"id":"\([a-z0-9-]*\)".*/\1/p' "$circle/last")"
    if [ "$got" = "$code $id" ]; then ok "$what: exit $code, $id"; else
        not_ok "$what: wanted $code $id, got $got"; note < "$circle/last"; fi
}
vendor() { comity vendor --json "$@"; }
operator() { comity operator --json "$@"; }
bare() { "$program" --json "$@"; }
zeros=$(printf '0%.0s' {1..64})
vendor publish "$xz" | id_of > id
id=$(cat id)
until_true 10 stands vendor "$id" || not_ok "the advisory stands"
vendor receipt "$id" --out good.tlog-proof
vendor receipt "$id" --form cose --out good.cose

echo '{"schema_version":"1.6.0","modified":"2024-01-01T00:00:00Z","affected":[]}' > no-id
printf '{"schema_version": ' > broken
echo '{"schema_version":"1.6.0","id":"A","id":"B","modified":"2024-01-01T00:00:00Z"}' > twice
echo 'no json' > no-json
printf '{"id":"\xff\xfe","modified":"2024-01-01T00:00:00Z"}' > bad-utf8
echo '{"hello":1}' > unknown
: > empty
head -c 34000000 /dev/zero > large
printf '[%.0s' {1..5000} > deep
refused 1 missing "an advisory without an id" vendor publish --open no-id
refused 1 truncated "broken JSON" vendor publish --open broken
refused 1 duplicate "a name twice in one object" vendor publish --open twice
refused 1 bad-syntax "no JSON" vendor publish --open no-json
refused 1 bad-utf8 "bad UTF-8" vendor publish --open bad-utf8
refused 1 over-limit "JSON nested 5,000 deep" vendor publish --open deep
refused 1 unsupported "neither CSAF nor OSV" vendor publish --open unknown
refused 1 truncated "an empty file" vendor publish --open empty
refused 1 over-limit "34 MB" vendor publish --open large
refused 1 not-found "a file that is not there" vendor publish --open nowhere
refused 5 label-refused "TLP:AMBER" vendor publish "$examples/advisories/embargoed-amber.csaf.json"
refused 5 label-refused "TLP:AMBER with --open" vendor publish --open "$examples/advisories/embargoed-amber.csaf.json"
refused 5 label-refused "an unlabelled advisory without --open" vendor publish "$glibc"
refused 5 label-refused "an advisory past publish, and past its label" vendor state --media application/csaf+json --subject x "$xz"
refused 2 usage "a media type without a slash" vendor state --media nonsense --subject x no-id
refused 2 usage "an empty subject" vendor state --media text/plain --subject "" no-id
refused 2 usage "a subject of 300 bytes" vendor state --media text/plain --subject "$(printf 'x%.0s' {1..300})" no-id
refused 1 bad-syntax "a media type with a line break" vendor state --media $'text/plain\nx' --subject x no-id

echo '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":' > broken-sbom
echo '{"bomFormat":"CycloneDX","specVersion":"1.5","components":{}}' > no-array-sbom
refused 1 truncated "a broken SBOM" operator inventory add x broken-sbom
refused 1 wrong-type "an SBOM whose components are no array" operator inventory add x no-array-sbom
refused 1 unsupported "what is no SBOM" operator inventory add x unknown
refused 1 over-limit "an inventory without a name" operator inventory add "" "$appliance"
refused 1 bad-syntax "an inventory's name with a line break" operator inventory add $'a\nb' "$appliance"
printf 'Paket;Stand;Quelle\nlodash;4.17.20;npm\n' > table.csv
refused 1 not-found "a table without the column that was told" operator inventory add table table.csv --columns 'name=Package'
refused 2 usage "a role that no column has" operator inventory add table table.csv --columns 'colour=Paket'
refused 1 bad-syntax "a mapping of columns with a line break" operator inventory add table table.csv --columns $'name=Paket\nx'
refused 1 over-limit "a mapping of columns of 1,100 bytes" operator inventory add table table.csv --columns "name=$(printf 'x%.0s' {1..1100})"
operator inventory add table - --columns 'name=Paket,version=Stand,ecosystem=Quelle' < table.csv > table.json
same "a table whose columns were told is an inventory" "csv 1 0" "$(value table.json '" ".join(str(x[k]) for k in ("format", "components", "problems"))')"
comity operator inventory list > last
check "... and is listed" grep -q '^table' last
refused 1 bad-syntax "a distribution with a line break" operator inventory add a "$appliance" --distribution $'Debian:12\nx'

refused 2 usage "an id that is none" vendor show zz
refused 1 not-found "an unknown statement" vendor show "$zeros"
refused 1 not-found "the receipt of an unknown statement" vendor receipt "$zeros"
refused 2 usage "an unknown form of receipt" vendor receipt "$id" --form x
refused 2 usage "notices after what is no number" vendor notices --after x
refused 1 not-found "the absence of nobody" vendor absent nobody
refused 2 usage "an unknown command" bare frobnicate
refused 2 usage "an unknown option" bare --frob
refused 2 usage "a missing file name" vendor publish
refused 2 usage "an unknown option of a command" vendor publish --force "$xz"
refused 4 locked "a second process on the same folder" vendor serve
refused 4 wrong-state "no node runs here" bare -C "$circle" status

verify() { bare verify --charter "${charter:-circle.bundle}" --receipt "$@"; }
flip() { /usr/bin/python3 -c 'import sys; d = bytearray(open(sys.argv[1], "rb").read()); d[int(sys.argv[2])] ^= 1; open(sys.argv[3], "wb").write(d)' "$@"; }
refused 1 hash-mismatch "a receipt with another document" verify good.tlog-proof --document "$glibc"
refused 1 hash-mismatch "a COSE receipt with another document" verify good.cose --document "$glibc"
head -c 300 good.tlog-proof > cut
refused 1 bad-syntax "a receipt cut in its head" verify cut
head -c -40 good.tlog-proof > cut
refused 1 truncated "a receipt cut in its last line" verify cut
head -c 300 good.cose > cut
refused 1 truncated "a COSE receipt that is cut" verify cut
index=$(sed -n 's/^index //p' good.tlog-proof)
sed "s/^index .*/index $((index - 1))/" good.tlog-proof > forged
refused 1 bad-proof "a receipt with another index" verify forged
grep -v northland.example/mirror good.tlog-proof | grep -v southland.example/mirror > forged
refused 3 "" "a receipt without two of four cosignatures is logged only" verify forged
size=$(sed -n '/^comity\//{n;p;q}' good.tlog-proof)
sed "s/^$size\$/$((size + 1))/" good.tlog-proof > forged
refused 1 bad-proof "a receipt with another size" verify forged
flip good.cose $(($(grep -abo text good.cose | head -n 1 | cut -d : -f 1; echo 0) + 200)) forged 2> flip.log || flip good.cose 200 forged
same "a COSE receipt with one bit changed: exit 1" 1 "$(code_of verify forged)"
sed 's/Test circle/Tent circle/' circle.bundle > foreign.bundle
charter=foreign.bundle
refused 1 other-circle "a foreign charter" verify good.tlog-proof
refused 1 other-circle "a foreign charter for COSE" verify good.cose
unset charter

sed 's/role state/role vendor/' charter.json > forged.charter
refused 1 bad-signature "a charter with a changed card" bare charter show forged.charter
sed 's/"founded"/"founder"/' charter.json > forged.charter
refused 1 bad-syntax "a charter with an unknown member" bare charter show forged.charter
head -c 900 charter.json > forged.charter
refused 1 truncated "a charter that is cut" bare charter show forged.charter
sed 's/role vendor/role state/' vendor/card.note > forged.card
refused 1 bad-signature "a changed card" bare card forged.card
refused 1 bad-signature "a circle with a changed card" bare charter new --name x --card forged.card --out other
refused 1 duplicate "a circle with one party twice" bare charter new --name x --card vendor/card.note --card vendor/card.note --out other
refused 1 not-found "a committee member without a card" bare charter new --name x --card vendor/card.note --committee nobody --out other
refused 5 exists "nothing is overwritten" bare charter new --name x --card vendor/card.note --out charter.json
refused 5 exists "a node accedes once" comity vendor --json charter accede charter.json
init observer $((base_port + 60))
refused 1 wrong-key "accession to a charter without this node's card" comity observer --json charter accede charter.json
init impostor $((base_port + 61)) vendor.example
refused 1 wrong-key "accession with another's name and other keys" comity impostor --json charter accede charter.json
cp observer/comity.conf good.conf
echo "colour = blue" >> observer/comity.conf
refused 4 bad-config "an unknown key in the configuration" comity observer --json serve
{ cat good.conf; echo "log-level = debug"; echo "log-level = debug"; } > observer/comity.conf
refused 4 bad-config "a key twice" comity observer --json serve
{ cat good.conf; echo "log-level = verbose"; } > observer/comity.conf
refused 4 bad-config "a level of the log that does not exist" comity observer --json serve
echo "no pair" > observer/comity.conf
refused 4 bad-config "a line that is no pair" comity observer --json serve
refused 5 exists "keys are never made anew over old ones" bare init vendor --name vendor.example --role vendor --jurisdiction X \
    --listen 127.0.0.1:$((base_port + 62)) --passphrase-file passphrase
refused 2 usage "a party's name in capitals" bare init new --name 'Vendor!' --role vendor --jurisdiction X --listen 127.0.0.1:1 --passphrase-file passphrase
refused 2 usage "an unknown role" bare init new --name new --role king --jurisdiction X --listen 127.0.0.1:1 --passphrase-file passphrase
echo short > short
refused 5 bad-passphrase "a passphrase of five characters" bare init new --name new --role vendor --jurisdiction X --listen 127.0.0.1:1 --passphrase-file short
refused 1 not-found "the audit of an unknown party" bare log verify --charter circle.bundle --party nobody "$(url vendor)"
refused 1 wrong-key "the audit of another's log" bare log verify --charter circle.bundle --party operator.example "$(url vendor)"
refused 4 peer "the audit of a node that does not answer" bare log verify --charter circle.bundle --party vendor.example "http://127.0.0.1:$((base_port + 99))"
cp -r southland stolen
echo "another passphrase" > wrong
sed -i "s|^passphrase-file.*|passphrase-file = $circle/wrong|; s|^listen.*|listen = 127.0.0.1:$((base_port + 63))|" stolen/comity.conf
refused 5 bad-passphrase "keys with another passphrase" timeout 20 "$program" --json -C "$circle/stolen" serve
check "... the log says what it is" grep -q "passphrase does not open" last

# HTTP
status() { # status WANTED WHAT CURL-ARGUMENTS...
    local want=$1 what=$2
    shift 2
    same "$what: $want" "$want" "$(curl -s --max-time 20 --path-as-is -o last.body -w '%{http_code}' "$@")"
}
raw() { # raw WHO: sends standard input as it is, prints the answer's first line
    exec 9<> "/dev/tcp/127.0.0.1/${port[$1]}" && cat >&9 && timeout 5 head -n 1 <&9 | tr -d '\r'
    exec 9>&-
}
v=$(url vendor) m=$(url northland)
status 403 "POST /entries" -X POST --data-binary @good.cose "$v/entries"
status 403 "PUT /entries" -X PUT --data-binary @good.cose "$v/entries"
head -c 39000000 /dev/zero > huge
status 413 "a body of 39 MB" -X POST -H Expect: --data-binary @huge "$m/mirror/add-entries"
same "Host twice" "HTTP/1.1 400 Bad Request" "$(printf 'GET /checkpoint HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n' | raw vendor)"
same "no Host" "HTTP/1.1 400 Bad Request" "$(printf 'GET /checkpoint HTTP/1.1\r\nConnection: close\r\n\r\n' | raw vendor)"
same "length and chunks" "HTTP/1.1 400 Bad Request" "$(printf 'POST /announce HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n' | raw vendor)"
same "two lengths" "HTTP/1.1 400 Bad Request" "$(printf 'POST /announce HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd' | raw vendor)"
head -c 3000 /dev/urandom | raw vendor > /dev/null 2>&1
printf 'GET /%s HTTP/1.1\r\nHost: a\r\n\r\n' "$(head -c 60000 /dev/zero | tr '\0' a)" | raw vendor > /dev/null 2>&1
for path in / /nothing /api/v1/status /api/v1/notices /tile /tile/ /tile/0/001 /tile/0/000.p/255 /tile/9/000 /tile/entries/x /tile/0/00a \
    /tile/0/000/ /mirror/ /mirror/x/checkpoint "/mirror/$zeros/checkpoint" "/witness/$zeros/checkpoint" /documents/ "/documents/$zeros" \
    /cosigned/x /cosigned/99999999999999999999 "/entries/$zeros"; do
    status 404 "GET $path" "$v$path"
done
for path in /../comity.conf /documents/../state.db /documents/../../state.db /tile/../../keys/log.key /%2e%2e/comity.conf \
    /documents/%2e%2e%2fstate.db //etc/passwd; do
    status 400 "GET $path" "$v$path"
done
status 400 "GET /entries/ of what is no id" "$v/entries/x"
status 404 "POST to an unknown route" -X POST -d x "$v/nothing"
status 404 "POST of a read path" -X POST -d x "$v/checkpoint"
status 404 "POST of the private API" -X POST -d x "$v/api/v1/publish"
for method in DELETE PATCH OPTIONS TRACE; do status 405 "$method" -X $method "$v/checkpoint"; done
for path in /mirror/add-checkpoint /mirror/add-entries /witness/add-checkpoint /announce; do
    status 400 "noise to $path" -X POST --data-binary @unknown "$m$path"
    status 400 "nothing to $path" -X POST "$m$path"
done
origin=$(curl -s "$v/checkpoint" | head -n 1)
frame() { /usr/bin/python3 -c 'import struct, sys; o = sys.argv[1].encode(); sys.stdout.buffer.write(struct.pack(">H", len(o)) + o + struct.pack(">QQH", int(sys.argv[2]), int(sys.argv[3]), 0))' "$@"; }
frame comity/0000000000000000/nobody 0 1 > frame
status 404 "add-entries for an unknown log" -X POST --data-binary @frame "$m/mirror/add-entries"
frame "$origin" 5 1 > frame
status 400 "add-entries whose end is before its start" -X POST --data-binary @frame "$m/mirror/add-entries"
frame "$origin" 0 18446744073709551615 > frame
status 400 "add-entries up to 2^64-1" -X POST --data-binary @frame "$m/mirror/add-entries"
{ printf 'old 0\n\n'; curl -s "$v/checkpoint" | sed 's/^comity\/[0-9a-f]*/comity\/0000000000000000/'; } > forged
status 404 "add-checkpoint for an unknown log" -X POST --data-binary @forged "$m/mirror/add-checkpoint"
{ printf 'old 0\n\n'; curl -s "$v/checkpoint" | sed '2s/.*/7777/'; } > forged
status 403 "add-checkpoint with a forged size" -X POST --data-binary @forged "$m/mirror/add-checkpoint"
{ printf 'old 0\n\n'; curl -s "$v/checkpoint"; } > forged
status 409 "add-checkpoint from an older size than the mirror's" -X POST --data-binary @forged "$m/mirror/add-checkpoint"
status 400 "PUT of a document with another hash" -X PUT --data-binary @unknown "$m/documents/$zeros"
status 400 "PUT of a document under no hash" -X PUT --data-binary @unknown "$m/documents/x"
stray=$(sha256sum < unknown | cut -d ' ' -f 1)
curl -s --max-time 10 -o last.body -X PUT --data-binary @unknown "$m/documents/$stray"
status 404 "a document that nobody has stated is not served" "$m/documents/$stray"

document=$(sha256sum < "$xz" | cut -d ' ' -f 1)
status 200 "a document" "$v/documents/$document"
check "... with its bytes" cmp last.body "$xz"
status 206 "a range of it" -H "Range: bytes=10-19" "$v/documents/$document"
same "... ten bytes" "$(head -c 20 "$xz" | tail -c 10)" "$(cat last.body)"
status 206 "from a byte to the end" -H "Range: bytes=100-" "$v/documents/$document"
check "... the rest" cmp last.body <(tail -c +101 "$xz")
status 416 "a range past its end" -H "Range: bytes=99999999-" "$v/documents/$document"
status 200 "a range of nonsense is ignored" -H "Range: bytes=x-y" "$v/documents/$document"
etag=$(curl -sI "$v/documents/$document" | tr -d '\r' | sed -n 's/^ETag: //p')
check "HEAD tells a strong ETag" grep -qx '"[0-9a-f]*"' <<< "$etag"
status 304 "the ETag it has" -H "If-None-Match: $etag" "$v/documents/$document"
status 200 "another ETag" -H 'If-None-Match: "x"' "$v/documents/$document"

# Idle and slow connections
/usr/bin/python3 - "${port[vendor]}" 60 << 'PY' &
import socket, sys, time
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
for s in held:
    s.sendall(b"GET /checkpoint HTTP/1.1\r\nHo")
time.sleep(60)
PY
pid[idle]=$!
sleep 0.3
check "with 60 half requests open the private side works" comity vendor --json publish "$xz"
stop idle

# After all that
for who in $states vendor operator; do
    check "$who still runs" running "$who"
    check "... and never ended in between" sh -c "! grep -q 'started again' '$circle/$who.log'"
done
id=$(publish --open "$glibc")
check "a new advisory stands" until_true 10 stands vendor "$id"
check "the audit is good" "$program" log verify --charter circle.bundle --party vendor.example "$v"
done_testing
