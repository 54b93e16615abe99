"""Reads mail with Python's own parser, which shares no code with the program. Usage: mail_check.py FILE... ; prints TAP-free lines
"message-id<TAB>to<TAB>subject", and fails when a message is not as RFC 5322 wants it, or has a header that it must not have."""
import email
import email.policy
import re
import sys

allowed = {"x-from", "x-to", "date", "from", "to", "subject", "message-id", "comity-message-id", "references", "auto-submitted",
           "mime-version", "content-type", "content-transfer-encoding"}
for name in sys.argv[1:]:
    raw = open(name, "rb").read()
    assert b"\0" not in raw and not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "a bare CR or LF"
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")), "a line is too long"
    assert all(byte < 128 for byte in raw), "not ASCII on the wire"
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects, message.defects
    names = [key.lower() for key in message.keys()]
    assert set(names) <= allowed and len(names) == len(set(names)), names
    assert message["Content-Type"] == 'text/plain; charset="utf-8"' and message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime is not None
    body = message.get_content().replace("\r\n", "\n")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\x00-\x08\x0b-\x1f\x7f-\x9f]", body + message["Subject"]), "hidden"
    assert f"comity notices ack {message['Comity-Message-Id']}" in body
    assert message["Message-ID"].startswith(f"<{message['Comity-Message-Id']}@")
    assert message["X-To"] == str(message["To"]).strip("<>") and message["X-From"] == str(message["From"]).strip("<>")
    print(message["Message-ID"], message["X-To"], message["Subject"], sep="\t")
