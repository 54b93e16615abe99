#!/bin/bash
# A party's folder on a small filesystem of its own: it publishes until that is full. The owner is told why, nothing that was acknowledged
# is lost, the others are not harmed, and with space again it goes on.
if [ -z "${COMITY_MOUNTS:-}" ] && unshare --mount true 2> /dev/null; then
    COMITY_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
base_port=20800
. "$(dirname "$0")/circle.bash"
if [ -z "${COMITY_MOUNTS:-}" ] || ! mkdir "$circle/vendor" || ! mount -t tmpfs -o size=10m,mode=0700 comity-full "$circle/vendor" 2> /dev/null; then
    echo "ok - a full disk # SKIP this machine allows no mount namespaces (root is needed)"
    exit 0
fi
cleanup() {
    for who in "${!pid[@]}"; do kill "${pid[$who]}" 2> /dev/null; wait "${pid[$who]}" 2> /dev/null; done
    unset pid
    declare -gA pid
    umount "$circle/vendor" 2> /dev/null
    finish
}
trap cleanup EXIT
parties="$states vendor"
exec 2> "$circle/stderr"
found $parties
start_all $parties
: > "$circle/acknowledged"
post() { # post N: states a document of 300 kB that no packing makes smaller; its exit code in $code
    head -c 225000 /dev/urandom | base64 > "$circle/document"
    for _ in $(seq 100); do # a node that has just stopped over another write is recovering for a moment, and says so
        comity vendor --json state --media text/plain --subject "message-$1" "$circle/document" > "$circle/last" 2>&1
        code=$?
        grep -q '"id":"recovering"' "$circle/last" || break
        sleep 0.1
    done
    [ $code = 0 ] && echo "$(id_of < "$circle/last") message-$1" >> "$circle/acknowledged"
}
n=0 code=0
while [ $code = 0 ] && [ $n -lt 100 ]; do
    n=$((n + 1))
    post $n
done
acknowledged=$(wc -l < "$circle/acknowledged")
check "it published until the disk was full: $acknowledged statements" [ "$acknowledged" -ge 3 -a $code != 0 ]
same "the one that did not fit is refused (exit 4)" 4 $code
check "... because the disk is full, and the answer says so" grep -q '"id":"disk-full"' "$circle/last"
note 3 < "$circle/last"
for n in 201 202 203; do post $n; [ $code = 0 ] || break; done
check "so are those that follow, or they fit" [ $code = 4 -o $code = 0 ]
check "the log says why" grep -q 'disk is full' "$circle/vendor.log"
for who in $states; do check "$who runs as before" running "$who"; done
df --output=avail -k "$circle/vendor" | tail -n 1 | sed 's/^/# kB left: /'

mount -o remount,size=64m "$circle/vendor"
alive() { [ -d "/proc/${pid[vendor]}" ] && running vendor; }
until_true 15 alive || { wait "${pid[vendor]}" 2> /dev/null; start vendor; }
check "with space again the node runs" until_true 20 running vendor
post 300
same "... and publishes" 0 $code
last=$(tail -n 1 "$circle/acknowledged" | cut -d ' ' -f 1)
check "... and it stands" until_true 30 stands vendor "$last"
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url vendor)" < "$circle/acknowledged")
same "every acknowledged statement is in the log, once" "" "$missing"
prefix=/mirror/$(curl -s "$(url vendor /checkpoint)" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
for who in $states; do
    check "the audit of $who's copy" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url "$who" "$prefix")"
done
stop vendor
check "the folder is whole" comity vendor check
done_testing
