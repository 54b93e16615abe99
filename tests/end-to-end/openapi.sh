#!/bin/bash
# The private API is what docs/openapi.json says: the same routes, and answers that validate.
base_port=20400
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all $states vendor
circle_of() { # circle_of NAME...: a charter of the parties, for the first
    local who cards=()
    for who in "$@"; do cards+=(--card "$circle/$who/card.note"); done
    "$program" charter new --name "Another" "${cards[@]}" --committee "$(printf '%s.example,' "$@" | sed 's/,$//')" --out "$circle/$1.charter" > "$circle/charter.out"
    comity "$1" charter accede "$circle/$1.charter" > "$circle/accede.out"
}
state_is() { grep -q "\"state\":\"$2\"" <<< "$(comity "$1" --json status)"; }
init alone $((base_port + 50))
init waiting $((base_port + 51))
init silent $((base_port + 52))
init observer $((base_port + 53))
init forgetful $((base_port + 54))
circle_of alone
circle_of forgetful
start forgetful
check "one has a circle of its own" until_true 10 state_is forgetful running
stop forgetful
rm "$circle"/forgetful/state.db*
circle_of waiting silent
for who in alone waiting observer forgetful; do start $who; done
check "one node is alone in its circle" until_true 10 state_is alone running
check "one waits for its committee" until_true 10 state_is waiting recovering
check "one has lost its database, and its signer has not" until_true 10 state_is forgetful signer-ahead
check "one is in no circle" until_true 10 state_is observer "in no circle"
/usr/bin/python3 -W ignore "$here/openapi.py" "$here/../.." "$circle/vendor/run/sock" "$circle/alone/run/sock" "$circle/waiting/run/sock" "$circle/observer/run/sock" "$circle/forgetful/run/sock" ||
    failures=$((failures + 1))
done_testing
