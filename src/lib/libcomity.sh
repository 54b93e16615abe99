#!/bin/sh
# libcomity.sh OUTPUT PRIVATE_DIR ROOM.a...: joins the rooms into one object in which only comity_* is visible.
set -eu
output=$1 dir=$2
shift 2
mkdir -p "$dir"
ld -r -u comity_verify_receipt -u comity_version -o "$dir/all.o" --start-group "$@" --end-group
objcopy --wildcard --keep-global-symbol='comity_*' "$dir/all.o" "$dir/comity.o"
rm -f "$output"
ar rcsD "$output" "$dir/comity.o"
