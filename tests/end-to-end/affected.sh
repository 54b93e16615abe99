#!/bin/bash
# comity affected: inventories judged by advisories without any node, in a pipeline.
base_port=20800
. "$(dirname "$0")/circle.bash"
advisories=$circle/advisories
mkdir -p "$advisories/deep/er"
cp "$xz" "$glibc" "$advisories/deep/"
advisory EX-1 no-such-package > "$advisories/deep/er/none.json"
affected() { "$program" affected "$@"; }
same "what is affected gives exit code 1" 1 "$(code_of affected --advisories "$advisories" --inventory "$appliance")"
check "... and is told with its reason" grep -q 'AFFECTED .*liblzma5\|AFFECTED .*xz' "$circle/last"
check "... and counted" grep -q '^3 advisories, 1 inventories: [1-9][0-9]* affected' "$circle/last"
same "--fail-on never gives 0" 0 "$(code_of affected --advisories "$advisories" --inventory "$appliance" --fail-on never)"
same "nothing affected gives 0" 0 "$(code_of affected --advisories "$advisories/deep/er" --inventory "$appliance")"
affected --advisories "$advisories" --inventory "$appliance" --fail-on never > "$circle/human"
"$program" --json affected --advisories "$advisories" --inventory "$appliance" --fail-on never > "$circle/json"
same "--json has as many" "$(grep -c ^AFFECTED "$circle/human")" "$(value "$circle/json" 'sum(f["verdict"] == "affected" for f in x["findings"])')"
affected --advisories "$advisories" --inventory "$appliance" --fail-on never --sarif > "$circle/sarif"
same "SARIF has a result each" "$(grep -c ^AFFECTED "$circle/human")" "$(value "$circle/sarif" 'len(x["runs"][0]["results"])')"
same "... each of a rule that is there" True "$(value "$circle/sarif" 'all(r["ruleId"] in [d["id"] for d in x["runs"][0]["tool"]["driver"]["rules"]] for r in x["runs"][0]["results"])')"
affected --advisories "$advisories" --inventory "$appliance" --fail-on never --cyclonedx-vex > "$circle/vex"
same "CycloneDX VEX has each advisory once" True "$(value "$circle/vex" 'x["bomFormat"] == "CycloneDX" and len({v["id"] for v in x["vulnerabilities"]}) == len(x["vulnerabilities"]) > 0')"
echo '{"torn":' > "$advisories/torn.json"
echo '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"nameless"}]}' > "$circle/bom.json"
same "a torn advisory and a component without a version do not stop the rest" 1 \
    "$(code_of affected --advisories "$advisories" --inventory "$appliance" --inventory "$circle/bom.json")"
check "... and are told with their file" grep -q 'torn.json: ' "$circle/last"
check "... and path" grep -q 'bom.json: components\[0\]: ' "$circle/last"
same "... for --fail-on undecided they count" 1 "$(code_of affected --advisories "$advisories/torn.json" --inventory "$circle/bom.json" --fail-on undecided)"
same "an inventory that is none is told" 0 "$(code_of affected --advisories "$advisories/deep/er" --inventory "$xz")"
check "... by file" grep -q 'xz-backdoor.csaf.json: ' "$circle/last"
same "a folder that is not there" 4 "$(code_of affected --advisories "$circle/nowhere" --inventory "$appliance")"
same "no inventory at all" 2 "$(code_of affected --advisories "$advisories")"
same "two formats at once" 2 "$(code_of affected --advisories "$advisories" --inventory "$appliance" --sarif --cyclonedx-vex)"
cp "$circle/json" "$circle/first"
comity_json() { "$program" --json affected --advisories "$advisories/deep" --inventory "$appliance" --fail-on never; }
comity_json > "$circle/first"
comity_json > "$circle/second"
check "the same input gives the same output" cmp "$circle/first" "$circle/second"
done_testing
