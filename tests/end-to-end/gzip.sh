#!/bin/bash
# add-entries may come compressed (C2SP tlog-mirror), by hand and with a cap on what it expands to.
base_port=19880
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all southland eastland westland vendor
first=$(publish "$xz")
second=$(publish --open "$glibc")
both() { stands vendor "$first" && stands vendor "$second"; }
check "two statements stand with three mirrors" until_true 10 both
curl -s "$(url vendor /checkpoint)" > "$circle/checkpoint"
size=$(sed -n 2p "$circle/checkpoint")
curl -s "$(url vendor "/tile/entries/000.p/$size")" > "$circle/entries"
stop vendor # what northland learns from here on, it learns from us
start northland
check "a mirror runs that has none of them" until_true 15 running northland
{ printf 'old 0\n\n'; cat "$circle/checkpoint"; } > "$circle/add-checkpoint"
post() { curl -s -o "$circle/answer" -w '%{http_code}' --max-time 20 --data-binary "@$1" "${@:3}" "$(url northland "$2")"; }
same "it takes the checkpoint" 200 "$(post "$circle/add-checkpoint" /mirror/add-checkpoint)"
/usr/bin/python3 - "$circle" <<'PY'
import gzip, struct, sys, zlib
d = sys.argv[1] + "/"
origin, size = open(d + "checkpoint", "rb").read().split(b"\n")[:2]
text = lambda b: struct.pack(">H", len(b)) + b
body = text(origin) + struct.pack(">QQ", 0, int(size)) + text(b"") + open(d + "entries", "rb").read() + b"\0"
packed = gzip.compress(body)
files = {"plain": body, "packed": packed, "cut": packed[:-9], "more": packed + b"\0", "flipped": packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:],
         "zlib": zlib.compress(body), "bomb": gzip.compress(bytes(37 << 20)), "empty": b""}
for name, data in files.items():
    open(d + "body." + name, "wb").write(data)
PY
while read -r want name encoding what; do
    same "$what: $want" "$want" "$(post "$circle/body.$name" /mirror/add-entries -H "Content-Encoding: $encoding")"
done <<'TABLE'
415 packed br an encoding that we do not know
415 packed deflate deflate
415 plain identity identity, which nobody sends
415 packed gzip,gzip two encodings
415 zlib zstd another one
400 cut gzip cut short
400 more gzip a byte after the end
400 flipped gzip a wrong checksum
400 zlib gzip zlib under the name of gzip
400 plain gzip no gzip at all
400 empty gzip nothing
413 bomb gzip 37 MiB of zeroes in 36 kB
TABLE
same "the header twice: 415" 415 "$(post "$circle/body.packed" /mirror/add-entries -H 'Content-Encoding: gzip' -H 'Content-Encoding: gzip')"
same "gzip where the protocol has none: 415" 415 "$(post "$circle/body.packed" /mirror/add-checkpoint -H 'Content-Encoding: gzip')"
same "still without the entries" 404 "$(curl -s -o "$circle/last" -w '%{http_code}' "$(url northland "/mirror/$(head -n 1 "$circle/checkpoint" | tr -d '\n' | sha256sum | cut -d ' ' -f 1)/checkpoint")")"
# The documents that the entries name it fetches from the other mirrors: until then the answer is 503.
taken() { [ "$(post "$circle/body.packed" /mirror/add-entries -H 'Content-Encoding: gzip')" = 200 ]; }
check "the entries as gzip: 200" until_true 15 taken
check "... answered by the mirror's cosignature" grep -q "northland.example/mirror" "$circle/answer"
same "the same without gzip: 200" 200 "$(post "$circle/body.plain" /mirror/add-entries)"

# Our own nodes: a small body goes as it is, a backlog compressed.
stop northland
start vendor
check "the vendor runs again" until_true 15 running vendor
/usr/bin/python3 - "${port[northland]}" "$circle" <<'PY' &
# A mirror that accepts every checkpoint, wants every entry from the first on, and writes down how each upload came.
import gzip, http.server, sys
size = b"0"
class Mirror(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, kind="text/plain", body=b""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(404)
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(202)
    def do_POST(self):
        global size
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/mirror/add-checkpoint":
            size = body.split(b"\n\n", 1)[1].split(b"\n")[1]
            return self.answer(200)
        if self.path != "/mirror/add-entries":
            return self.answer(200)
        coding = self.headers.get("Content-Encoding", "none")
        plain = gzip.decompress(body) if coding == "gzip" else body
        start = int.from_bytes(plain[2 + plain[1]:][:8], "big")
        open(sys.argv[2] + "/uploads", "a").write(f"{coding} {start} {len(body)} {len(plain)}\n")
        self.answer(409 if start else 400, "text/x.tlog.mirror-info", size + b"\n0\n\n" if start else b"")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Mirror).serve_forever()
PY
pid[mirror]=$!
uploaded() { grep -qE "^$1 " "$circle/uploads"; } # uploaded CODING START
check "two statements go to a mirror as they are" until_true 60 uploaded "none 0"
for i in $(seq 150); do
    comity vendor --json state --media text/plain --subject "$i" - <<< "$i" > "$circle/last" || break
done
check "a hundred and fifty go compressed" until_true 90 uploaded "gzip 0"
check "... none of them larger than it was" awk '$1 == "gzip" && $3 >= $4 { exit 1 }' "$circle/uploads"
check "... and none smaller than 16 KiB" awk '$1 == "gzip" && $4 < 16384 { exit 1 }' "$circle/uploads"
check "... and nothing of 16 KiB or more uncompressed" awk '$1 == "none" && $4 >= 16384 { exit 1 }' "$circle/uploads"
sort -u "$circle/uploads" | tail -n 5 | note
done_testing
