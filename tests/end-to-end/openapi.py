#!/usr/bin/python3
"""docs/openapi.json against the code and against running nodes. Prints TAP.

Usage: openapi.py SOURCE STANDING-SOCKET ALONE-SOCKET RECOVERING-SOCKET OUTSIDE-SOCKET
ALONE: in a circle of one, where nothing stands. RECOVERING: its committee does not answer. OUTSIDE: in no circle.

Every route of the code's table is in the document, with its parameters, and the other way round. Each documented answer is had from a
node at least once, and is what its schema says; here schemas are closed, so that the document names every member there is."""
import copy
import http.client
import json
import os
import re
import socket
import sys
import time
import xml.etree.ElementTree
from pathlib import Path
from urllib.parse import quote

import jsonschema

source = Path(sys.argv[1]).resolve()
standing, alone, recovering, outside, ahead = sys.argv[2:7]
path = source / "docs/openapi.json"
document = json.loads(path.read_text())
failures = 0


def check(what, good, why=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - {what}" + ("" if good else f"\n# {str(why)[:1500]}"), flush=True)


class Socket(http.client.HTTPConnection):
    def __init__(self, name):
        super().__init__("localhost", timeout=30)
        self.name = name

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.name)


def closed(schema):
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if out.get("type") == "object" and "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


strict = copy.deepcopy(document)
strict["components"]["schemas"] = closed(strict["components"]["schemas"])
store = {f.resolve().as_uri(): closed(json.loads(f.read_text())) for f in (source / "schemas").glob("*.json")}
resolver = jsonschema.RefResolver(path.as_uri(), strict, store=store)


WATERWORKS = "2e26e26d+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"  # a key of RFC 8032 section 7.1, as a line for signed notes


def validate(schema, value):
    validator = jsonschema.Draft202012Validator(closed(schema), resolver=resolver)
    return "; ".join(f"{list(e.absolute_path)}: {e.message[:300]}" for e in validator.iter_errors(value))


def operations():
    for template, item in document["paths"].items():
        for method, op in item.items():
            yield template, method.upper(), op


def code_routes():
    row = re.compile(r'\{"(GET|HEAD|POST|PUT|DELETE)",\s*"(/api/[^"]*|/metrics)",\s*(true|false),[^{}]*\{([^}]*)\}\}')
    for file in sorted((source / "src").glob("*/*.c")):
        for method, name, prefix, query in row.findall(file.read_text()):
            yield (name + "{id}" if prefix == "true" else name, method), set(re.findall(r'"([^"]*)"', query))


def compare_with_code():
    routes = dict(code_routes())
    documented = {(t, m): {p["name"] for p in op.get("parameters", []) if p["in"] == "query"} for t, m, op in operations()}
    check(f"the code's {len(routes)} routes are found", len(routes) >= 10, routes)
    check("every route of the code is documented", not routes.keys() - documented.keys(), routes.keys() - documented.keys())
    check("every documented path is a route", not documented.keys() - routes.keys(), documented.keys() - routes.keys())
    for key in sorted(routes.keys() & documented.keys()):
        check(f"{key[1]} {key[0]} has the code's parameters", routes[key] == documented[key], (routes[key], documented[key]))


def compare_with_itself():
    check("it is OpenAPI 3.1", document["openapi"].startswith("3.1."), document["openapi"])
    names = [op["operationId"] for _, _, op in operations()]
    check("operations have names of their own", len(names) == len(set(names)), names)
    for template, method, op in operations():
        wanted = set(re.findall(r"\{(\w+)\}", template))
        given = {p["name"] for p in op.get("parameters", []) if p["in"] == "path" and p["required"]}
        check(f"{method} {template} declares what its path holds", wanted == given, (wanted, given))
    version = re.search(r'COMITY_RELEASE "(.*)"', (source / "src/base/version.h").read_text()).group(1)
    check("it is of this release", document["info"]["version"] == version, version)


seen = set()


