#!/bin/bash
# Each kind of process, confined by the production binary's own rules, tries what it must not be able to do; and what the running
# processes hold open is what they should.
base_port=20600
. "$(dirname "$0")/circle.bash"
found $states
start_all northland southland eastland
"$program" -C "$circle/northland" --json confinement > "$circle/attempts"
code=$?
if grep -q 'sanitizer build' "$circle/attempts"; then
    echo "ok - what the processes try is refused # SKIP a sanitizer build runs without its seccomp filter"
else
    same "the command finds nothing that should not have worked" 0 $code
    check "there are five processes and seven attempts of each" [ "$(grep -c '"attempt"' "$circle/attempts")" = 35 ]
    while IFS='|' read -r process attempt worked allowed; do
        if [ "$worked" = "$allowed" ]; then ok "$process cannot $attempt: $(value "$circle/attempts" "'but it is its work' if $allowed else 'refused'")"; else not_ok "$process: $attempt"; fi
    done < <(/usr/bin/python3 -c '
import json, sys
for a in json.load(open(sys.argv[1]))["attempts"]:
    print(a["process"], a["attempt"], a["worked"], a["allowed"], sep="|")' "$circle/attempts")
    allowed=$(grep -c '"allowed":true' "$circle/attempts")
    same "two of them are somebody's work: net makes sockets, and connects" 2 "$allowed"
fi
mode() { awk "/^$2:/ { print \$2 }" "/proc/$(pgrep -P "${pid[northland]}" -x "comity-$1")/status"; }
for name in signer parser net node; do
    grep -q 'sanitizer build' "$circle/attempts" || same "the running $name has a seccomp filter" 2 "$(mode $name Seccomp)"
    same "... and can gain no privileges" 1 "$(mode $name NoNewPrivs)"
done
open_files() { find "/proc/$(pgrep -P "${pid[northland]}" -x "comity-$1")/fd" -type l -printf '%l\n' 2> /dev/null; }
same "the signer has one file open" "$circle/northland/signer.state" "$(open_files signer | grep "^$circle" | grep -v "\.\(log\|out\)$")"
same "the parser has none but the lock" "$circle/northland/lock" "$(open_files parser | grep "^$circle" | grep -v "\.\(log\|out\)$" | sort -u)"
same "net has none but the lock" "$circle/northland/lock" "$(open_files net | grep "^$circle" | grep -v "\.\(log\|out\)$" | sort -u)"
check "the node has its database" grep -q "^$circle/northland/state.db" <<< "$(open_files node)"
check "... and no key, nor the signer's state" sh -c "! grep -qE 'keys/|signer.state'" <<< "$(open_files node)"
done_testing
