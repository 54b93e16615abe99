#!/bin/bash
# System calls of a serving node made to fail from outside (strace -e inject), while it publishes: the process ends with its error and is
# started again, or carries on; what was acknowledged is there, in one log of one face. The signer's own calls cannot fail in this way: to
# its filter a call that a tracer has altered is a forbidden one. Usage: inject.sh [PROGRAM [ROUNDS-OF-EACH]]
base_port=20500
. "$(dirname "$0")/circle.bash"
rounds=${2:-2}
if ! strace -o "$circle/trace" -e trace=getpid -e inject=getpid:error=EIO true 2> "$circle/refused"; then
    echo "ok 1 - system calls fail in turn # SKIP strace cannot be used here: $(tail -n 1 "$circle/refused")"
    exit 0
fi
found northland southland vendor
start_all northland southland vendor
: > "$circle/acknowledged"
number=0
child() { pgrep -P "${pid[vendor]}" "$1" | head -n 1; }
speak() { # states something, and remembers it once it is acknowledged
    local id
    number=$((number + 1))
    id=$(echo "message $number" | comity vendor --json state --media text/plain --subject "message-$number" - 2> /dev/null | grep -v '"error"' | id_of)
    [ -n "$id" ] && echo "$id message-$number" >> "$circle/acknowledged"
}
attached() { grep -q attached "$circle/strace"; }
injected() { grep -q INJECTED "$circle/trace"; }
renewed() { [ "$(child comity-node)" != "$1" ]; }

# The N-th call of this kind from now on; then the tracer goes, and nothing more fails.
round() { # round CALL ERROR N
    local node said before
    until_true 20 running vendor || { not_ok "the vendor runs before $1 $2 $3"; tail -n 5 "$circle/vendor.log" | note; return; }
    node=$(child comity-node)
    before=$(wc -l < "$circle/vendor.log")
    : > "$circle/strace"
    : > "$circle/trace"
    strace -o "$circle/trace" -e "trace=$1" -e "inject=$1:error=$2:when=$3" -p "$node" 2> "$circle/strace" &
    pid[strace]=$!
    until_true 10 attached || not_ok "strace attaches"
    for _ in 1 2 3 4; do
        injected && break
        speak
    done
    injected && tries=$((tries + 1))
    injected && until_true 2 renewed "$node"
    stop strace
    until_true 20 running vendor || { not_ok "the vendor runs again after $1 $2"; tail -n 5 "$circle/vendor.log" | note; }
    if renewed "$node"; then
        said=$(tail -n "+$((before + 1))" "$circle/vendor.log" | grep -cE 'id=fatal .*error: (io|disk-full)')
        check "$1 $2, call $3: it ended, said why, and runs again" [ "$said" -gt 0 ]
        stopped=$((stopped + 1))
        stop vendor # a new supervisor: its waits grow from death to death
        start vendor
    elif injected; then
        ok "$1 $2, call $3: it carried on"
    else
        not_ok "$1 $2, call $3: no such call was made"
    fi
    until_true 20 running vendor
    speak
}
tries=0 stopped=0
for case in fdatasync:EIO fdatasync:ENOSPC pwrite64:EIO pwrite64:ENOSPC pwrite64:EDQUOT pwrite64:EINTR; do
    for ((n = 1; n <= rounds; n++)); do round "${case%:*}" "${case#*:}" "$n"; done
done
echo "# $tries calls failed, $stopped times a process ended"
check "calls were made to fail, and processes ended" [ "$tries" -gt 0 -a "$stopped" -gt 0 ]
last=$(tail -n 1 "$circle/acknowledged" | cut -d ' ' -f 1)
check "the last of $(wc -l < "$circle/acknowledged") acknowledged statements stands" until_true 20 stands vendor "$last"
check "the audit finds one good log" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url vendor)"
origin=$(curl -s "$(url vendor /checkpoint)" | head -n 1)
prefix=/mirror/$(printf %s "$origin" | sha256sum | cut -d ' ' -f 1)
check "... and so does the audit of a mirror's copy" "$program" log verify --charter "$circle/circle.bundle" --party vendor.example "$(url northland "$prefix")"
missing=$(/usr/bin/python3 "$here/oracle.py" missing "$(url vendor)" < "$circle/acknowledged")
same "every acknowledged statement is in the log, once" "" "$missing"
for who in northland southland vendor; do
    comity "$who" --json status > "$circle/status"
    same "$who has seen no two faces" False "$(value "$circle/status" 'any(p["their_log"]["two_faces"] for p in x["peers"])')"
done
stop vendor
same "SQLite finds its file whole" ok "$(sqlite3 "$circle/vendor/state.db" 'PRAGMA integrity_check')"
done_testing
