#!/bin/bash
# What a node serves is read by a program that shares nothing with it.
base_port=19400
. "$(dirname "$0")/circle.bash"
oracle() { /usr/bin/python3 "$here/oracle.py" "$@" || failures=$((failures + 1)); } # prints TAP
found $states vendor
start_all $states vendor
id=$(publish "$xz")
publish --open "$glibc" > "$circle/last"
for n in $(seq 1 40); do
    publish --open - <<< "$(advisory "TEST-$n" "package-$n")" > "$circle/last"
done
# Over 256 entries, so that there are a full tile and a second level.
/usr/bin/python3 - "$circle/vendor/run/sock" > "$circle/many" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rb")
for n in range(300):
    body = b"message %d" % n
    s.sendall(b"POST /api/v1/statements?media=text%%2Fplain&subject=m-%d HTTP/1.1\r\nHost: node\r\nContent-Length: %d\r\n\r\n" % (n, len(body)) + body)
    line = f.readline()
    length = 0
    while (head := f.readline()) != b"\r\n":
        if head.lower().startswith(b"content-length:"):
            length = int(head.split(b":")[1])
    print(line.split()[1].decode(), f.read(length).decode().strip())
PY
last=$(tail -n 1 "$circle/many" | id_of)
check "342 statements and more stand" until_true 20 stands vendor "$last"
oracle log "$(url vendor)" "$circle/circle.bundle" vendor.example
prefix=/mirror/$(curl -s "$(url vendor /checkpoint)" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
curl -s "$(url westland "$prefix/checkpoint")" > "$circle/mirror.checkpoint"
check "a mirror's checkpoint carries its own cosignature" grep -q "westland.example/mirror" "$circle/mirror.checkpoint"
oracle log "$(url westland "$prefix")" "$circle/circle.bundle" vendor.example > "$circle/copy"
sed 's/^\(not ok\|ok\) - /&a copy: /' "$circle/copy"
comity vendor receipt "$id" --wait 10 --out "$circle/xz.tlog-proof"
comity vendor receipt "$id" --form cose --out "$circle/xz.cose"
oracle tlog "$circle/circle.bundle" "$circle/xz.tlog-proof" "$xz"
oracle cose "$circle/circle.bundle" "$circle/xz.cose" "$xz"
curl -s "$(url vendor "/entries/$id")" > "$circle/resolved.cose"
oracle cose "$circle/circle.bundle" "$circle/resolved.cose" "$xz"
comity vendor receipt "$last" --out "$circle/last.tlog-proof"
printf 'message 299' > "$circle/message"
oracle tlog "$circle/circle.bundle" "$circle/last.tlog-proof" "$circle/message"
done_testing
