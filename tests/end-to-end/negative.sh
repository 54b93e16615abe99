#!/bin/bash
# What Comity never does: no command or route that blocks, filters, scans, intercepts, deletes or searches; no ballot without a person's
# signature; and nothing of an inventory ever leaves the node that it describes.
base_port=19600
. "$(dirname "$0")/circle.bash"
url_offset=50 # everybody reaches everybody through a recorder of all that passes
found $states vendor operator
for who in $states vendor operator; do
    /usr/bin/python3 "$here/recorder.py" $((port[$who] + url_offset)) "${port[$who]}" "$circle/wire" &
    pid[recorder-$who]=$!
done
sleep 0.3
start_all $states vendor operator

never="block filter scan intercept delete search ban censor takedown remove purge monitor trace profile"
for word in $never; do
    same "no command '$word'" 2 "$(code_of comity operator "$word")"
    codes=""
    for method in GET POST PUT DELETE; do
        body=(-d x)
        [ $method = GET ] && body=()
        codes+=$(curl -s --max-time 5 -o "$circle/body" -w '%{http_code} ' -X $method "${body[@]}" --unix-socket "$circle/operator/run/sock" "http://node/api/v1/$word")
        codes+=$(curl -s --max-time 5 -o "$circle/body" -w '%{http_code} ' -X $method "${body[@]}" "$(url operator "/$word")")
    done
    same "no route '$word'" "" "$(tr ' ' '\n' <<< "$codes" | grep -v '^40[45]$')"
done
"$program" --help > "$circle/help" 2>&1
check "the help names none of them" sh -c "! grep -qiwE '$(tr ' ' '|' <<< "$never")' '$circle/help'"
codes=""
for path in documents/x entries/x statements/x inventories/x notices/x; do
    codes+=$(curl -s --max-time 5 -o "$circle/body" -w '%{http_code} ' -X DELETE "$(url vendor "/$path")")
    codes+=$(curl -s --max-time 5 -o "$circle/body" -w '%{http_code} ' -X DELETE --unix-socket "$circle/vendor/run/sock" "http://node/api/v1/$path")
done
same "nothing can be deleted" "" "$(tr ' ' '\n' <<< "$codes" | grep -v '^40[45]$')"

for kind in ballot production roster emergency key-change; do
    same "the signer refuses a statement of kind $kind (exit 5)" 5 \
        "$(code_of comity northland --json state --media "application/vnd.comity.$kind+json" --subject x - <<< '{}')"
    check "... by a rule" grep -q '"id":"refused"' "$circle/last"
done
same "in capitals, too" 5 "$(code_of comity northland --json state --media "Application/Vnd.Comity.BALLOT+json" --subject x - <<< '{}')"
comity northland --json status > "$circle/status"
same "none of them entered the log" 1 "$(value "$circle/status" 'x["log"]["size"]')"

# An inventory with names that stand nowhere else, one of which an advisory is about.
secret=zebrafish$RANDOM$RANDOM
cat > "$circle/secret.cdx.json" <<SBOM
{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
  {"type": "library", "name": "$secret-private", "version": "9.8.7", "purl": "pkg:deb/debian/$secret-private@9.8.7"},
  {"type": "library", "name": "liblzma5", "version": "5.6.0-$secret", "purl": "pkg:deb/debian/liblzma5@5.6.0-$secret?upstream=xz-utils"}]}
SBOM
comity operator inventory add "$secret-host" "$circle/secret.cdx.json" > "$circle/last" || not_ok "the operator takes in its inventory"
id=$(publish "$xz")
check "the operator has a notice about its component" until_true 10 told "5.6.0-$secret"
check "the advisory stands" until_true 10 stands vendor "$id"
check "... with the operator" until_true 10 stands operator "$id"
sleep 1
check "the inventory is in the operator's own database" sh -c "cat '$circle'/operator/state.db* | grep -qaF $secret"
for who in $states vendor; do
    check "nothing of it in $who's folder" sh -c "! grep -raqF $secret '$circle/$who' && ! grep -aqF $secret '$circle/$who.log' '$circle/$who.out'"
done
check "nor in the operator's messages" sh -c "! grep -aqF $secret '$circle/operator.log' '$circle/operator.out'"
check "all that the nodes said to each other was written down: $(wc -c < "$circle/wire") bytes" grep -aqF "/documents/$(sha256sum < "$xz" | cut -d ' ' -f 1)" "$circle/wire"
check "nothing of it in that" sh -c "! grep -aqF $secret '$circle/wire'"
o=$(url operator)
digest=$(sha256sum < "$circle/secret.cdx.json" | cut -d ' ' -f 1)
origin_hash=$(curl -s "$o/checkpoint" | head -n 1 | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
notice=$(comity operator --json notices | sed -n 's/.*"notice":{"id":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
size=$(curl -s "$o/checkpoint" | sed -n 2p)
for path in / /checkpoint /pending "/tile/entries/000.p/$size" "/tile/0/000.p/$size" "/cosigned/$size" "/mirror/$origin_hash/checkpoint" \
    "/documents/$digest" "/documents/$notice" "/entries/$id" "/entries/$notice" "/recovery/vendor.example" /.well-known/scitt-keys /feed /feeds \
    /api/v1/status /api/v1/notices /api/v1/inventories "/inventories/$secret-host" /comity.conf /state.db; do
    curl -s --max-time 5 -i "$o$path"
done > "$circle/answers"
check "nor in what its public routes answer" sh -c "! grep -aqF $secret '$circle/answers'"
status=$(curl -s -o "$circle/body" -w '%{http_code}' "$o/documents/$digest")
same "the inventory is not served under its hash" 404 "$status"
same "the operator's log holds its accession only" 1 "$size"
same "the private socket is its owner's alone" 600 "$(stat -c %a "$circle/operator/run/sock")"
same "... and so are its keys" "" "$(find "$circle/operator/keys" -type f -perm /077)"
done_testing
