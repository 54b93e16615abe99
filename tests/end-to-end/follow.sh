#!/bin/bash
# A node in no circle follows sources: a CSAF provider by ROLIE and by folder, an OSV archive, a catalogue of exploited vulnerabilities. What
# changes, vanishes, changes silently, lies about its hash, leads elsewhere or never ends; cuts and restarts.
base_port=21300
. "$(dirname "$0")/circle.bash"
source_port=$((base_port + 60)) other_port=$((base_port + 61))
web=$circle/web other=$circle/other
source="http://127.0.0.1:$source_port" elsewhere="http://127.0.0.1:$other_port"
mkdir -p "$web/csaf/2026" "$web/osv" "$other"
make() { /usr/bin/python3 "$here/source_make.py" "$@"; }
asked() { grep -c "$@" "$circle/asked" || true; } # how many requests match
serve_sources() {
    /usr/bin/python3 "$here/source.py" $source_port "$web" "$circle/asked" &
    pid[source]=$!
    /usr/bin/python3 "$here/source.py" $other_port "$other" "$circle/asked.other" &
    pid[other]=$!
    until_true 10 curl -s -o "$circle/probe" "$source/" && until_true 10 curl -s -o "$circle/probe" "$elsewhere/"
    : > "$circle/asked"
    : > "$circle/asked.other"
}
behaviour() { echo "$1" > "$web/behaviour.json"; }
now() { comity observer follow now "$@" > "$circle/now" 2>&1; } # the exit code is the outcome
feed() { # feed NAME EXPRESSION: of the feed x
    comity observer --json follow list > "$circle/feeds"
    value "$circle/feeds" "[$2 for x in x if x['name'] == '$1'][0]"
}
shown() { comity observer follow show "$1" > "$circle/shown" 2>&1; }
notices() { comity observer --json notices > "$circle/notices"; value "$circle/notices" "$1"; }
rolie() { make rolie "$web/csaf/white.json" "$source/csaf/" "$@"; }

init observer $((base_port + 1))
printf 'Package: xz-utils\nStatus: install ok installed\nVersion: 5.4.1-0.2\nArchitecture: amd64\n\nPackage: zlib1g\nStatus: install ok installed\nSource: zlib\nVersion: 1:1.2.13\nArchitecture: amd64\n\n' > "$circle/status"
serve_sources
start observer
in_none() { grep -q '"state":"in no circle"' <<< "$(comity observer --json status)"; }
check "a node in no circle runs" until_true 10 in_none
comity observer inventory add gateway "$circle/status" --distribution Debian:12 > "$circle/last" || not_ok "it takes in an inventory"

