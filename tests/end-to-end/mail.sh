#!/bin/bash
# Mail to a real SMTP server, by STARTTLS and by TLS: at least once under one Message-ID, whether the server refuses, drops, delays or dies
# after taking; nothing goes out in clear; a hostile title stays in its place; each message is acknowledged as a whole.
base_port=20600
. "$(dirname "$0")/circle.bash"
smtp=$((base_port + 50))
found $states vendor operator
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=localhost" -addext "subjectAltName=IP:127.0.0.1" \
    -keyout "$circle/tls.key" -out "$circle/tls.pem" 2> "$circle/openssl.out" || not_ok "a certificate is made"
mkdir "$circle/mail"
printf 'node\ncorrect horse\n' > "$circle/credentials"
chmod 600 "$circle/credentials"
cp "$circle/operator/comity.conf" "$circle/plain.conf"
configure() { # configure SCHEME LINE...
    cp "$circle/plain.conf" "$circle/operator/comity.conf"
    printf 'mail-server = %s://127.0.0.1:%d\nmail-from = comity@operator.example\nmail-credentials = %s\n' "$1" $smtp "$circle/credentials" >> "$circle/operator/comity.conf"
    shift
    printf '%s\n' "$@" >> "$circle/operator/comity.conf"
}
server() { # server TLS MODE
    echo "$2" > "$circle/mode"
    /usr/bin/python3 -W ignore "$here/smtp_server.py" $smtp "$1" "$circle/tls.pem" "$circle/tls.key" "$circle/mail" "$circle/mode" 2> "$circle/smtp.err" &
    pid[smtp]=$!
    until_true 10 sh -c "exec 3<> /dev/tcp/127.0.0.1/$smtp" 2> /dev/null || bash -c "for i in \$(seq 200); do (exec 3<> /dev/tcp/127.0.0.1/$smtp) 2> /dev/null && exit; sleep 0.05; done; exit 1" ||
        not_ok "the SMTP server listens"
}
mails() { find "$circle/mail" -name '*.eml' | sort; }
got() { [ "$(mails | wc -l)" -ge "$1" ]; }
# shellcheck disable=SC2046
read_mail() { /usr/bin/python3 "$here/mail_check.py" $(mails) > "$circle/read" 2>&1 || { not_ok "the mail is well formed"; note < "$circle/read"; }; }
hold() { echo "$1" > "$circle/mode"; }
refusals() { grep -c id=notice-refused "$circle/operator.log"; }
refused_since() { [ "$(refusals)" -gt "$1" ]; }

configure smtp "notify-ca = $circle/tls.pem" "route = all: channel=mail:soc@agency.example"
server starttls crash
start_all $states vendor operator
comity operator inventory add appliance "$appliance" > "$circle/last"
advisory OSV-A xz-utils > "$circle/a.json"
publish --open "$circle/a.json" > "$circle/id"
check "the server takes the mail and dies before it answers" until_true 20 got 1
wait "${pid[smtp]}"
same "... with a crash's exit code" 9 $?
unset "pid[smtp]"
server starttls take
check "started again, it gets the mail again" until_true 30 got 2
read_mail
same "... under the same Message-ID" 1 "$(cut -f 1 "$circle/read" | sort -u | wc -l)"
same "... to the route's address" soc@agency.example "$(cut -f 2 "$circle/read" | sort -u)"
same "... the same bytes" 1 "$(mails | xargs sha256sum | cut -d ' ' -f 1 | sort -u | wc -l)"
check "... with its subject" grep -q "\[comity\] affected: OSV-A, appliance" "$circle/read"

for how in refuse drop; do
    hold $how
    before=$(mails | wc -l) refused=$(refusals)
    advisory "OSV-$how" xz-utils > "$circle/a.json"
    publish --open "$circle/a.json" > "$circle/id"
    check "a server that would $how it has not taken it" until_true 20 refused_since "$refused"
    hold take
    check "... and gets it when it does" until_true 30 got $((before + 1))
