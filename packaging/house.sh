#!/bin/bash
# A folder of src/ includes headers of folders that stand below it, never of one above; the works never of each other.
set -uo pipefail
cd "$(dirname "$0")/.."
order=(base crypto format record store circle signer affected publish notify node shell lib cli)
bad=0
for ((i = 0; i < ${#order[@]}; i++)); do
    allowed=" ${order[*]:0:i+1} "
    while IFS=: read -r file line include; do
        room=$(sed -n 's/.*"\([a-z]*\)\/.*/\1/p' <<< "$include")
        if [[ "$allowed" != *" $room "* ]] || { [ "${order[i]}" = publish ] && [ "$room" = affected ]; }; then
            echo "$file:$line includes $room/, which stands above or beside ${order[i]}/"; bad=1
        fi
    done < <(grep -nE '^#include "[a-z]+/' "src/${order[i]}"/*.[ch]* 2> /dev/null)
done
# Functions that have no place in careful code.
if grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|alloca|strtok)\(' src -r --include='*.c' --include='*.h' --include='*.cpp'; then
    echo "a banned function is used"; bad=1
fi
# What the program must never learn to do, by name.
if grep -rniE '^\s*\{?"(block|filter|scan|intercept|delete-remote|search-person|wipe)"' src/cli src/shell; then
    echo "a command or route names a forbidden effect"; bad=1
fi
# One release number, wherever it stands.
release=$(sed -n 's/^#define COMITY_RELEASE "\(.*\)"/\1/p' src/base/version.h)
for place in "meson.build:version: '$release'" "packaging/debian/changelog:comity ($release)" "docs/openapi.json:\"version\": \"$release\""; do
    grep -qF "${place#*:}" "${place%%:*}" || { echo "${place%%:*} names another release than src/base/version.h"; bad=1; }
done
exit $bad
