"""A log outside the circle, with a signed-note implementation of its own, asks a node to witness it (C2SP tlog-witness).

witness.py vkey                      the log's vkey
witness.py before URL BUNDLE PARTY   a log grows, and is asked for in every wrong way
witness.py after URL BUNDLE PARTY    the same node after its death
Prints TAP.
"""
import base64
import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import time

import nacl.signing

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import oracle  # noqa: E402
from oracle import leaf, ok, root_of, sha, signed  # noqa: E402

ORIGIN = "log.example/2027"
KEY = nacl.signing.SigningKey(sha(b"a log outside the circle"))
OTHER_KEY = nacl.signing.SigningKey(sha(b"another key"))


def key_id(name, key):
    return sha(name.encode() + b"\n\x01" + bytes(key.verify_key))[:4]


def leaves(count, face=""):
    return [leaf(b"entry %d%s" % (n, face.encode() if n >= 20 else b"")) for n in range(count)]


def text(size, root, origin=ORIGIN):
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def line(body, key=KEY, name=ORIGIN, break_it=False):
    signature = key.sign(body.encode()).signature
    if break_it:
        signature = signature[:8] + bytes([signature[8] ^ 1]) + signature[9:]
    return "\u2014 %s %s\n" % (name, base64.b64encode(key_id(name, key) + signature).decode())


def consistency(first, hashes):  # RFC 6962 section 2.1.2
    def part(m, d, whole):
        n = len(d)
        if m == n:
            return [] if whole else [root_of(d)]
        k = 1
        while k * 2 < n:
            k *= 2
        if m <= k:
            return part(m, d[:k], whole) + [root_of(d[k:])]
        return part(m - k, d[k:], False) + [root_of(d[:k])]
    return part(first, hashes, True) if 0 < first < len(hashes) else []


class Witness:
    def __init__(self, url, bundle, party):
        circle = oracle.Circle(bundle)
        self.url, self.name, self.key = url, circle.origin(party) + "/witness", circle.keys[party]["witness"]

    def post(self, body):
        with tempfile.NamedTemporaryFile() as out:
            said = subprocess.run(["curl", "-s", "-o", out.name, "-w", "%{http_code} %{content_type}", "--max-time", "10", "--data-binary",
                                   "@-", self.url + "/witness/add-checkpoint"], input=body, stdout=subprocess.PIPE, check=True).stdout.decode()
            status, _, kind = said.partition(" ")
            return int(status), kind, open(out.name, "rb").read()

    def add(self, old, size, proof=None, face="", root=None, origin=ORIGIN, signatures=None):
        hashes = leaves(size, face)
        proof = consistency(old, hashes) if proof is None else proof
        body = text(size, root or root_of(hashes), origin)
        self.text = body
        self.line = line(body, name=origin) if signatures is None else signatures(body)
        lines = "".join(base64.b64encode(p).decode() + "\n" for p in proof)
        return self.post(f"old {old}\n{lines}\n{body}\n{self.line}".encode())

    def good(self, body):  # a cosignature/v1 over the whole text
        dash, name, raw = body.decode().rstrip("\n").split(" ")
        raw = base64.b64decode(raw, validate=True)
        when = struct.unpack(">Q", raw[4:12])[0]
        return (body.count(b"\n") == 1 and dash == "\u2014" and name == self.name and len(raw) == 76 and
                raw[:4] == sha(self.name.encode() + b"\n\x04" + self.key)[:4] and abs(when - time.time()) < 60 and
                signed(self.key, b"cosignature/v1\ntime %d\n" % when + self.text.encode(), raw[12:]))

    def checkpoint(self, origin=ORIGIN):
        done = subprocess.run(["curl", "-s", "-w", "%{http_code}", f"{self.url}/witness/{sha(origin.encode()).hex()}/checkpoint"],
                              stdout=subprocess.PIPE, check=True).stdout
        return int(done[-3:]), done[:-3]

    def wants(self, what, status, answer):
        ok(answer[0] == status, what if answer[0] == status else f"{what}: {answer[0]}, want {status}")

    def grows(self, what, old, size):
        answer = self.add(old, size)
        ok(answer[0] == 200 and self.good(answer[2]), what)
        status, note = self.checkpoint()
        ok(status == 200 and note == (self.text + "\n" + self.line).encode() + answer[2], "... and the checkpoint is there with both signatures")

    def conflict(self, what, size, answer):
        ok(answer[0] == 409 and answer[1].startswith("text/x.tlog.size") and answer[2] == b"%d\n" % size, what)


