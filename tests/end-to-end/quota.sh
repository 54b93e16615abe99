#!/bin/bash
# The charter's quota of a log and day: one party uses it up and hears why, a friend under its own is mirrored as before; a restart forgets
# nothing. (That the next day begins anew is tested where a test can set the clock: tests/node/test_mirror.c.)
base_port=21700
. "$(dirname "$0")/circle.bash"
charter_options="--quota-entries 12 --quota-bytes 1000000"
found $states vendor
start_all $states vendor
hour=$(date -u +%H%M)
[ "$hour" -lt 2350 ] || { ok "quotas of a day # SKIP a day ends within ten minutes"; done_testing; }

status() { comity "$1" --json status > "$circle/status.$1"; }
quota() { status "$1"; value "$circle/status.$1" "[p['their_log']['quota']['$3'] for p in x['peers'] if p['party'] == '$2.example'][0]"; } # quota AT OF WHAT
is() { [ "$(quota "$1" "$2" "$3")" = "$4" ]; }
id=$(publish "$xz")
check "an advisory stands" until_true 15 stands vendor "$id"
same "... against the charter's limit" 12 "$(quota northland vendor entries_limit)"
for n in $(seq 1 40); do
    advisory "QUOTA-$n" zlib > "$circle/advisory"
    last=$(publish --open "$circle/advisory")
done
for who in $states; do check "the quota of the vendor's log is used up at $who" until_true 15 is $who vendor spent True; done
check "... told in the status" sh -c "'$program' -C '$circle/northland' status | grep -q 'vendor.example.*/12 entries today .*QUOTA USED UP'"
same "the vendor's last advisory does not stand" 3 "$(code_of comity vendor show "$last")"
echo "A text of a friend." > "$circle/text"
friend=$(comity southland --json state --media text/plain --subject friend "$circle/text" | id_of)
check "a friend under its own quota is mirrored as before" until_true 15 stands southland "$friend"
used=$(quota northland vendor entries)
held=$(value "$circle/status.northland" "[p['their_log']['held'] for p in x['peers'] if p['party'] == 'vendor.example'][0]")
stop northland
start northland
check "a mirror starts again" until_true 15 running northland
same "... and has forgotten nothing" "$used" "$(quota northland vendor entries)"
same "... nor that it is used up" True "$(quota northland vendor spent)"

origin=$(value "$circle/status.northland" 'x["origin"]' | sed 's/northland/vendor/')
size=$(value <(comity vendor --json status) 'x["log"]["size"]')
/usr/bin/python3 - "$origin" "$held" "$size" > "$circle/upload" <<'PYTHON'
import struct, sys
origin, start, end = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
sys.stdout.buffer.write(struct.pack(">H", len(origin)) + origin + struct.pack(">QQH", start, end, 0))
PYTHON
refused() { [ "$(curl -s -D "$circle/head" -o "$circle/why" -w '%{http_code}' --data-binary "@$circle/upload" "$(url northland /mirror/add-entries)")" = 429 ]; }
check "whoever asks hears 429" until_true 30 refused
check "... the reason" grep -q 'quota of vendor.example is used up for this UTC day: .* of 12 entries' "$circle/why"
after=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$circle/head")
left=$((86400 - $(date +%s) % 86400))
check "... and how long to wait: until the next UTC day" [ "$((after - left))" -ge 0 -a "$((after - left))" -le 30 ]
same "what is measured says the same" "$used" "$(curl -sf --unix-socket "$circle/northland/run/sock" http://localhost/metrics | /usr/bin/python3 "$here/metrics.py" get 'comity_log_quota_entries{party="vendor.example"}')"
done_testing