# The provider by ROLIE
for n in 1 2 3; do make csaf "$web/csaf/2026/hw-$n.json" "HW-2026-$n" 1.0.0 "2026-01-0${n}T00:00:00Z" "package-$n"; done
make csaf "$web/csaf/2026/hw-1.json" HW-2026-1 1.0.0 2026-01-01T00:00:00Z zlib "Zlib has a fault" CVE-2026-1111
make hash "$web"/csaf/2026/*.json
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-01-02T00:00:00Z 2026/hw-3.json=2026-01-03T00:00:00Z
make provider "$web/csaf/provider-metadata.json" "$source/csaf/provider-metadata.json" "rolie=$source/csaf/white.json"
behaviour '{"/csaf/2026/hw-2.json": {"cut": 300}}'
check "a provider is followed" comity observer follow add harbour "$source/csaf/provider-metadata.json"
same "... and asked: all is here" 0 "$(code_of now harbour)"
same "... three documents, though one was cut in the middle" "3 3 0" "$(feed harbour '"%d %d %d" % (x["documents"], x["taken"], x["refused"])')"
same "... which went on by Range" 1 "$(asked '/csaf/2026/hw-2.json range=bytes=300-')"
same "... with their hashes" 3 "$(asked '\.sha')"
same "... by somebody who names itself" 0 "$(asked -v 'agent=Comity/')"
same "... what it is shows in its content" "CSAF provider: Harbour Works" "$(feed harbour '"%s: %s" % (x["kind"], x["title"])')"
check "the inventory's owner has the notice" until_true 10 told HW-2026-1 observer
same "... of the feed, which is nobody in a circle" "feed:harbour followed" "$(notices '"%s %s" % (x[0]["notice"]["advisory"]["source"], x[0]["notice"]["advisory"]["state"])')"

: > "$circle/asked"
same "asked again, nothing is new" 0 "$(code_of now harbour)"
same "... and the list has not changed: two requests" "2 0" "$(asked .) $(feed harbour 'x["last_run"]["taken"]')"

make csaf "$web/csaf/2026/hw-2.json" HW-2026-2 2.0.0 2026-02-02T00:00:00Z xz-utils "Xz has a fault"
make hash "$web"/csaf/2026/*.json
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z
: > "$circle/asked"
same "one changes, one vanishes" 0 "$(code_of now harbour)"
same "... the changed one is taken, the vanished one is written down" "1 1 1" "$(feed harbour '"%d %d %d" % (x["last_run"]["taken"], x["last_run"]["gone"], x["gone"])')"
check "... the new revision reaches the owner" until_true 10 told HW-2026-2 observer
shown harbour
check "... show tells what is gone" grep -q "gone from there since" "$circle/shown"

cp "$web/csaf/2026/hw-1.json" "$circle/hw-1.kept"
make csaf "$web/csaf/2026/hw-1.json" HW-2026-1 1.0.0 2026-01-01T00:00:00Z zlib "Zlib has another title" CVE-2026-1111
make hash "$web"/csaf/2026/*.json
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z
same "a document changes silently; it is asked for again" 0 "$(code_of now harbour --check)"
same "... and taken, and marked" "1 1" "$(feed harbour '"%d %d" % (x["last_run"]["taken"], x["silent"])')"
same "... show says so, with exit code 1" 1 "$(code_of shown harbour)"
check "... and which" grep -q -A1 "hw-1.json" "$circle/shown"
check "... in words" grep -q "SILENT CHANGE" "$circle/shown"

make csaf "$web/csaf/2026/hw-4.json" HW-2026-4 1.0.0 2026-03-01T00:00:00Z zlib "Not what was hashed"
make hash "$web/csaf/2026/hw-4.json"
make csaf "$web/csaf/2026/hw-4.json" HW-2026-4 1.0.0 2026-03-01T00:00:00Z zlib "Altered on its way"
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z 2026/hw-4.json=2026-03-01T00:00:00Z
same "a document that is not what its hash says is refused: exit code 1" 1 "$(code_of now harbour)"
shown harbour
check "... and shown" grep -q "hash-mismatch" "$circle/shown"
check "... and nobody is told of it" bash -c "! '$program' -C '$circle/observer' --json notices | grep -q HW-2026-4"
make hash "$web/csaf/2026/hw-4.json"
same "put right, it is taken" "0 1" "$(code_of now harbour) $(feed harbour 'x["last_run"]["taken"]')"

# Where it may not lead
cp "$web/csaf/2026/hw-4.json" "$other/stray.json"
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z 2026/hw-4.json=2026-03-01T00:00:00Z "$elsewhere/stray.json=2026-03-01T00:00:00Z"
same "a list names a document on another host: refused" 1 "$(code_of now harbour)"
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z 2026/hw-4.json=2026-03-02T00:00:00Z
behaviour "{\"/csaf/2026/hw-4.json\": {\"redirect\": \"$elsewhere/stray.json\"}}"
same "a redirect to another host: refused" 1 "$(code_of now harbour)"
check "... with the reason" grep -q "leads elsewhere" "$circle/now"
cp "$web/csaf/2026/hw-4.json" "$web/csaf/2026/moved.json"
behaviour '{"/csaf/2026/hw-4.json": {"redirect": "/csaf/2026/moved.json"}}'
same "a redirect on the same host is followed" 0 "$(code_of now harbour)"
same "the other host was never asked" "" "$(cat "$circle/asked.other")"
behaviour '{"/csaf/2026/hw-4.json": {"endless": true}}'
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z 2026/hw-4.json=2026-03-03T00:00:00Z
same "a body without end ends at its limit: exit code 4" 4 "$(code_of now harbour)"
check "... and is told" grep -q "larger than a document may be" "$circle/now"
same "... and the run counts as failed" 1 "$(feed harbour 'x["failures"]')"
behaviour '{}'
same "the next one is good" "0 0" "$(code_of now harbour) $(feed harbour 'x["failures"]')"

# The folder
cat > "$web/csaf/changes.csv" << END
"2026/hw-2.json","2026-02-02T00:00:00Z"
"2026/hw-1.json","2026-01-01T00:00:00Z"
"2026/hw-1.json","2025-01-01T00:00:00Z"
"../../etc/hosts.json","2025-01-01T00:00:00Z"
END
check "a folder is followed" comity observer follow add folder "$source/csaf/"
same "... a path out of it is refused" 1 "$(code_of now folder)"
same "... and two documents are here" "CSAF directory 2" "$(feed folder '"%s %d" % (x["kind"], x["documents"])')"
rm "$web/csaf/changes.csv"
printf '2026/hw-1.json\n2026/hw-2.json\n' > "$web/csaf/index.txt"
same "without changes.csv its index.txt is read" "0 CSAF directory without dates" "$(code_of now folder) $(feed folder 'x["kind"]')"

# An aggregator: one provider that answers, and one that does not, whose mirror does
mkdir -p "$web/mirror" "$web/.well-known/csaf"
make rolie "$web/mirror/white.json" "$source/csaf/" 2026/hw-4.json=2026-03-03T00:00:00Z
make provider "$web/mirror/provider-metadata.json" "$source/mirror/provider-metadata.json" "rolie=$source/mirror/white.json"
make aggregator "$web/aggregator.json" "$source/csaf/provider-metadata.json" "$source/nowhere/provider-metadata.json=$source/mirror/provider-metadata.json"
rolie 2026/hw-1.json=2026-01-01T00:00:00Z 2026/hw-2.json=2026-02-02T00:00:00Z
check "an aggregator is followed" comity observer follow add all "$source/aggregator.json"
same "... and its providers, one by its mirror" "0 CSAF aggregator 3" "$(code_of now all) $(feed all '"%s %d" % (x["kind"], x["documents"])')"
check "a host alone is followed" comity observer follow add host "$source"
same "... by its metadata at the well-known place" 4 "$(code_of now host)"
printf 'Contact: mailto:psirt@harbour.example\nCSAF: https://127.0.0.1:%s/x\n' $source_port > "$web/.well-known/security.txt"
make provider "$web/.well-known/csaf/provider-metadata.json" "$source/.well-known/csaf/provider-metadata.json" "directory=$source/csaf"
same "... once it is there" "0 CSAF provider 2" "$(code_of now host) $(feed host '"%s %d" % (x["kind"], x["documents"])')"

# The archive
for n in $(seq 1 120); do make osv "OSV-$n" 2026-01-01T00:00:00Z "package-$n" > "$circle/osv-$n.json"; done
members() { for n in $(seq 1 120); do echo "OSV-$n.json=$circle/osv-$n.json"; done; }
make osv OSV-7 2026-01-01T00:00:00Z xz-utils > "$circle/osv-7.json"
# shellcheck disable=SC2046
make zip "$web/osv/all.zip" $(members)
check "an archive is followed" comity observer follow add osv "$source/osv/all.zip"
same "... and asked" 0 "$(code_of now osv)"
same "... all of it is here" "archive 120" "$(feed osv '"%s %d" % (x["kind"], x["documents"])')"
check "... the owner is told" until_true 10 told OSV-7 observer
: > "$circle/asked"
same "asked again, it has not changed: one request" "0 1" "$(code_of now osv) $(asked .)"
make osv OSV-9 2026-02-01T00:00:00Z zlib > "$circle/osv-9.json"
# shellcheck disable=SC2046
make zip "$web/osv/all.zip" $(members | grep -v OSV-100.json)
same "one record changes, one vanishes" 0 "$(code_of now osv)"
same "... and only that is fetched" "1 1 1" "$(feed osv '"%d %d %d" % (x["last_run"]["taken"], x["last_run"]["asked"], x["last_run"]["gone"])')"
check "... the owner is told" until_true 10 told OSV-9 observer
behaviour '{"/osv/all.zip": {"no_range": true}}'
make osv OSV-11 2026-02-02T00:00:00Z zlib > "$circle/osv-11.json"
# shellcheck disable=SC2046
make zip "$web/osv/all.zip" $(members | grep -v OSV-100.json)
same "from a server without Range it comes whole" "0 1" "$(code_of now osv) $(feed osv 'x["last_run"]["taken"]')"
behaviour '{}'

# Signatures
export GNUPGHOME=$circle/gnupg
mkdir -m 700 "$GNUPGHOME"
key_make() { gpg --batch --quiet --passphrase "" --quick-generate-key "$1" "$2" sign never; }
key_sign() { gpg --batch --quiet --no-auto-check-trustdb --yes --local-user "$1" --armor --output "$2.asc" --detach-sign "$2"; }
key_make right@harbour.example ed25519 && key_make wrong@harbour.example rsa3072 || not_ok "gpg makes keys"
gpg --batch --quiet --armor --export right@harbour.example > "$circle/right.asc"
gpg --batch --quiet --armor --export > "$circle/both.asc"
mkdir -p "$web/signed/2026"
for n in 1 2 3; do make csaf "$web/signed/2026/s-$n.json" "S-2026-$n" 1.0.0 2026-01-01T00:00:00Z zlib; done
key_sign right@harbour.example "$web/signed/2026/s-1.json"
key_sign wrong@harbour.example "$web/signed/2026/s-2.json"
for n in 1 2 3; do echo "\"2026/s-$n.json\",\"2026-01-0${n}T00:00:00Z\""; done > "$web/signed/changes.csv"
same "a file that is no key" 1 "$(code_of comity observer follow add signed "$source/signed/" --key "$circle/status")"
same "... or two" 1 "$(code_of comity observer follow add signed "$source/signed/" --key "$circle/both.asc")"
same "a source is followed by its key" 0 "$(code_of comity observer follow add signed "$source/signed/" --key "$circle/right.asc")"
check "... whose fingerprint is told" grep -q "$(gpg --batch --with-colons --list-keys right@harbour.example | sed -n 's/^fpr:::::::::\([0-9A-F]*\):/\1/p' | head -n 1)" "$circle/last"
same "... signed by another, or not at all: refused" 1 "$(code_of now signed)"
same "... and what it signed is taken" 1 "$(feed signed 'x["documents"]')"
shown signed
same "... and shown" 2 "$(grep -c bad-signature "$circle/shown")"
key_sign right@harbour.example "$web/signed/2026/s-2.json"
key_sign right@harbour.example "$web/signed/2026/s-3.json"
same "signed well, they are taken" "0 3" "$(code_of now signed) $(feed signed 'x["documents"]')"
gpgconf --kill gpg-agent

# Known exploited vulnerabilities
exploited() { notices '[row.get("known_exploited", {}).get("added") for row in x if row["notice"]["advisory"]["id"] == "HW-2026-1"][0]'; }
same "nothing is known to be exploited yet" None "$(exploited)"
make kev "$web/kev.json" CVE-2026-1111=2026-02-14 CVE-2025-1=2025-01-01
check "a catalogue is followed" comity observer follow add kev "$source/kev.json"
same "... and asked" "0 known exploited vulnerabilities" "$(code_of now kev) $(feed kev 'x["kind"]')"
same "... and a notice that stands shows it" 2026-02-14 "$(exploited)"
comity observer notices --details > "$circle/n"
check "... to people, too" grep -q "KNOWN TO BE EXPLOITED since 2026-02-14" "$circle/n"

# A restart in between
stop observer
start observer
check "the node starts again" until_true 10 in_none
: > "$circle/asked"
same "it knows what it has" "0 0" "$(code_of now harbour) $(feed harbour 'x["last_run"]["taken"]')"
same "... and that the catalogue says so" 2026-02-14 "$(exploited)"
same "... and takes no document twice" 0 "$(asked 'hw-.\.json range=- tag=no')"

# Documents at hand
mkdir "$circle/hand"
cp "$circle/osv-1.json" "$circle/hand/one.json"
cp "$web/osv/all.zip" "$circle/hand/all.zip"
same "a folder with a document and an archive is imported" 0 "$(code_of comity observer --json follow import hand "$circle/hand")"
same "... all of it" "120 0 0 0" "$(value "$circle/last" '"%d %d %d %d" % (x["taken"], x["same"], x["refused"], x["unread"])')"
same "... once" 0 "$(code_of comity observer --json follow import hand "$circle/hand")"
same "... only" "0 120 0 0" "$(value "$circle/last" '"%d %d %d %d" % (x["taken"], x["same"], x["refused"], x["unread"])')"

# What the owner may say
same "a name is followed once" 5 "$(code_of comity observer follow add harbour "$source/x")"
same "a URL with a user is refused" 1 "$(code_of comity observer follow add user "http://a:b@127.0.0.1/")"
check "a name is followed that leads to this machine" comity observer follow add named "http://127.1:$source_port/kev.json"
: > "$circle/asked"
same "... which is asked only by a word of the owner" "4 0" "$(code_of now named) $(asked .)"
check "... that is given" comity observer follow add allowed "http://127.1:$source_port/kev.json" --inside
same "... and then it is" 0 "$(code_of now allowed)"
same "asking for what is not followed" 1 "$(code_of now nobody)"
check "a feed is not followed any more" comity observer follow remove kev
comity observer --json follow list > "$circle/feeds"
same "... and not listed" 0 "$(value "$circle/feeds" 'len([x for x in x if x["name"] == "kev"])')"
check "the status shows feeds" bash -c "'$program' -C '$circle/observer' status | grep -q 'feed harbour'"
same "the other host was never asked" "" "$(cat "$circle/asked.other")"
done_testing
