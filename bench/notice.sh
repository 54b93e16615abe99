#!/bin/bash
# Six real nodes on loopback, as ./demo starts them, and bench_notice against them.
# Usage: bench/notice.sh BUILD-DIR [--json] [--count N]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1")
shift
program=$build/src/cli/comity
circle=$(mktemp -d /tmp/comity-bench.XXXXXX)
states="northland southland eastland westland"
parties="$states vendor operator"
port=${COMITY_BENCH_PORT:-18460}
pids=()
stop_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
    wait
    rm -rf "$circle"
}
trap stop_all EXIT

head -c 18 /dev/urandom | base64 > "$circle/passphrase"
cards=() committee=""
for who in $parties; do
    port=$((port + 1))
    case $who in
        vendor | operator) role=$who ;;
        *) role=state committee=$committee${committee:+,}$who.example ;;
    esac
    "$program" init "$circle/$who" --name "$who.example" --role $role --jurisdiction "$who" --listen "127.0.0.1:$port" \
        --passphrase-file "$circle/passphrase" > /dev/null
    cards+=(--card "$circle/$who/card.note")
done
"$program" charter new --name "Circle of six" "${cards[@]}" --committee "$committee" --identity northland.example:letter,call-backs=2 \
    --out "$circle/charter.json" > /dev/null
for who in $parties; do
    "$program" -C "$circle/$who" charter accede "$circle/charter.json" > /dev/null
    "$program" -C "$circle/$who" serve > /dev/null 2>> "$circle/log" &
    pids+=($!)
done
for who in $parties; do
    for _ in $(seq 300); do
        "$program" -C "$circle/$who" --json status 2> /dev/null | grep -q '"state":"running"' && continue 2
        sleep 0.05
    done
    echo "bench: $who does not run" >&2
    tail -n 3 "$circle/log" >&2
    exit 1
done
"$program" -C "$circle/operator" inventory add appliance examples/inventories/appliance.cdx.json > /dev/null
sleep 2 # accessions reach everybody
"$build/bench/bench_notice" --program "$circle" "$@"