done
hold delay
before=$(mails | wc -l)
advisory OSV-delay xz-utils > "$circle/a.json"
publish --open "$circle/a.json" > "$circle/id"
check "a slow server gets it" until_true 20 got $((before + 1))
hold take

before=$(mails | wc -l)
/usr/bin/python3 - "$circle/hostile.json" << 'PYTHON'
import json, sys
title = "a\r\nBcc: victim@elsewhere.example\r\n\r\n.\r\nMAIL FROM:<x@y>\r\n\u202egnp.exe =?utf-8?q?=0ABcc:_x@y?= \u20ac" * 3
json.dump({"schema_version": "1.6.0", "id": "OSV-\u202e\r\nBcc: victim@elsewhere.example", "modified": "2024-01-01T00:00:00Z", "summary": title,
           "affected": [{"package": {"ecosystem": "Debian", "name": "xz-utils"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]},
          open(sys.argv[1], "w"))
PYTHON
publish --open "$circle/hostile.json" > "$circle/id"
if [ -s "$circle/id" ]; then
    check "an advisory with a hostile id and title is mailed" until_true 20 got $((before + 1))
else
    advisory OSV-H xz-utils | /usr/bin/python3 -c 'import json,sys; x=json.load(sys.stdin); y=json.load(open(sys.argv[1])); x["summary"]=y["summary"]; json.dump(x, open(sys.argv[1], "w"))' "$circle/hostile.json"
    publish --open "$circle/hostile.json" > "$circle/id"
    check "an advisory with a hostile title is mailed" until_true 20 got $((before + 1))
fi
read_mail
same "... to nobody but the route's address" soc@agency.example "$(cut -f 2 "$circle/read" | sort -u)"

last=$(mails | tail -n 1)
ack=$(sed -n 's/^Comity-Message-Id: \([0-9a-f]*\).*/\1/p' "$last")
comity operator --json notices --open > "$circle/open"
same "all notices are open" "$(comity operator --json notices | grep -c '"seq"')" "$(grep -c '"seq"' "$circle/open")"
same "the message is acknowledged by the id that it tells" 0 "$(code_of comity operator notices ack "$ack" --note "we patch tonight")"
same "... again as well" 0 "$(code_of comity operator notices ack "$ack")"
comity operator --json notices --open > "$circle/fewer"
check "... and is open no more" test "$(grep -c '"seq"' "$circle/fewer")" -lt "$(grep -c '"seq"' "$circle/open")"
check "... with its note" grep -q "we patch tonight" <<< "$(comity operator --json notices)"

# In clear, or by another certificate, nothing goes out.
stop smtp
server none take
before=$(mails | wc -l) refused=$(refusals)
advisory OSV-clear xz-utils > "$circle/a.json"
publish --open "$circle/a.json" > "$circle/id"
check "a server without STARTTLS gets nothing" until_true 20 refused_since "$refused"
same "... indeed" "$before" "$(mails | wc -l)"
stop smtp
comity operator doctor > "$circle/doctor" 2>&1
check "the doctor says what was not taken" grep -q "warn.*notices.*channels of routes have not taken 1 messages" "$circle/doctor"
stop operator
configure smtps "route = all: channel=mail:soc@agency.example"
server implicit take
start operator
refused=$(refusals)
check "a certificate that the system does not know is refused" until_true 20 refused_since "$refused"
same "... and nothing goes out" "$before" "$(mails | wc -l)"
stop operator
configure smtps "notify-ca = $circle/tls.pem" "route = all: channel=mail:soc@agency.example"
start operator
check "with notify-ca the mail comes, by TLS from the first byte" until_true 20 got $((before + 1))
stop operator
chmod 644 "$circle/credentials"
same "credentials that others can read are refused" 4 "$(code_of comity operator serve)"
check "... with what to do" grep -q "chmod 600" "$circle/last"
chmod 600 "$circle/credentials"
read_mail
done_testing
