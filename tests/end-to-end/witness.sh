#!/bin/bash
# A log outside the circle is witnessed by a node that has its vkey; killed at any moment, the node never goes back.
base_port=19840
. "$(dirname "$0")/circle.bash"
log() { /usr/bin/python3 "$here/witness.py" "$@" || failures=$((failures + 1)); } # prints TAP
found $states
echo "witness-log = $(/usr/bin/python3 "$here/witness.py" vkey)" >> "$circle/northland/comity.conf"
start_all $states
log before "$(url northland)" "$circle/circle.bundle" northland.example
node=$(sed -n 's/^ready .* pid //p' "$circle/northland.out" | tail -n 1)
kill -9 "${pid[northland]}" "$node"
wait "${pid[northland]}" 2> /dev/null
gone() { ! kill -0 "$node"; }
until_true 10 gone
start northland
check "killed with its supervisor, it runs again" until_true 15 running northland
log after "$(url northland)" "$circle/circle.bundle" northland.example
same "a node without that vkey does not know the log" 404 \
    "$(printf 'old 0\n\nlog.example/2027\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 log.example/2027 AAAAAAAAAAAA\n' |
        curl -s -o "$circle/last" -w '%{http_code}' --data-binary @- "$(url southland /witness/add-checkpoint)")"
done_testing
