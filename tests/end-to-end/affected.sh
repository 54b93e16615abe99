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
affected --advisories "$advisories" --inventory "$appliance" --inventory "$appliance" --fail-on never --cyclonedx-vex > "$circle/twice" 2> "$circle/last"
check "... and what it affects once, in however many inventories" cmp "$circle/vex" "$circle/twice"
echo '{"torn":' > "$advisories/torn.json"
echo '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"nameless"}]}' > "$circle/bom.json"
same "a torn advisory and a component without a version do not stop the rest" 1 \
    "$(code_of affected --advisories "$advisories" --inventory "$appliance" --inventory "$circle/bom.json")"
check "... and are told with their file" grep -q 'torn.json: ' "$circle/last"
check "... and path" grep -q 'bom.json: components\[0\]: ' "$circle/last"
same "... for --fail-on undecided they count" 1 "$(code_of affected --advisories "$advisories/torn.json" --inventory "$circle/bom.json" --fail-on undecided)"
same "an inventory that is none is told, and never passes" 1 "$(code_of affected --advisories "$advisories/deep/er" --inventory "$xz")"
check "... by file" grep -q 'xz-backdoor.csaf.json: ' "$circle/last"
same "... unless nothing should fail" 0 "$(code_of affected --advisories "$advisories/deep/er" --inventory "$xz" --fail-on never)"
truncate -s 500M "$circle/huge.json"
same "an inventory of 500 MB never passes" 1 "$(code_of affected --advisories "$advisories/deep/er" --inventory "$circle/huge.json")"
check "... and is told with its file, the limit and what to do, unread" grep -q 'huge.json: .*524288000 bytes, the limit is 67108864; send less, or split it' "$circle/last"
echo '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":' > "$circle/torn-bom.json"
same "a torn inventory beside a whole one" 1 "$(code_of affected --advisories "$advisories" --inventory "$circle/torn-bom.json" --inventory "$appliance")"
check "... is told by byte" grep -q 'torn-bom.json: .*byte [0-9]' "$circle/last"
check "... and the whole one is judged" grep -q '^AFFECTED' "$circle/last"

# Archives and pipes give what the folder gives
(cd "$advisories/deep" && tar -cf ../../a.tar . && tar -czf ../../a.tar.gz . && tar --zstd -cf ../../a.tar.zst . && tar -cJf ../../a.tar.xz . &&
    /usr/bin/python3 -m zipfile -c ../../a.zip ./*.json er)
folder=$(affected --advisories "$advisories/deep" --inventory "$appliance" --fail-on never 2> "$circle/last")
for archive in a.tar a.tar.gz a.tar.zst a.tar.xz a.zip; do
    same "$archive gives what the folder gives" "$folder" "$(affected --advisories "$circle/$archive" --inventory "$appliance" --fail-on never 2> "$circle/last")"
    same "... from a pipe, too" "$folder" "$(affected --advisories - --inventory "$appliance" --fail-on never < "$circle/$archive" 2> "$circle/last")"
done
gzip -k "$circle/bom.json"
same "one compressed advisory" "$(affected --advisories "$xz" --inventory "$appliance" --fail-on never 2> "$circle/last")" \
    "$(gzip -c "$xz" | affected --advisories - --inventory "$appliance" --fail-on never 2> "$circle/last")"
same "an inventory from a pipe" "$folder" "$(affected --advisories "$advisories/deep" --inventory - --fail-on never < "$appliance" 2> "$circle/last")"
same "standard input is read once" 2 "$(code_of affected --advisories - --inventory - < "$appliance")"
mkdir "$circle/mixed" && cp "$circle/a.zip" "$circle/mixed/" && ln -s "$xz" "$circle/mixed/outside.json"
affected --advisories "$circle/mixed" --inventory "$appliance" --fail-on never > "$circle/last" 2>&1
check "an archive in a folder is read" grep -q '^AFFECTED' "$circle/last"
if "$program" --json confinement 2> /dev/null | grep -q 'Landlock is not\|sanitizer build'; then echo "# no Landlock here"; else
    check "a link out of what was named is refused by the kernel, and told" grep -q 'outside.json: .*Permission denied' "$circle/last"; fi
head -c 300 "$circle/a.zip" > "$circle/cut.zip"
same "a torn archive never passes" 1 "$(code_of affected --advisories "$circle/cut.zip" --inventory "$appliance")"
check "... and is told" grep -q 'cut.zip: ' "$circle/last"

# Every kind of inventory
fixed() { # fixed ID NAME ECOSYSTEM VERSION: every version before is affected
    printf '{"schema_version":"1.6.0","id":"%s","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"%s","name":"%s"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"%s"}]}]}]}\n' "$1" "$3" "$2" "$4"
}
fixed KIND-1 openssl-libs AlmaLinux:9 1:3.0.7-25.el9 > "$advisories/kind-1.json"
fixed KIND-2 busybox Alpine:v3.19 1.36.1-r16 > "$advisories/kind-2.json"
fixed KIND-3 lodash npm 4.17.21 > "$advisories/kind-3.json"
printf 'openssl-libs\t1\t3.0.7\t24.el9\tx86_64\topenssl-3.0.7-24.el9.src.rpm\n' > "$circle/rpm.list"
printf 'P:ssl_client\nV:1.36.1-r15\no:busybox\n' > "$circle/installed"
echo '{"spdxVersion":"SPDX-2.3","packages":[{"name":"lodash","versionInfo":"4.17.20","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/lodash@4.17.20"}]}]}' > "$circle/spdx.json"
printf 'Anlage;Paket;Stand;Quelle\nPumpe;lodash;4.17.20;npm\n' > "$circle/table.csv"
hits() { affected --advisories "$advisories" --fail-on never "$@" 2> "$circle/last" | grep -c '^AFFECTED'; }
same "a listing of rpm" 1 "$(hits --inventory "$circle/rpm.list" --distribution AlmaLinux:9)"
same "... of another release" 0 "$(hits --inventory "$circle/rpm.list" --distribution AlmaLinux:8)"
same "... which must be said" 1 "$(code_of affected --advisories "$advisories" --inventory "$circle/rpm.list")"
same "the database of apk, by its source package" 1 "$(hits --inventory "$circle/installed" --distribution Alpine:v3.19)"
same "SPDX" 1 "$(hits --inventory "$circle/spdx.json")"
same "a CSV with its columns told" 1 "$(hits --inventory "$circle/table.csv" --columns 'asset=Anlage,name=Paket,version=Stand,ecosystem=Quelle')"
same "several at once, each of its kind" 2 "$(hits --inventory "$circle/spdx.json" --inventory "$circle/table.csv" --columns 'name=Paket,version=Stand,ecosystem=Quelle')"
same "a column that is not there" 1 "$(code_of affected --advisories "$advisories" --inventory "$circle/table.csv" --columns 'name=Package')"
check "... is told" grep -q 'table.csv: .*no column "Package"' "$circle/last"
same "a folder that is not there" 4 "$(code_of affected --advisories "$circle/nowhere" --inventory "$appliance")"
same "no inventory at all" 2 "$(code_of affected --advisories "$advisories")"
same "two formats at once" 2 "$(code_of affected --advisories "$advisories" --inventory "$appliance" --sarif --cyclonedx-vex)"
cp "$circle/json" "$circle/first"
comity_json() { "$program" --json affected --advisories "$advisories/deep" --inventory "$appliance" --fail-on never; }
comity_json > "$circle/first"
comity_json > "$circle/second"
check "the same input gives the same output" cmp "$circle/first" "$circle/second"
done_testing
