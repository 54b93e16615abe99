#!/bin/bash
# Without a quorum what informs still goes out, and says that it is unwitnessed; when the mirrors are back everything stands.
base_port=19100
. "$(dirname "$0")/circle.bash"
parties="$states vendor operator"
found $parties
start_all $parties
comity operator inventory add appliance "$appliance" > "$circle/last" || not_ok "the operator takes in an SBOM"

first=$(publish --open "$glibc")
check "with four mirrors a statement stands" until_true 10 stands vendor "$first"
check "... and the operator has its notice" until_true 10 told VENDOR-2023-4911

stop eastland
stop westland
second=$(publish "$xz")
check "two of four mirrors are gone: the operator is told all the same" until_true 10 told VENDOR-2024-0001
sleep 0.5
same "the statement is not standing (exit 3)" 3 "$(code_of comity vendor show "$second")"
comity vendor --json show "$second" > "$circle/shown"
same "... it is logged" logged "$(value "$circle/shown" 'x["state"]')"
same "... three mirrors of four are needed" "3 4" "$(value "$circle/shown" '"%d %d" % (x["needed"], x["mirrors"])')"
half() {
    comity vendor --json show "$second" > "$circle/shown"
    [ "$(value "$circle/shown" '"%d %d" % (x["cosigned"], len(x["cosigners"]))')" = "2 2" ]
}
check "... two have cosigned it" until_true 10 half
same "... these" "northland.example southland.example" "$(value "$circle/shown" '" ".join(c["party"] for c in x["cosigners"] if c["cosigned_at"])')"
same "... and these have not" "eastland.example westland.example" "$(value "$circle/shown" '" ".join(x["missing"])')"
comity vendor show "$second" > "$circle/shown"
check "people read how many, and who" grep -qzE 'cosigned +2 of 4, 3 needed.*by +northland.example, southland.example.*missing +eastland.example, westland.example' "$circle/shown"
comity operator --json notices > "$circle/n"
row='next(r for r in x if r["notice"]["advisory"]["id"] == "VENDOR-2024-0001")'
same "the notice says that it was logged only" "logged/" "$(value "$circle/n" "$row[\"notice\"][\"advisory\"][\"state\"] + '/' + $row[\"notice\"][\"advisory\"][\"standing_since\"]")"
same "... and so it is still" "logged/" "$(value "$circle/n" "$row[\"state\"] + '/' + $row[\"standing_since\"]")"
comity operator notices --details > "$circle/n" || true
check "... as people read" grep -qx ' *unwitnessed' "$circle/n"
check "people read that it is unwitnessed" grep -q unwitnessed "$circle/shown"
same "a receipt is refused (exit 3)" 3 "$(code_of comity vendor --json receipt "$second")"
check "... as not standing" grep -q '"id":"not-standing"' "$circle/last"
same "no receipt within a second of waiting either" 3 "$(code_of comity vendor receipt "$second" --wait 1)"
same "status: exit 3 while something is unwitnessed" 3 "$(code_of comity vendor --json status)"
cp "$circle/last" "$circle/status"
missing='" ".join(sorted(p["party"] for p in x["peers"] if p["missing_since"] and p["mirror"]))'
same "status names the missing mirrors" "eastland.example westland.example" "$(value "$circle/status" "$missing")"
same "... two mirrors hold the whole log" 2 "$(value "$circle/status" 'sum(p["mirror"] and p["cosigned_our_size"] == x["log"]["size"] for p in x["peers"])')"
same "... and counts what is unwitnessed" 1 "$(value "$circle/status" 'x["log"]["unwitnessed"]')"
comity vendor status > "$circle/status.text"
check "people read it, too" grep -q 'eastland.example.*missing since' "$circle/status.text"
same "/entries/ID answers 303 until it stands" 303 "$(curl -s -o "$circle/last" -w '%{http_code}' "$(url vendor "/entries/$second")")"

start eastland
check "a third mirror is back: it stands without another act" until_true 20 stands vendor "$second"
start westland
until_true 10 running westland || not_ok "westland runs again"
west() { comity vendor --json status > "$circle/status"; [ "$(value "$circle/status" 'min(p["cosigned_our_size"] for p in x["peers"] if p["mirror"]) == x["log"]["size"]')" = True ]; }
check "the fourth catches up" until_true 20 west
nobody_missing() { comity vendor --json status > "$circle/status"; [ -z "$(value "$circle/status" "$missing")" ]; }
check "nobody is missing any more" until_true 20 nobody_missing
same "status: exit 0" 0 "$(code_of comity vendor status)"
check "the operator sees it standing, too" until_true 10 stands operator "$second"
comity vendor receipt "$second" --wait 5 --out "$circle/receipt"
check "the receipt verifies" "$program" verify --charter "$circle/circle.bundle" --receipt "$circle/receipt" --document "$xz"
comity operator --json notices > "$circle/n"
comity operator --json show "$second" > "$circle/shown"
same "the notice still says what was then" logged "$(value "$circle/n" "$row[\"notice\"][\"advisory\"][\"state\"]")"
same "... and beside it stands since when it stands" "$(value "$circle/shown" '"standing/" + x["standing_since"]')" \
    "$(value "$circle/n" "$row[\"state\"] + '/' + $row[\"standing_since\"]")"
comity operator notices --details > "$circle/text" || true
check "... as people read" grep -qE 'unwitnessed then, standing since 20' "$circle/text"
comity operator inventory add later "$appliance" > "$circle/last" || true
comity operator --json notices > "$circle/late"
same "a notice made later says that it stands" "$(value "$circle/shown" '"standing/" + x["standing_since"]')" \
    "$(value "$circle/late" "next(r['notice']['advisory']['state'] + '/' + r['notice']['advisory']['standing_since'] for r in x if r['notice']['inventory'] == 'later' and r['notice']['advisory']['id'] == 'VENDOR-2024-0001')")"
same "exactly one notice for each advisory and component" True \
    "$(value "$circle/n" 'len(x) == 2 and len({r["notice"]["id"] for r in x}) == 2 and len({(r["notice"]["advisory"]["id"], r["notice"]["component"]["name"]) for r in x}) == 2')"
done_testing
