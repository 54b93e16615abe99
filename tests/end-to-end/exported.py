"""An export, audited with none of Comity's code: hashlib, cbor2 and nacl.

exported.py FOLDER    prints TAP
"""
import base64
import hashlib
import json
import pathlib
import sys

import oracle
from oracle import Circle, Note, Statement, leaf, ok, root_from, root_of, sha, tile_path

folder = pathlib.Path(sys.argv[1])


def audit_sums():
    named = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        named[line[66:]] = line[:64]
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    ok(there == set(named), f"SHA256SUMS names each of the {len(there)} files, and no other")
    ok(all(hashlib.sha256((folder / n).read_bytes()).hexdigest() == h for n, h in named.items()), "every hash is right")


def entries_of(log, size):
    found = []
    for i in range((size + 255) // 256):
        width = min(256, size - i * 256)
        data = (log / "tile/entries" / (tile_path(i) + (f".p/{width}" if width < 256 else ""))).read_bytes()
        at = 0
        for _ in range(width):
            n = int.from_bytes(data[at:at + 2], "big")
            found.append(data[at + 2:at + 2 + n])
            at += 2 + n
        assert at == len(data)
    return found


def audit_log(circle, log, lines):
    party = log.name
    note = Note((log / "checkpoint").read_bytes())
    found = entries_of(log, note.size)
    hashes = [leaf(e) for e in found]
    good = note.origin == circle.origin(party) and note.log_signed(circle, party) and root_of(hashes) == note.root
    ok(good, f"{party}: the signed root is that of its {note.size} entries")
    level, nodes, good = 0, hashes, True
    while nodes:
        for i in range((len(nodes) + 255) // 256):
            width = min(256, len(nodes) - i * 256)
            data = (log / f"tile/{level}" / (tile_path(i) + (f".p/{width}" if width < 256 else ""))).read_bytes()
            good = good and data == b"".join(nodes[i * 256:i * 256 + width])
        nodes = [root_of(nodes[i:i + 256]) for i in range(0, len(nodes) // 256 * 256, 256)]
        level += 1
    ok(good, f"{party}: its hash tiles are right")
    statements = [Statement(e) for e in found]
    ok(all(s.good(circle) and s.issuer == party for s in statements), f"{party}: every entry is its statement, signed")
    cosigned = [Note(p.read_bytes()) for p in (log / "cosigned").iterdir()] if (log / "cosigned").is_dir() else []
    ok(bool(cosigned) and all(n.log_signed(circle, party) and n.root == root_of(hashes[:n.size]) for n in cosigned if n.size <= note.size),
       f"{party}: {len(cosigned)} checkpoints that were cosigned are of the same tree")
    ok(any(len(n.cosigners(circle, party)) >= circle.needed(party) for n in cosigned), f"{party}: a quorum has cosigned one of them")
    listed = {(line["index"], line["statement"], line["document"]) for line in lines if line["log"] == party and line["index"] < note.size}
    ok(listed == {(i, h.hex(), s.payload.hex()) for i, (h, s) in enumerate(zip(hashes, statements))}, f"{party}: documents.jsonl has a line for each")
    return {h: (i, e, s) for i, (h, e, s) in enumerate(zip(hashes, found, statements))}


def audit_documents(lines):
    held = [line for line in lines if line["held"]]
    good = True
    for line in held:
        data = (folder / "documents" / line["document"][:2] / line["document"]).read_bytes()
        good = good and sha(data).hex() == line["document"] and len(data) == line["size"] and line["label"] in ("open", "members", "closed", "sealed")
    there = {p.name for p in (folder / "documents").rglob("*") if p.is_file()}
    ok(bool(held) and good and there == {line["document"] for line in held}, f"{len(there)} documents hash to their names, and each has a label")


def audit_receipts(circle, party, own):
    proofs = list((folder / "receipts").glob("*.tlog-proof"))
    good = bool(proofs)
    for path in proofs:
        head, _, text = path.read_text().partition("\n\n")
        head = head.split("\n")
        entry = base64.b64decode(head[1][6:], validate=True)
        index, proof, note = int(head[2][6:]), [base64.b64decode(x, validate=True) for x in head[3:]], Note(text.encode())
        good = good and leaf(entry).hex() == path.stem and own[leaf(entry)][:2] == (index, entry)
        good = good and note.log_signed(circle, party) and root_from(proof, index, note.size, leaf(entry)) == note.root
        good = good and len(note.cosigners(circle, party)) >= circle.needed(party)
    ok(good, f"{len(proofs)} receipts prove the party's own statements, with a quorum")
    ok(len(proofs) == len(own), "... which is all of them")
    cose = {p.stem for p in (folder / "receipts").glob("*.cose")}
    ok(cose == {p.stem for p in proofs}, "... in both forms")


def audit_journal():
    rows = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    ok([r["seq"] for r in rows] == sorted({r["seq"] for r in rows}), f"{len(rows)} lines of the journal, in order")
    held = [json.loads(line) for line in (folder / "inventories.jsonl").read_text().splitlines()]
    ok(all(hashlib.sha256((folder / h["file"]).read_bytes()).hexdigest() == h["hash"] for h in held), "inventories are what they are listed as")
    files = {r["file"] for r in rows if r["kind"] == "inventory"} | {h["file"] for h in held}
    ok(files == {f"inventories/{p.name}" for p in (folder / "inventories").iterdir()}, "each inventory is a file")
    ok({"uploaded", "notice"} <= {r["kind"] for r in rows}, "inventories and notices are among them")


audit_sums()
facts = json.loads((folder / "export.json").read_text())
circle = Circle(folder / "circle.bundle")
ok(facts["circle"] == circle.hash.hex(), "the export is of the bundle's circle")
lines = [json.loads(line) for line in (folder / "documents.jsonl").read_text().splitlines()]
logs = {log.name: audit_log(circle, log, lines) for log in sorted((folder / "logs").iterdir())}
audit_documents(lines)
audit_receipts(circle, facts["party"], logs[facts["party"]])
audit_journal()
sys.exit(oracle.failed)
