#!/bin/bash
# Each process of a node is killed: only what must is started again, nothing acknowledged is lost, whoever asks meanwhile hears 503 or is
# served. The notify-command inherits nothing, and is ended when it hangs, with all that it started; its notice is tried again.
base_port=20500
. "$(dirname "$0")/circle.bash"
found $states vendor
mkdir "$circle/told"
cat > "$circle/tell" <<TELL
#!/bin/bash
cat > "$circle/told/\$COMITY_NOTICE_ID"
if mkdir "$circle/told/first"; then
    ls /proc/self/fd > "$circle/told/descriptors"
    env > "$circle/told/environment"
    sleep 1000 &
    echo \$! > "$circle/told/left-behind"
    trap '' TERM
    wait
    sleep 1000
fi
echo "\$COMITY_NOTICE_ID" >> "$circle/told/done"
TELL
chmod +x "$circle/tell"
echo "notify-command = $circle/tell" >> "$circle/vendor/comity.conf"
start_all $states vendor
exec 2> "$circle/stderr"
child() { pgrep -P "${pid[vendor]}" -x "comity-$1"; } # child NAME: its pid
changed() { [ -n "$(child "$1")" ] && [ "$(child "$1")" != "$2" ]; }
for name in node signer parser net command; do check "there is one process $name" [ "$(child $name | wc -l)" = 1 ]; done
first=$(publish "$xz")
check "an advisory stands" until_true 15 stands vendor "$first"

asker() { # writes the status of every answer, as fast as they come
    while [ ! -f "$circle/enough" ]; do
        curl -s --max-time 20 -o "$circle/answer" -w '%{http_code}\n' "$(url vendor /checkpoint)" >> "$circle/codes"
        sleep 0.01
    done
}
asker &
pid[asker]=$!
mv "$circle/passphrase" "$circle/passphrase.away" # a node that is started again needs none
for name in net parser node; do
    declare -A before=()
    for other in node signer parser net command; do before[$other]=$(child $other); done
    : > "$circle/codes"
    kill -9 "${before[$name]}"
    check "$name is killed: there is a new one" until_true 10 changed $name "${before[$name]}"
    check "... the node answers" until_true 15 running vendor
    check "... to others, too" until_true 10 curl -sf "$(url vendor /checkpoint)"
    for other in node signer parser net command; do
        [ $other = $name ] || same "... $other is the same as before" "${before[$other]}" "$(child $other)"
    done
    id=$(advisory "AFTER-$name" zlib > "$circle/advisory"; publish --open "$circle/advisory")
    check "... a new advisory stands" until_true 15 stands vendor "$id"
    check "... and so does the first" stands vendor "$first"
    allowed='200|503'
    [ $name = net ] && allowed='000|200|503' # its own connections break with it
    same "... meanwhile everybody heard $allowed" "" "$(grep -vE "^($allowed)\$" "$circle/codes" | sort -u)"
done
mv "$circle/passphrase.away" "$circle/passphrase"

signer=$(child signer) node=$(child node)
kill -9 "$signer"
check "the signer is killed: the idle node notices at once" until_true 5 grep -q 'id=signer-lost' "$circle/vendor.log"
check "... there is a new signer" until_true 10 changed signer "$signer"
check "... and a new node" until_true 10 changed node "$node"
check "... which runs" until_true 15 running vendor
id=$(advisory "AFTER-signer" zlib > "$circle/advisory"; publish --open "$circle/advisory")
check "... and signs" until_true 15 stands vendor "$id"

comity vendor inventory add appliance "$appliance" > "$circle/last"
check "a notice goes to the command, which hangs" until_true 10 test -s "$circle/told/left-behind"
hung=$(date +%s)
same "the command has no descriptors but its three (and that of its listing)" "0 1 2 3" "$(tr '\n' ' ' < "$circle/told/descriptors" | sed 's/ $//')"
same "... and no environment but these" "COMITY_NOTICE_ID PATH PWD SHLVL _" "$(cut -d = -f 1 "$circle/told/environment" | sort | tr '\n' ' ' | sed 's/ $//')"

# Net is gone in the midst of a request: whoever asked hears it at once, and asks again.
head -c 20000000 /dev/zero > "$circle/large"
curl -s -o "$circle/answer" --limit-rate 2M -X PUT -H Expect: --data-binary "@$circle/large" "$(url vendor "/documents/$(printf '0%.0s' {1..64})")" &
upload=$!
sleep 0.3
kill -9 "$(child net)"
wait $upload
check "an upload that net's death cuts ends with an error" [ $? != 0 ]
check "the vendor serves again" until_true 10 curl -sf "$(url vendor /checkpoint)"

id=$(advisory AFTER-all liblzma5 > "$circle/advisory"; publish --open "$circle/advisory")
check "the last advisory stands" until_true 15 stands vendor "$id"
check "after a minute the hanging command is ended" until_true $((90 - $(date +%s) + hung)) grep -q 'id=command-late' "$circle/vendor.log"
gone() { ! kill -0 "$(cat "$circle/told/left-behind")"; }
check "... killed, for it does not listen, with what it had started" until_true 15 gone
every() { comity vendor --json notices | grep -o '"notice":{"id":"[0-9a-f]*' | cut -d '"' -f 6 | sort > "$circle/wanted"; sort -u "$circle/told/done" | diff - "$circle/wanted"; }
check "... and every notice is taken in the end, the first one too" until_true 30 every
touch "$circle/enough"
wait "${pid[asker]}"
unset "pid[asker]"

# A body is under way to the parser, which is killed over it: the next one reads it, and whoever asked hears what it would have heard.
curl -sf "$(url southland /checkpoint)" > "$circle/note"
{ printf 'old 0\n\n'; cat "$circle/note"; } > "$circle/body"
killed_over() { # killed_over PATH FILE STATUS WHAT
    local before sent
    before=$(child parser)
    kill -STOP "$before"
    curl -s --max-time 30 -o "$circle/answer" -w '%{http_code}' --data-binary "@$2" "$(url vendor "$1")" > "$circle/code" &
    sent=$!
    check "$4 waits for the parser" until_true 10 blocked
    kill -9 "$before"
    wait $sent
    same "... which is killed over it: it is answered all the same" "$3" "$(cat "$circle/code")"
    check "... by a new one" until_true 10 changed parser "$before"
}
blocked() { ! curl -s --max-time 0.5 --unix-socket "$circle/vendor/run/sock" -o "$circle/answer" http://localhost/api/v1/status; }
echo "no checkpoint" > "$circle/junk"
killed_over /announce "$circle/junk" 400 "an announcement"
killed_over /mirror/add-checkpoint "$circle/body" 409 "a checkpoint for the mirror"
killed_over /witness/add-checkpoint "$circle/body" 404 "a checkpoint for the witness"
same "nothing of that was given up" 0 "$(comity vendor --json status > "$circle/status"; value "$circle/status" 'x["bodies_unread"]')"
id=$(advisory AFTER-parser zlib > "$circle/advisory"; publish --open "$circle/advisory")
check "and what is published next stands" until_true 30 stands vendor "$id"

command=$(child command)
kill -9 "$command"
check "the process for commands is killed: there is a new one" until_true 10 changed command "$command"
node=$(child node)
supervisor=${pid[vendor]}
kill -9 "$supervisor"
left() { pgrep -f -- "-C $circle/vendor serve"; }
none() { ! left; }
check "the supervisor is killed: nothing is left of the node" until_true 25 none
start vendor
check "... and a new one starts" until_true 15 running vendor
check "the audit finds one good log" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url vendor)"
done_testing