def ask(node, method, template, status, what, query="", body=None, id=""):
    """Asks, checks the answer against the document, and returns it."""
    connection = Socket(node)
    target = template.replace("{id}", id) + (f"?{query}" if query else "")
    connection.request(method, target, body=body, headers={"Content-Length": str(len(body))} if body is not None else {})
    answer = connection.getresponse()
    content = answer.read()
    kind = answer.getheader("Content-Type")
    connection.close()
    documented = document["paths"][template][method.lower()]["responses"].get(str(answer.status))
    if answer.status != status or documented is None or kind not in documented["content"]:
        check(what, False, f"{answer.status} (wanted {status}) {kind}: {content[:400]}")
        return None
    value = json.loads(content) if kind == "application/json" else content.decode("utf-8", "replace")
    schema = documented["content"][kind].get("schema")
    why = validate(schema, value) if schema else ""
    check(what, not why, why)
    seen.add((template, method, str(answer.status), kind))
    return value


def drive():
    examples = source / "examples"
    xz = (examples / "advisories/xz-backdoor.csaf.json").read_bytes()
    osv = (examples / "advisories/glibc-looney-tunables.osv.json").read_bytes()
    amber = (examples / "advisories/embargoed-amber.csaf.json").read_bytes()
    appliance = (examples / "inventories/appliance.cdx.json").read_bytes()
    api = "/api/v1"
    nobody = "0" * 64

    ask(standing, "GET", f"{api}/status", 200, "the status")
    ask(outside, "GET", f"{api}/status", 200, "... outside a circle")
    ask(recovering, "GET", f"{api}/status", 200, "... of a node that recovers")
    published = ask(standing, "POST", f"{api}/publish", 201, "an advisory", body=xz)
    ask(standing, "POST", f"{api}/publish", 201, "... open by the caller's word", "open=1", osv)
    ask(standing, "POST", f"{api}/publish", 400, "... that must be sealed", body=amber)
    ask(standing, "POST", f"{api}/publish", 413, "... of 33 MiB", body=bytes(33 << 20))
    ask(outside, "POST", f"{api}/publish", 409, "... outside a circle", body=xz)
    ask(recovering, "POST", f"{api}/publish", 503, "... while recovering", body=xz)
    stated = f"media={quote('text/plain')}&subject=a%20test"
    ask(standing, "POST", f"{api}/statements", 201, "another document", stated, b"text")
    ask(standing, "POST", f"{api}/statements", 400, "... without its media type", "subject=x", b"text")
    ask(standing, "POST", f"{api}/statements", 413, "... of 33 MiB", stated, bytes(33 << 20))
    ask(outside, "POST", f"{api}/statements", 409, "... outside a circle", stated, b"text")
    ask(recovering, "POST", f"{api}/statements", 503, "... while recovering", stated, b"text")
    ask(standing, "POST", f"{api}/inventories", 201, "an inventory", "name=appliance", appliance)
    ask(standing, "POST", f"{api}/inventories", 400, "... that is none", "name=appliance", b"[]")
    notices = ask(standing, "GET", f"{api}/notices", 200, "notices")
    check("... of which there is one", bool(notices), notices)
    ask(standing, "GET", f"{api}/notices", 200, "... after the last", f"after={notices[-1]['seq']}" if notices else "")
    ask(standing, "GET", f"{api}/notices", 400, "... after no number", "after=x")
    narrow = "inventory=appliance&verdict=affected&since=2020-01-01T00:00:00Z&open=1&limit=1&advisory=" + quote(notices[0]["notice"]["advisory"]["id"])
    found = ask(standing, "GET", f"{api}/notices", 200, "... narrowed down", narrow)
    check("... to that one", bool(found) and found[0]["seq"] == notices[0]["seq"], found)
    ask(standing, "GET", f"{api}/notices", 400, "... by no verdict", "verdict=fine")
    ask(standing, "GET", f"{api}/notices", 400, "... since no instant", "since=yesterday")
    ask(standing, "GET", f"{api}/notices", 400, "... at most none", "limit=0")
    feed = ask(standing, "GET", f"{api}/notices.atom", 200, "the feed of them")
    atom = "{http://www.w3.org/2005/Atom}"
    root = xml.etree.ElementTree.fromstring(feed)
    check("... as RFC 4287 wants it", root.tag == atom + "feed" and all(root.find(atom + n) is not None for n in ("id", "title", "updated", "author")), feed)
    entries = root.findall(atom + "entry")
    check("... with an entry a notice", len(entries) == len(notices) and all(e.find(atom + n).text for e in entries for n in ("id", "title", "updated")), feed)
    first = f"id={notices[0]['notice']['id']}"
    ack = ask(standing, "POST", f"{api}/acknowledgements", 200, "one is acknowledged", first, "we look into it".encode())
    check("... by this user, now", ack["newly"] == 1 and ack["acknowledged"]["by"] == f"uid {os.getuid()}", ack)
    same = ask(standing, "POST", f"{api}/acknowledgements", 200, "... again", first, b"another note")
    check("... which changes nothing", same == {**ack, "newly": 0}, same)
    ask(standing, "POST", f"{api}/acknowledgements", 404, "... that nobody made", f"id={nobody}", b"")
    ask(standing, "POST", f"{api}/acknowledgements", 400, "... by no id", "id=x", b"")
    ask(standing, "POST", f"{api}/acknowledgements", 400, "... with a note of two lines", first, b"a\nb")
    listed = ask(standing, "GET", f"{api}/notices", 200, "the list shows it")
    check("... with who and what", listed[0]["acknowledged"] == ack["acknowledged"], listed[0])

    id = published["id"] if published else nobody
    end = time.monotonic() + 30
    while True:
        shown = Socket(standing)
        shown.request("GET", f"{api}/statements/{id}")
        if json.loads(shown.getresponse().read()).get("state") == "standing" or time.monotonic() > end:
            break
        time.sleep(0.05)
    ask(standing, "GET", f"{api}/statements/{{id}}", 200, "a statement that stands", id=id)
    ask(standing, "GET", f"{api}/statements/{{id}}", 404, "... that nobody made", id=nobody)
    ask(standing, "GET", f"{api}/statements/{{id}}", 400, "... by no id", id="xz")
    ask(standing, "GET", f"{api}/receipts/{{id}}", 200, "its receipt", id=id)
    ask(standing, "GET", f"{api}/receipts/{{id}}", 200, "... in COSE", "form=cose", id=id)
    ask(standing, "GET", f"{api}/receipts/{{id}}", 404, "... of none", id=nobody)
    ask(standing, "GET", f"{api}/receipts/{{id}}", 400, "... by no id", id="xz")
    logged = ask(alone, "POST", f"{api}/statements", 201, "alone in a circle", stated, b"text")
    ask(alone, "GET", f"{api}/statements/{{id}}", 200, "... a statement is logged only", id=logged["id"] if logged else nobody)
    ask(alone, "GET", f"{api}/receipts/{{id}}", 425, "... and has no receipt", id=logged["id"] if logged else nobody)

    bundle = ask(standing, "GET", f"{api}/bundle", 200, "the bundle")
    check("... names the circle", bundle and "charter" in bundle, bundle)
    ask(outside, "GET", f"{api}/bundle", 409, "... outside a circle")
    wants = ask(standing, "GET", f"{api}/wants", 200, "what it wants")
    check("... of each log", wants and any(log["size"] for log in wants["logs"]), wants)
    ask(standing, "GET", f"{api}/wants", 400, "... after no position", "after=x")
    ask(outside, "GET", f"{api}/wants", 409, "... outside a circle")
    ask(standing, "POST", f"{api}/carried", 200, "a carried file that nobody wants", "party=northland.example&path=tile/0/000", b"x")
    ask(standing, "POST", f"{api}/carried", 400, "... a document of another hash", f"path=documents/{nobody}", b"x")
    ask(standing, "POST", f"{api}/carried", 404, "... of no party", "party=nobody&path=checkpoint", b"x")
    ask(outside, "POST", f"{api}/carried", 409, "... outside a circle", "party=northland.example&path=checkpoint", b"x")
    feed = f"name=feed&url=http%3A%2F%2F127.0.0.1%3A1%2Fchanges.csv"
    ask(outside, "POST", f"{api}/feeds", 201, "a feed", feed)
    ask(outside, "POST", f"{api}/feeds", 409, "... once", feed)
    ask(outside, "POST", f"{api}/feeds", 400, "... by no URL", "name=other&url=x")
    ask(outside, "POST", f"{api}/feeds", 413, "... with a long key", feed, bytes(65537))
    ask(outside, "POST", f"{api}/feeds/run", 409, "... which is being asked", "name=feed")
    ask(outside, "POST", f"{api}/feeds/run", 404, "... that is none", "name=nobody")
    ask(outside, "POST", f"{api}/feeds/import", 200, "documents at hand", "name=hand", b"\0\0\0\1a\0\0\0\2{}")
    ask(outside, "POST", f"{api}/feeds/import", 400, "... cut", "name=hand", b"\0\0\0\1")
    ask(outside, "GET", f"{api}/feeds", 200, "the feeds")
    ask(outside, "GET", f"{api}/feeds/{{id}}", 200, "one of them", id="hand")
    ask(outside, "GET", f"{api}/feeds/{{id}}", 404, "... that is none", id="nobody")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        listed = Socket(outside)
        listed.request("GET", f"{api}/feeds")
        if not json.loads(listed.getresponse().read())[0]["running"]:
            break
        time.sleep(0.1)
    ask(outside, "POST", f"{api}/feeds/run", 202, "... asked again", "name=feed")
    ask(outside, "POST", f"{api}/feeds/remove", 200, "... removed", "name=feed")
    ask(outside, "POST", f"{api}/feeds/remove", 404, "... once", "name=feed")
    ask(standing, "GET", f"{api}/ahead", 404, "nothing that was signed is missing")
    proof = ask(ahead, "GET", f"{api}/ahead", 200, "... but where it is, the signer's checkpoint is the proof")
    check("... a note of that log", proof and "/forgetful.example\n1\n" in proof, proof)
    status = ask(ahead, "GET", f"{api}/status", 200, "... and the status tells")
    check("... its state", status and status["state"] == "signer-ahead" and status["log"]["ahead"]["missing_from"] == 0, status)
    ask(ahead, "POST", f"{api}/statements", 409, "... its log takes no statement", stated, b"text")
    hosted = "waterworks.example+" + WATERWORKS
    ask(standing, "POST", f"{api}/hosting", 200, "an organisation to host", body=hosted.encode())
    ask(standing, "POST", f"{api}/hosting", 409, "... twice", body=hosted.encode())
    ask(standing, "POST", f"{api}/hosting", 400, "... by no key", body=b"waterworks.example")
    ask(outside, "POST", f"{api}/hosting", 409, "... outside a circle", body=hosted.encode())
    ask(standing, "GET", f"{api}/hosting", 200, "who is hosted")
    ask(standing, "POST", f"{api}/hosting", 200, "... no longer", "organization=waterworks.example", b"")
    ask(standing, "POST", f"{api}/hosting", 404, "... and not twice", "organization=waterworks.example", b"")
    ask(standing, "POST", f"{api}/absent", 200, "an absent member", "party=northland.example")
    ask(standing, "POST", f"{api}/absent", 404, "... that is none", "party=nobody")
    ask(standing, "POST", f"{api}/backups", 201, "a backup", f"id={nobody}", b"{}")
    ask(standing, "POST", f"{api}/backups", 400, "... by no id", "id=x", b"{}")
    ask(standing, "POST", f"{api}/rebuild", 200, "a rebuild")
    ask(standing, "GET", "/metrics", 200, "figures")

    left = "party=alone.example"
    ask(alone, "POST", f"{api}/leave", 400, "leaving by another's name", "party=vendor.example", b"closed")
    ask(alone, "POST", f"{api}/leave", 413, "... with a long reason", left, bytes(1025))
    ask(outside, "POST", f"{api}/leave", 409, "... outside a circle", "party=observer.example", b"closed")
    ask(recovering, "POST", f"{api}/leave", 503, "... while recovering", "party=waiting.example", b"closed")
    ask(alone, "POST", f"{api}/leave", 201, "... for good", left, b"closed")
    ask(alone, "POST", f"{api}/leave", 200, "... once only", left, b"closed")
    status = ask(alone, "GET", f"{api}/status", 200, "the status of a party that has left")
    check("... says why", status and status["log"]["leave"]["reason"] == "closed", status)

    for template, method, op in operations():
        for status, response in op["responses"].items():
            for kind in response["content"]:
                if (template, method, status, kind) not in seen:
                    check(f"{method} {template}: {status} {kind} was had from a node", False, "documented, and never seen")


compare_with_itself()
compare_with_code()
drive()
sys.exit(failures > 0)
