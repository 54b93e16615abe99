#!/bin/bash
# A notice is recorded once, and delivered at least once with the same id: the receiver dies between taking it and answering.
base_port=19200
. "$(dirname "$0")/circle.bash"
hook=$((base_port + 50))
found $states vendor operator
echo "notify-webhook = http://127.0.0.1:$hook/notices" >> "$circle/operator/comity.conf"
receiver() { # receiver MODE: answer, or crash after taking (the request is written down, no answer is sent)
    /usr/bin/python3 "$here/receiver.py" "$hook" "$1" "$circle/received" &
    pid[receiver]=$!
}
count() { [ "$(wc -l < "$circle/received")" -ge "$1" ]; }
: > "$circle/received"
receiver crash
start_all $states vendor operator
comity operator inventory add appliance "$appliance" > "$circle/last" || not_ok "the operator takes in an SBOM"

publish "$xz" > "$circle/id"
check "the receiver takes the notice and crashes before it answers" until_true 10 count 1
wait "${pid[receiver]}"
same "... with a crash's exit code" 9 $?
unset "pid[receiver]"
check "the notice stands in the operator's journal" until_true 5 told VENDOR-2024-0001
receiver answer
check "restarted, it is told again" until_true 20 count 2
cut -f 1 "$circle/received" | sort -u > "$circle/ids"
same "... with the same Comity-Notice-Id" 1 "$(wc -l < "$circle/ids")"
cut -f 2 "$circle/received" | sort -u > "$circle/bodies"
same "... and the same body" 1 "$(wc -l < "$circle/bodies")"
comity operator --json notices > "$circle/n"
same "the journal has exactly one notice, under that id" "1 $(cat "$circle/ids")" "$(value "$circle/n" '"%d %s" % (len(x), x[0]["notice"]["id"])')"
sleep 3
same "once answered, it is not sent again" 2 "$(wc -l < "$circle/received")"

stop receiver
receiver refuse
publish --open "$glibc" > "$circle/id"
check "an answer of 500 is no answer" until_true 10 count 3
stop receiver
kill -9 "${pid[operator]}" && wait "${pid[operator]}" 2> /dev/null
unset "pid[operator]"
receiver answer
sleep 1
start operator
check "the operator's node is killed and started: what was not taken is sent again" until_true 20 count 4
tail -n 2 "$circle/received" | cut -f 1 | sort -u > "$circle/ids"
same "... with the same id" 1 "$(wc -l < "$circle/ids")"
stop operator
start operator
until_true 10 running operator || not_ok "the operator runs again"
sleep 2
same "after another restart nothing is sent again" 4 "$(wc -l < "$circle/received")"
comity operator --json notices > "$circle/n"
same "two advisories, two notices" 2 "$(value "$circle/n" 'len(x)')"
done_testing
