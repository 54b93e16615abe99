#!/bin/bash
# A vendor states a release; who installs it checks the files against charter bundle, receipt and statement, offline.
base_port=20500
. "$(dirname "$0")/circle.bash"
found $states vendor
start_all $states vendor
cd "$circle" || exit 1
mkdir in
head -c 3000000 /dev/urandom > in/tool_1.0_amd64.deb
echo "a source" > in/tool-1.0.tar.gz
: > in/empty
state() { comity vendor --json release state --name tool --version 1.0 --source https://vendor.example/tool --commit 0123456789abcdef0123456789abcdef01234567 "$@"; }
same "a release of three files is stated" 0 "$(code_of state --out tool.json in/tool_1.0_amd64.deb in/tool-1.0.tar.gz in/empty)"
id=$(id_of < last)
check "its statement is an in-toto Statement" sh -c "grep -q '\"_type\":\"https://in-toto.io/Statement/v1\"' tool.json"
same "... that names what sha256sum finds" "$(cd in && sha256sum -- *)" \
    "$(value tool.json '"\n".join(sorted(("%s  %s" % (s["digest"]["sha256"], s["name"]) for s in x["subject"]), key=lambda line: line[66:]))')"
same "... built by the party, unless it says otherwise" urn:comity:party:vendor.example "$(value tool.json 'x["predicate"]["runDetails"]["builder"]["id"]')"
/usr/bin/python3 -W ignore -c '
import json, sys, jsonschema
jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open("tool.json")))' "$here/../../schemas/release.schema.json" > schema.out 2>&1
same "... and valid by its schema" 0 $?
check "it stands" until_true 15 stands vendor "$id"
comity vendor receipt "$id" --wait 20 --out tool.receipt > receipt.out
same "the subject is name and version" tool-1.0 "$(comity vendor --json show "$id" > shown; value shown 'x["subject"]')"

judge() { env -i "$program" --json release check --charter "${bundle:-circle.bundle}" --receipt "${receipt:-tool.receipt}" --statement "${statement:-tool.json}" --issuer "${issuer:-vendor.example}" "$@"; }
refused() { # refused CODE ID WHAT FILE...
    local want=$1 id=$2 what=$3
    shift 3
    same "$what" "$want" "$(code_of judge "$@")"
    check "... is $id" grep -qF "\"id\":\"$id\"" last
}
same "all its files are checked without a node" 0 "$(code_of judge in/tool_1.0_amd64.deb in/tool-1.0.tar.gz in/empty)"
same "... and told" "tool 1.0 3 standing" "$(value last '"%s %s %s %s" % (x["name"], x["version"], x["files"], x["state"])')"
same "one of them will do" 0 "$(code_of judge in/tool-1.0.tar.gz)"
mkdir out
cp in/* out/
printf x | dd of=out/tool_1.0_amd64.deb bs=1 seek=1000 conv=notrunc 2> dd.out
refused 1 hash-mismatch "a file with one other byte" out/tool_1.0_amd64.deb
refused 1 hash-mismatch "... also behind good ones" in/empty out/tool_1.0_amd64.deb
cp in/empty out/unknown
refused 1 not-found "a file under another name" out/unknown
refused 1 not-found "a file that is not there" out/nothing
issuer=northland.example refused 1 wrong-key "the same by another party" in/empty
sed 's/"empty"/"full"/' tool.json > forged.json
statement=forged.json refused 1 hash-mismatch "another statement" in/empty

comity vendor --json state --media text/plain --subject tool-1.0 tool.json | id_of > id
until_true 15 stands vendor "$(cat id)"
comity vendor receipt "$(cat id)" --wait 20 --out plain.receipt > receipt.out
receipt=plain.receipt refused 1 unsupported "the same bytes under another media type" in/empty
sed 's/"_type":"https:..in-toto.io.Statement.v1"/"_type":"x"/' tool.json > odd.json
comity vendor --json state --media application/vnd.in-toto+json --subject odd odd.json | id_of > id
until_true 15 stands vendor "$(cat id)"
comity vendor receipt "$(cat id)" --wait 20 --out odd.receipt > receipt.out
receipt=odd.receipt statement=odd.json refused 1 unsupported "what is no Statement v1" in/empty

same "nothing is overwritten" 5 "$(code_of state --out tool.json in/empty)"
same "two files of one name are no release" 1 "$(code_of state --out two.json in/empty out/empty)"
same "a release has files" 2 "$(code_of state --out none.json)"
same "a commit belongs to a source" 2 "$(code_of comity vendor release state --name a --version 1 --commit 00 --out c.json in/empty)"
stop vendor
same "without its node nothing is stated" 4 "$(code_of state --out late.json in/empty)"
check "... and no file is left that looks like it" [ ! -e late.json ]
done_testing
