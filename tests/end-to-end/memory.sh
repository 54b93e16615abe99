#!/bin/bash
# Commands that need no node, with each of their allocations failing in turn: the right answer, or exit code 4 and the memory error; no
# crash, no other answer, nothing half written. Usage: memory.sh [PROGRAM [ALLOCATIONS-AT-MOST-A-COMMAND]]
base_port=20400
. "$(dirname "$0")/circle.bash"
library=$(dirname "$program")/../../tests/faults/libinterpose.so
[ -f "$library" ] || { echo "ok 1 - allocations fail in turn # SKIP $library is not built"; exit 0; }
if ldd "$program" | grep -q libasan; then
    echo "ok 1 - allocations fail in turn # SKIP the sanitizer's allocator stands in the place of the interposed one"
    exit 0
fi
found $states vendor
start_all $states vendor
id=$(publish "$xz")
check "the advisory stands" until_true 15 stands vendor "$id"
comity vendor receipt "$id" --out "$circle/receipt.tlog-proof" > "$circle/last" 2>&1
comity vendor receipt "$id" --form cose --out "$circle/receipt.cose" > "$circle/last" 2>&1
sed -n '/Recovery key/,$p' "$circle/vendor.init" | tail -n +3 > "$circle/words"
stop vendor
/usr/bin/python3 "$here/memory.py" "$library" "$program" "$circle" "$xz" "${2:-24}" || failures=1
done_testing
