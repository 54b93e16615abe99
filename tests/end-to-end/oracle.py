"""An independent reading of what a node publishes: RFC 6962, C2SP notes and receipts, COSE, with none of Comity's code.

oracle.py log URL BUNDLE PARTY        the whole log: root, tiles, log signature, cosignatures, quorum, statements
oracle.py tlog BUNDLE RECEIPT DOC     a tlog-proof
oracle.py cose BUNDLE RECEIPT DOC     a transparent statement
oracle.py missing URL                 reads "ID subject" lines; prints those that are not in the log exactly once
Prints TAP.
"""
import base64
import hashlib
import json
import struct
import subprocess
import sys

import cbor2
import nacl.exceptions
import nacl.signing


def sha(data):
    return hashlib.sha256(data).digest()


def fetch(url):
    return subprocess.run(["curl", "-sf", "--max-time", "10", url], check=True, stdout=subprocess.PIPE).stdout


failed = False


def ok(good, what):
    global failed
    print(("ok - " if good else "not ok - ") + what)
    failed = failed or not good


def signed(key, message, signature):
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
        return True
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False


# RFC 6962 section 2.1
def leaf(data):
    return sha(b"\0" + data)


def root_of(hashes):
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\1" + root_of(hashes[:k]) + root_of(hashes[k:]))


def root_from(proof, index, size, node):  # RFC 9162 section 2.1.3.2
    fn, sn = index, size - 1
    for p in proof:
        if sn == 0:
            raise ValueError("the proof is too long")
        if fn & 1 or fn == sn:
            node = sha(b"\1" + p + node)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            node = sha(b"\1" + node + p)
        fn >>= 1
        sn >>= 1
    if sn:
        raise ValueError("the proof is too short")
    return node


# The circle
class Circle:
    def __init__(self, path):
        bundle = json.load(open(path, encoding="utf-8"))
        text = bundle["charter"].encode() if "charter" in bundle else open(path, "rb").read()
        self.hash = sha(text)
        charter = json.loads(text)
        self.committee = charter["committee"]
        self.keys = {}
        for party in charter["parties"]:
            card, _, signatures = party["card"].rpartition("\n\n")
            fields = [line.split(" ", 1) for line in card.split("\n") if " " in line]
            name = dict(fields[:6])["name"]
            self.keys[name] = {v.split(" ")[0]: base64.b64decode(v.split(" ")[1]) for k, v in fields if k == "key"}
            raw = [base64.b64decode(line.split(" ")[2])[4:] for line in signatures.strip().split("\n")]
            for kind, key in self.keys[name].items():
                if kind != "seal":
                    assert any(signed(key, (card + "\n").encode(), s) for s in raw), f"{name}'s card is not signed by its {kind} key"

    def origin(self, party):
        return f"comity/{self.hash.hex()[:16]}/{party}"

    def needed(self, writer):
        m = len([p for p in self.committee if p != writer])
        return (m + (m - 1) // 3) // 2 + 1


class Note:
    """A checkpoint: text, then signature lines (C2SP signed-note, tlog-checkpoint, tlog-cosignature)."""

    def __init__(self, data):
        text, _, signatures = data.decode().rpartition("\n\n")
        self.text = (text + "\n").encode()
        self.origin, size, root = text.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root)
        self.signatures = []
        for line in signatures.strip().split("\n"):
            dash, name, raw = line.split(" ")
            assert dash == "\u2014"
            raw = base64.b64decode(raw, validate=True)
            self.signatures.append((name, raw[:4], raw[4:]))

    def log_signed(self, circle, party):
        key, name = circle.keys[party]["log"], circle.origin(party)
        key_id = sha(name.encode() + b"\n\x01" + key)[:4]
        return any(n == name and i == key_id and signed(key, self.text, s) for n, i, s in self.signatures)

    def cosigners(self, circle, writer):
        found = {}
        for party in circle.committee:
            key, name = circle.keys[party]["mirror"], circle.origin(party) + "/mirror"
            key_id = sha(name.encode() + b"\n\x04" + key)[:4]
            for n, i, s in self.signatures:
                if n == name and i == key_id and len(s) == 72 and party != writer:
                    when = struct.unpack(">Q", s[:8])[0]
                    if signed(key, b"cosignature/v1\ntime %d\n" % when + self.text, s[8:]):
                        found[party] = when
        return found


class Statement:
    def __init__(self, data):
        tag = cbor2.loads(data)
        assert tag.tag == 18 and len(tag.value) == 4
        self.protected, self.unprotected, self.payload, self.signature = tag.value
        self.header = cbor2.loads(self.protected)
        h = self.header
        self.issuer, self.subject = h[15][1], h[15][2]
        self.bare = cbor2.dumps(cbor2.CBORTag(18, [self.protected, {}, self.payload, self.signature]), canonical=True)

    def good(self, circle):
        h, key = self.header, circle.keys[self.issuer]["statement"]
        return (h[1] == -19 and h[4] == sha(key) and h[16] == "application/vnd.comity.statement+cose" and h[258] == -16 and
                h[-65801] == circle.hash and len(self.payload) == 32 and isinstance(h[15][6], int) and
                cbor2.dumps(h, canonical=True) == self.protected and
                signed(key, sig_structure(self.protected, self.payload), self.signature))


def sig_structure(protected, payload):
    return cbor2.dumps(["Signature1", protected, b"", payload])


def tile_path(index):
    out = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        out = "x%03d/" % (index % 1000) + out
    return out


