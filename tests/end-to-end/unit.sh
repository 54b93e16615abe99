#!/bin/bash
# The systemd unit: well formed, and confined as far as systemd can judge without running it.
set -uo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-build/src/cli/comity}")
unit=packaging/comity.service
if ! command -v systemd-analyze > /dev/null; then
    echo "ok - the unit's exposure is under 2.0 # SKIP systemd-analyze is not installed"
    exit 0
fi
work=$(mktemp -d /tmp/comity-unit.XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0
result() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; failures=$((failures + 1)); sed 's/^/# /' "$work/out" | tail -n 20; fi; }

systemd-analyze security --offline=true --no-pager "$unit" > "$work/out" 2>&1
exposure=$(sed -n 's/.*Overall exposure level for comity.service: \([0-9.]*\).*/\1/p' "$work/out")
awk -v e="$exposure" 'BEGIN { exit !(e != "" && e < 2.0) }'
result $? "the unit's exposure is ${exposure:-unknown}, under 2.0"
sed "s|/usr/bin/comity|$program|" "$unit" > "$work/comity.service"
systemd-analyze verify --man=no "$work/comity.service" > "$work/out" 2>&1 && [ ! -s "$work/out" ]
result $? "systemd finds no fault in the unit"
[ "$failures" = 0 ]