def stands_at_twenty(w):
    """Nothing of this moves the witness from size 20."""
    w.conflict("an old size below its own: 409 with its size", 20, w.add(7, 25))
    w.conflict("old size 0, to ask for its size", 20, w.add(0, 25))
    w.conflict("an old size above its own", 20, w.add(22, 25))
    w.conflict("going back", 20, w.add(7, 13))
    w.wants("an old size above the checkpoint's: 400", 400, w.add(20, 13, []))
    proof = consistency(20, leaves(25))
    w.wants("a proof with a flipped bit: 422", 422, w.add(20, 25, [bytes([proof[0][0] ^ 1]) + proof[0][1:]] + proof[1:]))
    w.wants("a proof cut short: 422", 422, w.add(20, 25, proof[:-1]))
    w.wants("a proof with a hash too many: 422", 422, w.add(20, 25, proof + [proof[0]]))
    w.wants("no proof: 422", 422, w.add(20, 25, []))
    w.wants("63 hashes that prove nothing: 422", 422, w.add(20, 25, proof[:1] * 63))
    w.wants("64 hashes: 400", 400, w.add(20, 25, proof[:1] * 64))
    w.wants("another root of the same size: 422", 422, w.add(20, 20, [], root=sha(b"another face")))
    w.wants("the same size with a proof: 422", 422, w.add(20, 20, proof[:1]))
    w.wants("a face that does not grow from it: 422", 422, w.add(20, 25, consistency(19, leaves(25))))
    w.wants("unsigned (by another key under its name): 403", 403, w.add(20, 25, signatures=lambda t: line(t, OTHER_KEY)))
    w.wants("signed by its key under another name: 403", 403, w.add(20, 25, signatures=lambda t: line(t, KEY, "other.example")))
    w.wants("a signature with a flipped bit: 403", 403, w.add(20, 25, signatures=lambda t: line(t, break_it=True)))
    w.wants("... beside a good one: 403", 403, w.add(20, 25, signatures=lambda t: line(t, break_it=True) + line(t)))
    w.wants("an unknown origin: 404", 404, w.add(0, 5, origin="unknown.example"))
    w.wants("... and no checkpoint of it: 404", 404, w.checkpoint("unknown.example"))
    w.wants("no signature line at all: 400", 400, w.add(20, 25, signatures=lambda t: ""))
    for what, body in [("an empty body", b""), ("no old line", b"20\n\n"), ("a leading zero", b"old 020\n\n" + text(20, sha(b"")).encode()),
                       ("no UTF-8", b"old 20\n\n\xff\xfe\n"), ("a size over 64 bits", b"old 99999999999999999999\n\n")]:
        w.wants(f"{what}: 400", 400, w.post(body))
    status, note = w.checkpoint()
    ok(status == 200 and note.startswith(text(20, root_of(leaves(20))).encode()), "after all that it stands where it stood")


def before(w):
    w.wants("before the first: no checkpoint, 404", 404, w.checkpoint())
    w.wants("size 0 with a root that is not the empty tree's: 422", 422, w.add(0, 0, root=sha(b"x")))
    w.wants("old 0 with a proof: 422", 422, w.add(0, 5, [sha(b"x")]))
    w.conflict("an old size where there is none yet: 409 with 0", 0, w.add(3, 5))
    w.grows("the first checkpoint: a cosignature/v1 that verifies", 0, 7)
    w.grows("it grows, with a proof", 7, 12)
    w.grows("the same again, with a new timestamp", 12, 12)
    other = lambda t: line(t, OTHER_KEY, "witness.example") + line(t)  # noqa: E731
    answer = w.add(12, 16, signatures=other)
    ok(answer[0] == 200 and w.good(answer[2]), "signatures of unknown keys are passed over")
    status, note = w.checkpoint()
    ok(status == 200 and b"witness.example" not in note, "... and not passed on")
    w.grows("to a size of 20", 16, 20)
    stands_at_twenty(w)


def after(w):
    status, note = w.checkpoint()
    ok(status == 200 and note.startswith(text(20, root_of(leaves(20))).encode()), "its checkpoint has outlived its death")
    stands_at_twenty(w)
    w.grows("and goes on from there", 20, 300)


if sys.argv[1] == "vkey":
    print("%s+%s+%s" % (ORIGIN, key_id(ORIGIN, KEY).hex(), base64.b64encode(b"\x01" + bytes(KEY.verify_key)).decode()))
else:
    {"before": before, "after": after}[sys.argv[1]](Witness(*sys.argv[2:5]))
    sys.exit(oracle.failed)