def tiles(base, kind, count):
    for i in range((count + 255) // 256):
        width = min(256, count - i * 256)
        yield width, fetch(f"{base}/tile/{kind}/{tile_path(i)}" + (f".p/{width}" if width < 256 else ""))


def entries(base, size):
    found = []
    for width, data in tiles(base, "entries", size):
        at = 0
        for _ in range(width):
            n = struct.unpack(">H", data[at:at + 2])[0]
            found.append(data[at + 2:at + 2 + n])
            at += 2 + n
        assert at == len(data), "bytes follow the last entry of a bundle"
    return found


def command_log(base, bundle, party):
    circle = Circle(bundle)
    note = Note(fetch(base + "/checkpoint"))
    ok(note.origin == circle.origin(party), "the checkpoint's origin is the circle's hash and the party's name")
    ok(note.log_signed(circle, party), "the log's key has signed it")
    found = entries(base, note.size)
    hashes = [leaf(e) for e in found]
    ok(root_of(hashes) == note.root, f"the root of {note.size} entries, computed anew, is the signed one")
    good, level, nodes = True, 0, hashes
    while nodes:
        for i, (width, data) in enumerate(tiles(base, level, len(nodes))):
            good = good and data == b"".join(nodes[i * 256:i * 256 + width])
        nodes = [root_of(nodes[i:i + 256]) for i in range(0, len(nodes) // 256 * 256, 256)]
        level += 1
    ok(good, f"every hash tile of {level} level(s) is right")
    statements = [Statement(e) for e in found]
    ok(all(s.good(circle) and s.issuer == party and s.unprotected == {} for s in statements),
       "every entry is a statement of the party, deterministic and signed")
    ok(all(s.bare == e for s, e in zip(statements, found)), "an independent encoder gives the same bytes")
    documents = [s for s in statements if s.header[259] in ("application/csaf+json", "application/osv+json")]
    ok(bool(documents) and all(sha(fetch(f"{base.split('/mirror/')[0]}/documents/{s.payload.hex()}")) == s.payload for s in documents),
       f"{len(documents)} advisories are served under their hashes")
    cosigned = note.cosigners(circle, party)
    standing = note if len(cosigned) >= circle.needed(party) else Note(fetch(f"{base}/cosigned/{note.size}"))
    cosigned = standing.cosigners(circle, party)
    ok(len(cosigned) >= circle.needed(party), f"{len(cosigned)} mirrors have cosigned it, {circle.needed(party)} are needed")


def command_tlog(bundle, receipt, document):
    circle = Circle(bundle)
    lines = open(receipt, encoding="utf-8").read()
    head, _, note_text = lines.partition("\n\n")
    head = head.split("\n")
    ok(head[0] == "c2sp.org/tlog-proof@v1" and head[1].startswith("extra ") and head[2].startswith("index "), "a tlog-proof with its statement")
    entry = base64.b64decode(head[1][6:], validate=True)
    index, proof = int(head[2][6:]), [base64.b64decode(line, validate=True) for line in head[3:]]
    note, statement = Note(note_text.encode()), Statement(entry)
    ok(statement.good(circle), "the statement's signature")
    ok(statement.payload == sha(open(document, "rb").read()), "the document's hash")
    ok(note.origin == circle.origin(statement.issuer) and note.log_signed(circle, statement.issuer), "the log's signature")
    ok(root_from(proof, index, note.size, leaf(entry)) == note.root, f"the inclusion proof of entry {index} in {note.size}")
    count, needed = len(note.cosigners(circle, statement.issuer)), circle.needed(statement.issuer)
    ok(count >= needed, f"the quorum: {count} cosignatures, {needed} needed")


def command_cose(bundle, receipt, document):
    circle = Circle(bundle)
    statement = Statement(open(receipt, "rb").read())
    receipts = statement.unprotected[394]
    ok(statement.good(circle), "the transparent statement's signature")
    ok(statement.payload == sha(open(document, "rb").read()), "the document's hash")
    mirrors, roots = set(), set()
    for raw in receipts:
        tag = cbor2.loads(raw)
        protected, unprotected, payload, signature = tag.value
        header = cbor2.loads(protected)
        party = next(p for p in circle.committee if circle.origin(p) + "/mirror" == header[15][1])
        key = circle.keys[party]["mirror"]
        size, index, path = cbor2.loads(unprotected[396][-1][0])
        root = root_from(path, index, size, leaf(statement.bare))
        good = (tag.tag == 18 and payload is None and header[1] == -19 and header[395] == 1 and header[4] == sha(key) and
                header[-65803] == circle.origin(statement.issuer) and header[-65804] == size)
        if good and signed(key, sig_structure(protected, root), signature) and party != statement.issuer:
            mirrors.add(party)
            roots.add((size, root))
    ok(len(mirrors) == len(receipts), f"each of {len(receipts)} receipts is signed by another mirror over the root that its path gives")
    ok(len(roots) == 1, "... one root")
    ok(len(mirrors) >= circle.needed(statement.issuer), "... a quorum of them")


def command_missing(base):
    note = Note(fetch(base + "/checkpoint"))
    ids = [(leaf(e).hex(), Statement(e).subject) for e in entries(base, note.size)]
    for line in sys.stdin:
        if ids.count(tuple(line.split())) != 1:
            print(line.strip())


if __name__ == "__main__":
    {"log": command_log, "tlog": command_tlog, "cose": command_cose, "missing": command_missing}[sys.argv[1]](*sys.argv[2:])
    sys.exit(1 if failed else 0)
