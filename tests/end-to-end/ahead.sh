#!/bin/bash
# A folder, or its database alone, is put back by hand. Whole: the file's change time tells, and the node hears everybody before it signs.
# The database alone, when nobody holds what the signer has signed since: the own log is closed, everything else goes on, and new keys lead
# out. Never is a second tree signed.
base_port=21800
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all $states vendor
echo "A text." > "$circle/text"
speak() { comity "$1" --json state --media text/plain --subject "$2" "$circle/text" | id_of; } # speak WHO SUBJECT: prints the id
state_of() { comity "$1" --json status > "$circle/status"; value "$circle/status" 'x["state"]'; }
in_state() { [ "$(state_of "$1")" = "$2" ]; }
size() { comity "$1" --json status > "$circle/status"; value "$circle/status" 'x["log"]["size"]'; }
waits() { in_state "$1" recovering && [ "$(value "$circle/status" 'x["restored"]')" = True ]; }
accused() { for who in $states vendor; do grep -c '"two_faces":true' <<< "$(comity $who --json status)"; done | grep -qv '^0$'; }
nobody_accused() { ! accused; }
later() { [ "$(date +%s)" -gt $(($1 + 11)) ]; } # a copy that is a moment old is no old copy

# 1. The whole folder, by cp, without comity restore.
id=$(publish "$xz")
check "an advisory stands" until_true 15 stands vendor "$id"
stop vendor
cp -a "$circle/vendor" "$circle/vendor.old"
taken=$(date +%s)
start vendor
check "the vendor runs again: nobody has touched its folder" until_true 15 running vendor
for who in northland southland westland; do stop $who; done
after=$(advisory AFTER zlib > "$circle/advisory"; publish --open "$circle/advisory")
pending() { curl -sf "$(url eastland "/mirror/$hash/pending")" | sed -n 2p; }
comity vendor --json status > "$circle/status"
hash=$(printf '%s' "$(value "$circle/status" 'x["origin"]')" | sha256sum | cut -d ' ' -f 1)
new=$(size vendor)
reached() { [ "$(pending)" = "$new" ]; }
check "what it states next reaches one mirror of four" until_true 20 reached
stop vendor
stop eastland
check "time passes" until_true 30 later "$taken"
rm -rf "$circle/vendor"
cp -a "$circle/vendor.old" "$circle/vendor"
for who in northland southland westland; do start $who; done
for who in northland southland westland; do check "$who runs" until_true 20 running $who; done
start vendor
check "put back by hand, it waits for all, though three of four would do else" until_true 20 waits vendor
same "... and states nothing" 5 "$(code_of comity vendor state --media text/plain --subject x "$circle/text")"
start eastland
check "once the fourth answers it runs" until_true 30 running vendor
same "... with what it had stated" "$new" "$(size vendor)"
check "... which stands" until_true 30 stands vendor "$after"
check "... and nobody is accused" nobody_accused

# 2. The database alone.
stop westland
mkdir "$circle/old"
cp -a "$circle"/westland/state.db* "$circle/old"
start westland
check "westland runs" until_true 20 running westland
for who in northland southland eastland vendor; do stop $who; done
held=$(size westland)
speak westland one > "$circle/last"
speak westland two > "$circle/last"
same "westland states what reaches nobody" $((held + 2)) "$(size westland)"
stop westland
rm "$circle"/westland/state.db*
cp -a "$circle"/old/state.db* "$circle/westland"
for who in northland southland eastland vendor westland; do start $who; done
for who in northland southland eastland vendor; do check "$who runs" until_true 20 running $who; done
check "westland's signer is ahead of its database, and nobody has the rest" until_true 30 in_state westland signer-ahead
same "its log takes no statement" 5 "$(code_of comity westland state --media text/plain --subject x "$circle/text")"
check "... the error says where to look" grep -q 'comity log ahead' "$circle/last"
same "comity log ahead says so" 1 "$(code_of comity westland log ahead --out "$circle/proof")"
check "... what is missing" grep -q "entries $held to $((held + 1))" "$circle/last"
check "... and the way out" grep -q 'comity recover NEW-FOLDER' "$circle/last"
same "... the proof is the signer's own checkpoint" $((held + 2)) "$(sed -n 2p "$circle/proof")"
same "... as JSON too" "True $((held + 2))" "$(comity westland --json log ahead > "$circle/ahead.json"; value "$circle/ahead.json" 'str(x["ahead"]) + " " + str(x["signed"])')"
same "others say that nothing is missing" 0 "$(code_of comity northland log ahead)"
same "status has an exit code of its own for what waits" 3 "$(code_of comity westland status)"
check "... and says it" grep -q 'THE SIGNER IS AHEAD' "$circle/last"
same "healthz tells" 503 "$(curl -s -o "$circle/answer" -w '%{http_code}' "$(url westland /healthz)")"
comity westland doctor > "$circle/doctor" 2>&1
check "doctor tells what to do" grep -q 'comity log ahead' "$circle/doctor"
check "the log of the node names it" grep -q 'id=signer-ahead' "$circle/westland.log"
same "no process of it was started again" 0 "$(grep -c 'id=restarted' "$circle/westland.log")"
stop eastland # now a quorum for the others needs westland
id=$(speak northland alive)
check "it goes on to mirror the others" until_true 30 stands northland "$id"
start eastland
check "eastland runs" until_true 20 running eastland
curl -sf "$(url northland /bundle)" > "$circle/bundle"
grep -A2 'Print it, lock it away' "$circle/westland.init" | tail -n 1 > "$circle/words"
stop westland
mv "$circle/westland" "$circle/westland.old"
check "new keys, with the log as far as it stood" "$program" recover "$circle/westland" --bundle "$circle/bundle" --party westland.example \
    --key "$circle/words" --listen "127.0.0.1:${port[westland]}" --url "$(url westland)" --passphrase-file "$circle/passphrase" --wait 60
start westland
check "westland runs" until_true 30 running westland
id=$(speak westland again)
check "... and what it states stands" until_true 30 stands westland "$id"
same "... at the place of what was lost" "$held" "$(value <(comity westland --json show "$id") 'x["index"]')"
same "... nothing is missing any more" 0 "$(code_of comity westland log ahead)"
curl -s -o "$circle/answer" -w '%{http_code}\n' --data-binary "@$circle/proof" "$(url northland /announce)" > "$circle/code"
same "what the old key had signed beyond counts for nobody" 403 "$(cat "$circle/code")"
check "... and convicts nobody" nobody_accused
curl -sf "$(url northland /bundle)" > "$circle/bundle"
check "the audit finds one good log" "$program" log verify --charter "$circle/bundle" --party westland.example "$(url westland)"
stop westland
mv "$circle/westland" "$circle/westland.new"
mv "$circle/westland.old" "$circle/westland"
timeout 60 "$program" -C "$circle/westland" serve > "$circle/last" 2>&1
check "the old folder does not serve again" grep -q 'wrong-key' "$circle/last"
done_testing
