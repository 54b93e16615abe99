#!/bin/bash
# Routes: each inventory's notices go their own way, grouped, signed for webhooks; what the channels without a route have taken is not sent
# again; a change of the routes is not a reason to tell anything twice.
base_port=20700
. "$(dirname "$0")/circle.bash"
north=$((base_port + 50)) plain=$((base_port + 51))
found $states vendor operator
secret=whsec_$(head -c 32 /dev/urandom | base64)
receiver() { # receiver NAME PORT [SECRET]
    : > "$circle/$1"
    /usr/bin/python3 "$here/receiver.py" "$2" answer "$circle/$1" ${3:+"$3"} &
    pid[$1]=$!
}
lines() { wc -l < "$circle/$1"; }
has() { [ "$(lines "$1")" -ge "$2" ]; }
printf '# ours\nhttp://127.0.0.1:%d/north %s\n' $north "$secret" > "$circle/operator/webhooks"
cat > "$circle/page" << END
#!/bin/bash
printf '%s\n' "\$(cat)" >> "$circle/paged" # several run at once
END
chmod +x "$circle/page"
: > "$circle/paged"
cp "$circle/operator/comity.conf" "$circle/plain.conf"
echo "notify-webhook = http://127.0.0.1:$plain/all" >> "$circle/operator/comity.conf"
receiver plain $plain
receiver north $north "$secret"
start_all $states vendor operator
advisory OSV-A xz-utils > "$circle/a.json"
comity operator inventory add north-1 "$appliance" > "$circle/last"
publish --open "$circle/a.json" > "$circle/id"
check "without routes a webhook gets the notice" until_true 10 has plain 1
until_true 10 test "$(lines plain)" -ge 1
stop operator
same "secrets that others can read are refused" 4 "$(chmod 644 "$circle/operator/webhooks"; echo "webhook-secrets = webhooks" >> "$circle/operator/comity.conf"; code_of comity operator serve)"
chmod 600 "$circle/operator/webhooks"
cat >> "$circle/operator/comity.conf" << END
route = north: inventory=north-*, channel=webhook:http://127.0.0.1:$north/north
route = page: verdict=affected, channel=command:$circle/page
route = later: inventory=south-1, channel=webhook:http://127.0.0.1:$north/later, digest=00:00
END
before=$(lines plain)
start operator
until_true 10 running operator || not_ok "the operator runs with routes"
comity operator inventory add south-1 "$appliance" > "$circle/last"
check "a new inventory's notices are paged" until_true 10 test -s "$circle/paged"
advisory OSV-B xz-utils > "$circle/b.json"
publish --open "$circle/b.json" > "$circle/id"
check "the next advisory comes by the route of each" until_true 10 has north 1
check "... and by the channel without a route as before" until_true 10 has plain $((before + 3))
same "... which gets nothing again" "$(cut -f 1 "$circle/plain" | sort -u | wc -l)" "$(lines plain)"
same "the webhook's signature is good, by another implementation" signed "$(cut -f 3 "$circle/north" | sort -u)"
cut -f 2 "$circle/north" | head -n 1 > "$circle/message"
same "it is a group, of north alone" "comity.notices.group north-1 OSV-B affected" \
    "$(value "$circle/message" 'x["type"] + "".join(" " + " ".join([g["inventory"], g["advisory"], g["verdict"]]) for g in x["groups"])')"
same "... with the notice as it is recorded" True "$(comity operator --json notices > "$circle/n"; /usr/bin/python3 -c 'import json,sys; m=json.load(open(sys.argv[1])); r=json.load(open(sys.argv[2])); print(all(n in [x["notice"] for x in r] for g in m["groups"] for n in g["notices"]))' "$circle/message" "$circle/n")"
same "where would they go?" "webhook:http://127.0.0.1:$north/north at once" "$(comity operator notices routes --inventory north-9 --verdict undecided | head -n 1 | tr -s ' ' | sed 's/ $//')"
check "... a digest waits" grep -q "digest at 00:00 UTC" <<< "$(comity operator notices routes --inventory south-1)"
check "... and what is critical does not" grep -q "later *at once" <<< "$(comity operator notices routes --inventory south-1 --critical)"
check "the listing fits 100 columns" test "$(comity operator notices | wc -L)" -le 100
got=$(cat "$circle/north" "$circle/plain" | wc -l) paged=$(grep -c . "$circle/paged")
stop operator
sed -i 's/^route = page:/route = siren:/' "$circle/operator/comity.conf"
start operator
until_true 10 running operator || not_ok "the operator runs again"
advisory OSV-C xz-utils > "$circle/c.json"
publish --open "$circle/c.json" > "$circle/id"
check "after a restart with a route renamed, the next one comes" until_true 10 has north 2
check "... to all" until_true 10 test "$(cat "$circle/north" "$circle/plain" | wc -l)" -ge $((got + 3))
until_true 10 sh -c "[ \$(grep -c . '$circle/paged') -ge $((paged + 2)) ]" || not_ok "both are paged"
same "... and nothing came twice" "$(cut -f 1 "$circle/north" | sort -u | wc -l)" "$(lines north)"
same "... nor was paged twice" "$(grep . "$circle/paged" | sort -u | wc -l)" "$(grep -c . "$circle/paged")"
cp "$circle/plain.conf" "$circle/operator/comity.conf"
echo "route = a: inventory=x, colour=red, channel=mail:a@b.example" >> "$circle/operator/comity.conf"
stop operator
same "a route with an unknown item is refused" 4 "$(code_of comity operator serve)"
check "... by name and line" grep -q 'line [0-9]*: route a.*unknown item "colour"' "$circle/last"
done_testing
