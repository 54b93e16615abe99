# What the end-to-end tests share: a circle on this machine's loopback, and checks that print TAP. To be sourced by a test that has
# set base_port, each its own (19000, 19100, ...). It starts processes, remembers their pids, and ends exactly those.
set -uo pipefail
[ -n "${COMITY_ALONE:-}" ] || exec "$(dirname "${BASH_SOURCE[0]}")/alone" env COMITY_ALONE=tried bash "$0" "$@"
program=$(realpath "${1:-build/src/cli/comity}")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
examples=$here/../../examples
circle=$(mktemp -d /tmp/comity-e2e.XXXXXX)
states="northland southland eastland westland"
xz=$examples/advisories/xz-backdoor.csaf.json
glibc=$examples/advisories/glibc-looney-tunables.osv.json
appliance=$examples/inventories/appliance.cdx.json
declare -A pid port
failures=0

finish() {
    local who
    for who in "${!pid[@]}"; do kill "${pid[$who]}" 2> /dev/null; done
    for who in "${!pid[@]}"; do wait "${pid[$who]}" 2> /dev/null; done
    rm -rf "$circle"
}
trap finish EXIT
trap 'exit 1' INT TERM

# TAP
ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; failures=$((failures + 1)); }
note() { sed 's/^/# /' | head -n "${1:-20}"; }
check() { # check WHAT COMMAND...
    local what=$1
    shift
    if "$@" > "$circle/check.out" 2>&1; then ok "$what"; else not_ok "$what"; note < "$circle/check.out"; fi
}
same() { # same WHAT WANTED GOT
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; echo "# wanted: $2"; echo "# got:    $3" | head -c 2000; echo; fi
}
code_of() { # code_of COMMAND...: prints its exit code, output to last
    local got=0
    "$@" > "$circle/last" 2>&1 || got=$?
    echo $got
}
done_testing() { exit $((failures > 0)); }

# Nodes
comity() { local who=$1; shift; "$program" -C "$circle/$who" "$@"; }
start() {
    "$program" -C "$circle/$1" serve > "$circle/$1.out" 2>> "$circle/$1.log" &
    pid[$1]=$!
}
stop() {
    kill "${pid[$1]}" 2> /dev/null
    wait "${pid[$1]}" 2> /dev/null
    unset "pid[$1]"
}
url() { echo "http://127.0.0.1:${port[$1]}${2:-}"; }
until_true() { # until_true SECONDS COMMAND...
    local end=$(($(date +%s) + $1))
    shift
    until "$@" > "$circle/until.out" 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.03
    done
}
running() { grep -q '"state":"running"' <<< "$(comity "$1" --json status)"; }
stands() { comity "$1" show "$2"; }
told() { grep -qF "$1" <<< "$(comity "${2:-operator}" --json notices)"; } # told WHAT [WHO]
id_of() { sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p'; }
value() { # value JSON-FILE EXPRESSION: of the parsed document x
    /usr/bin/python3 -c 'import json, sys; x = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}
publish() { comity vendor --json publish "$@" | id_of; } # publish [--open] FILE: prints the id
advisory() { # advisory ID PACKAGE: a small OSV record that affects every version of one Debian package
    printf '{"schema_version":"1.6.0","id":"%s","modified":"2024-01-01T00:00:00Z","summary":"a fault in %s","affected":[{"package":{"ecosystem":"Debian","name":"%s"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}\n' "$1" "$2" "$2"
}

init() { # init WHO PORT [NAME]
    local role=state
    case $1 in vendor | operator | observer) role=$1 ;; esac
    port[$1]=$2
    [ -f "$circle/passphrase" ] || head -c 18 /dev/urandom | base64 > "$circle/passphrase"
    "$program" init "$circle/$1" --name "${3:-$1.example}" --role $role --jurisdiction "$1" --listen "127.0.0.1:$2" \
        --url "http://127.0.0.1:$(($2 + ${url_offset:-0}))" --passphrase-file "$circle/passphrase" > "$circle/$1.init"
}
found() { # found PARTY...: keys, cards, charter (the states are the committee), accession; nothing runs yet
    local who n=0 cards=() committee=""
    for who in "$@"; do
        n=$((n + 1))
        init "$who" $((base_port + n))
        cards+=(--card "$circle/$who/card.note")
        case " $states " in *" $who "*) committee+=$who.example, ;; esac
    done
    "$program" charter new --name "Test circle" ${charter_options:-} "${cards[@]}" --committee "${committee%,}" --out "$circle/charter.json" > "$circle/charter.out"
    for who in "$@"; do comity "$who" charter accede "$circle/charter.json"; done
    comity "$1" charter bundle --out "$circle/circle.bundle"
}
start_all() { # start_all PARTY...
    local who
    for who in "$@"; do start "$who"; done
    for who in "$@"; do
        until_true 10 running "$who" || { not_ok "$who runs"; tail -n 5 "$circle/$who.log" | note; done_testing; }
    done
}
