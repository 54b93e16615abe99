#!/bin/bash
# /healthz and /metrics: well formed, true, and telling nothing private; in a circle that loses its quorum and gets it back.
base_port=20300
. "$(dirname "$0")/circle.bash"
found $states vendor
echo "metrics-listen = 127.0.0.1:20390" >> "$circle/vendor/comity.conf"
start_all $states vendor
metrics() { curl -sf --unix-socket "$circle/vendor/run/sock" http://localhost/metrics; }
get() { metrics | /usr/bin/python3 "$here/metrics.py" get "$1"; }
is() { [ "$(get "$1")" = "$2" ]; }
health() { curl -s -o "$circle/health" -w '%{http_code}' "$(url vendor /healthz)"; }
code() { curl -s -o "$circle/answer" -w '%{http_code}' "$@"; }
strict() { metrics > "$circle/metrics" && /usr/bin/python3 "$here/metrics.py" check < "$circle/metrics"; }

check "the figures are well formed" strict
same "a node that runs is well" "200 ok" "$(health) $(cat "$circle/health")"
same "... on HEAD too" 200 "$(code -I "$(url vendor /healthz)")"
if command -v promtool > /dev/null; then
    promtool check metrics < "$circle/metrics" > "$circle/promtool" 2>&1
    same "promtool finds no fault" "" "$(cat "$circle/promtool")"
else
    echo "ok - promtool finds no fault # SKIP promtool is not installed (Debian: prometheus)"
fi
cp "$circle/metrics" "$circle/before"

id=$(publish "$xz")
check "an advisory stands" until_true 15 stands vendor "$id"
comity vendor --json status > "$circle/status"
same "sizes are those of the status" "$(value "$circle/status" 'x["log"]["size"]')" "$(get 'comity_log_statements{party="vendor.example"}')"
same "... standing too" "$(value "$circle/status" 'x["log"]["standing"]')" "$(get 'comity_log_standing_statements{party="vendor.example"}')"
same "... and of a peer" "$(value "$circle/status" '[p["their_log"]["held"] for p in x["peers"] if p["party"] == "northland.example"][0]')" \
    "$(get 'comity_log_statements{party="northland.example"}')"
same "nothing is unwitnessed" 0 "$(get comity_unwitnessed_statements)"
same "four mirrors" 4 "$(get comity_quorum_mirrors)"
same "... of which three are needed" 3 "$(get comity_quorum_needed)"
same "... so one may be silent" 1 "$(get comity_quorum_margin)"
same "no mirror is missing" 0 "$(get 'comity_peer_missing_since_timestamp_seconds{party="southland.example"}')"
check "commits were timed" [ "$(get comity_store_commit_seconds_count)" -gt "$(/usr/bin/python3 "$here/metrics.py" get comity_store_commit_seconds_count < "$circle/before")" ]
check "the process has memory" [ "$(get process_resident_memory_bytes)" -gt 1000000 ]
metrics > "$circle/after"
check "counters only grow" /usr/bin/python3 "$here/metrics.py" grown "$circle/before" < "$circle/after"

refused=$(get 'comity_http_refused_total{reason="malformed"}')
same "a request without a plain target" 400 "$(code --path-as-is "$(url vendor /a/../b)")"
same "... is counted with its reason" $((refused + 1)) "$(get 'comity_http_refused_total{reason="malformed"}')"
same "... and its listener" $((refused + 1)) "$(get 'comity_http_responses_total{listener="public",code="400"}')"

same "the figures are not public" 404 "$(code "$(url vendor /metrics)")"
same "... but on the loopback listener that the owner asked for" 200 "$(code -D "$circle/head" http://127.0.0.1:20390/metrics)"
check "... in the format's own type" grep -qi '^content-type: text/plain; version=0.0.4' "$circle/head"
check "... well formed" /usr/bin/python3 "$here/metrics.py" check < "$circle/answer"
same "... where nothing else is" 404 "$(code http://127.0.0.1:20390/api/v1/status)"
same "... neither for reading" 404 "$(code http://127.0.0.1:20390/checkpoint)"
same "... nor for writing" 405 "$(code -X POST http://127.0.0.1:20390/metrics)"
echo "metrics-listen = 0.0.0.0:20391" >> "$circle/southland/comity.conf"
same "an address that others reach is refused" 4 "$(code_of comity southland --json serve)"
check "... naming key and rule" grep -q 'metrics-listen is ADDRESS:PORT on the loopback interface' "$circle/last"

secret=a-name-that-nobody-may-read
comity vendor inventory add $secret "$appliance" > "$circle/inventory.out"
same "an inventory is counted" 1 "$(get comity_inventories)"
check "... and not named" sh -c "! curl -sf --unix-socket '$circle/vendor/run/sock' http://localhost/metrics | grep -q $secret"

stop eastland
stop westland
id=$(publish --open "$glibc")
check "without two mirrors the margin is below zero" until_true 30 is comity_quorum_margin -1
same "... one statement is unwitnessed" 1 "$(get comity_unwitnessed_statements)"
check "... and since when each is missing is told" [ "$(get 'comity_peer_missing_since_timestamp_seconds{party="westland.example"}' | cut -d . -f 1)" -gt 1600000000 ]
same "... while the node itself is well" 200 "$(health)"

logged() { grep -q "level=$1 id=$2 party=vendor.example message=\"${3:-}" "$circle/vendor.log"; }
check "the log warns of a missing peer" logged warning peer-missing "westland.example does not answer"
check "... and that nothing new stands is an error" until_true 5 logged error quorum-lost

for process in $(pgrep -P "${pid[vendor]}"); do kill -9 "$process"; done
down() { [ "$(health)" = 503 ] && grep -q '^recovering' "$circle/health"; }
check "started again without its committee, it is not well, and says why" until_true 20 down
check "... in the log too" logged warning recovering
check "... in a word that names nobody" sh -c "! grep -q example '$circle/health'"
same "... as a figure" 1 "$(get comity_recovering)"
same "... with the answers that it needs" 3 "$(get comity_recovery_answers_needed)"
same "... and the restart is counted" 1 "$(get comity_node_restarts_total)"
check "... all well formed" strict
start eastland
start westland
well() { [ "$(health)" = 200 ]; }
check "with its committee it is well again" until_true 40 well
check "... and the log says so" until_true 5 logged info running
check "... and nothing is unwitnessed" until_true 40 is comity_unwitnessed_statements 0
done_testing
