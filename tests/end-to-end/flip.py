"""One wrong bit in a stopped node's folder, in every class of page and file: which class is flipped where, and what must come of it.

flip.py classes FOLDER                 lists the classes that this folder has, one a line: NAME TAB EXPECTED-PLACE TAB OUTCOME
flip.py flip FOLDER NAME SEED          flips one bit of that class; prints file, byte and bit
flip.py dump FOLDER                    the database's content, row by row, without what may differ after a repair
Only the standard library; pages are found by SQLite's own dbstat.
"""
import glob
import os
import random
import sqlite3
import sys

PAGE = 4096
TABLES = {  # repaired: had from peers or made anew; private: what only this node had is lost, and said to be
    "log": "repaired", "entry": "repaired", "id_index": "repaired", "tile": "repaired", "note": "repaired",
    "cosignature": "private", "document": "repaired", "journal": "private", "state": "private", "d_view": "repaired",
    "kept": "private", "sqlite_autoindex_kept_1": "repaired",
    "sqlite_autoindex_log_1": "repaired", "sqlite_autoindex_document_1": "repaired",
    "sqlite_autoindex_journal_1": "repaired", "sqlite_sequence": "repaired", "sqlite_schema": "repaired",
}


def pages(folder):
    """{(object, pagetype): [page numbers]}, from a copy, so that the folder stays as it is."""
    found = {}
    db = sqlite3.connect("file:%s/state.db?immutable=1" % folder, uri=True)
    for name, page, kind in db.execute("SELECT name, pageno, pagetype FROM dbstat"):
        found.setdefault((name, kind), []).append(page)
    db.close()
    return found


def varint(data, at):
    value = 0
    for i in range(9):
        byte = data[at + i]
        value = value << 8 | byte if i == 8 else value << 7 | (byte & 127)
        if byte < 128 or i == 8:
            return value, at + i + 1


def cells(page, number):
    """(start, end) of each cell's own bytes on a b-tree page."""
    base = 100 if number == 1 else 0
    kind = page[base]
    count = int.from_bytes(page[base + 3:base + 5], "big")
    first = base + (12 if kind in (2, 5) else 8)
    out = []
    for i in range(count):
        at = int.from_bytes(page[first + 2 * i:first + 2 * i + 2], "big")
        end = at + (4 if kind in (2, 5) else 0)
        payload, end = varint(page, end)
        if kind in (5,):  # a table's inner page: child and key only
            out.append((at, end))
            continue
        if kind == 13:
            end = varint(page, end)[1]
        limit = PAGE - 35 if kind == 13 else (PAGE - 12) * 64 // 255 - 23
        if payload > limit:  # the rest is on overflow pages
            least = (PAGE - 12) * 32 // 255 - 23
            kept = least + (payload - least) % (PAGE - 4)
            payload = (kept if kept <= limit else least) + 4
        out.append((at, end + payload))
    return out


def btree_spots(name, kind):
    return ["%s/%s/%s" % (name, kind, spot) for spot in ("head", "pointers", "cell")] if kind != "overflow" else [
        "%s/%s/cell" % (name, kind)]


def classes(folder):
    rows = []
    for (name, kind) in sorted(pages(folder)):
        outcome = TABLES[name]
        for spot in btree_spots(name, kind):
            rows.append((spot, r"state\.db", outcome))
    rows += [("header/" + part, r"state\.db", "repaired") for part in
             ("magic", "pagesize", "version", "fraction", "counter", "pages", "freelist", "format", "encoding", "schema")]
    if int.from_bytes(open(folder + "/state.db", "rb").read(40)[36:], "big"):
        rows.append(("freelist/trunk", r"state\.db", "repaired"))
    if os.path.exists(folder + "/state.db-wal"):
        rows += [("wal/" + part, r"state\.db-wal", "repaired") for part in ("header", "frame", "page", "last")]
    for blob in sorted(glob.glob(folder + "/blobs/*/*"))[:1]:
        rows.append(("blob", r"blobs/", "repaired"))
    rows += [("signer/header", r"signer\.state: header", "repaired"), ("signer/old", r"signer\.state: record", "repaired"),
             ("signer/new", r"signer\.state: record", "repaired")]
    rows += [("key/" + os.path.basename(k)[:-4], r"keys/%s" % os.path.basename(k), "unrepairable")
             for k in sorted(glob.glob(folder + "/keys/*.key"))]
    rows += [("conf/key", r"comity\.conf", "repaired"), ("conf/value", r"comity\.conf", "left"),
             ("charter", r"charter/charter\.json", "repaired"), ("card", r"card\.note", "repaired")]
    return rows


def spot_of(folder, name, rng):
    """(file, first byte, behind the last byte, bits or None)"""
    db, part = folder + "/state.db", name.split("/")
    headers = {"magic": (0, 16), "pagesize": (16, 18), "version": (18, 20), "fraction": (21, 24), "counter": (24, 28),
               "pages": (28, 32), "freelist": (32, 40), "format": (44, 48), "encoding": (56, 60), "schema": (60, 64)}
    if part[0] == "header":
        return (db,) + headers[part[1]]
    if name == "freelist/trunk":
        trunk = int.from_bytes(open(db, "rb").read(36)[32:], "big")
        return db, (trunk - 1) * PAGE, (trunk - 1) * PAGE + 12
    if part[0] == "wal":
        wal = folder + "/state.db-wal"
        salt = open(wal, "rb").read(32)[16:24]
        data = open(wal, "rb").read()
        frames = 0
        while data[32 + frames * 4120 + 8:32 + frames * 4120 + 16] == salt:
            frames += 1
        frame = frames - 1 if part[1] == "last" else rng.randrange(frames - 1)
        start = 32 + frame * 4120
        return {"header": (wal, 0, 32), "frame": (wal, start, start + 24), "page": (wal, start + 24, start + 4120),
                "last": (wal, start, start + 4120)}[part[1]]
    if name == "blob":
        blob = sorted(glob.glob(folder + "/blobs/*/*"))[0]
        return blob, 0, os.path.getsize(blob)
    if part[0] == "signer":
        state = folder + "/signer.state"
        data = open(state, "rb").read()
        order = [int.from_bytes(data[4096 * s:4096 * s + 8], "little") for s in (1, 2)]
        newest = 1 + (order[1] > order[0])
        slot = {"header": 0, "new": newest, "old": 3 - newest}[part[1]]
        return state, 4096 * slot, 4096 * slot + (144 if slot == 0 else 200)
    if part[0] == "key":
        return folder + "/keys/%s.key" % part[1], 0, 112
    if part[0] == "conf":
        text = open(folder + "/comity.conf", "rb").read()
        at = text.index(b"listen")
        return (folder + "/comity.conf",) + ((at, at + 6) if part[1] == "key" else (text.index(b"\n", at) - 1, text.index(b"\n", at), [0]))
    if name in ("charter", "card"):
        path = folder + {"charter": "/charter/charter.json", "card": "/card.note"}[name]
        return path, 0, os.path.getsize(path)
    number = rng.choice(pages(folder)[(part[0], part[1])])
    page = open(db, "rb").read()[(number - 1) * PAGE:number * PAGE]
    start, base = (number - 1) * PAGE, 100 if number == 1 else 0
    if part[1] == "overflow":
        return db, start, start + 200
    inner = page[base] in (2, 5)
    count = int.from_bytes(page[base + 3:base + 5], "big")
    if part[2] == "head" or not count:  # an inner page may have its right child only
        return db, start + base, start + base + 1
    if part[2] == "pointers":
        return db, start + base + (12 if inner else 8), start + base + (12 if inner else 8) + 2 * count
    first, end = rng.choice(cells(page, number))
    return db, start + first, start + end


def flip(folder, name, seed):
    rng = random.Random("%s %s" % (name, seed))
    path, first, end, *bits = spot_of(folder, name, rng)
    at, bit = rng.randrange(first, end), rng.choice(bits[0] if bits else range(8))
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1 << bit]))
    print(os.path.relpath(path, folder), at, bit)


def dump(folder):
    db = sqlite3.connect("file:%s/state.db" % folder, uri=True)
    db.text_factory = bytes
    seen = set()
    last = {(log, kind): size for log, kind, size in db.execute("SELECT log, kind, max(size) FROM note GROUP BY log, kind")}
    for table, what, order in [
            ("log", "id, origin", "1"), ("entry", "key, bytes", "1"), ("id_index", "hash, key", "1"),
            ("tile", "log, level, n, hashes", "1, 2, 3"),
            # A checkpoint is its text; who cosigned stands in the other table. Of pending and mirrored ones only the last counts.
            ("note", "log, kind, size, substr(text, 1, instr(text, x'0a0a'))", "1, kind % 3, 3"),
            ("cosignature", "log, size, root, kid, at, signature", "1, 2, 3, 4"), ("document", "hash, label, size", "1"),
            ("journal", "seq, at, kind, key, body", "1"), ("state", "key, value", "1"), ("d_view", "view, key, value", "1, 2"),
            ("(SELECT * FROM kept WHERE CAST(space AS TEXT) IN ('file', 'inventory'))", "space, key, size, value", "1, 2")]:
        for row in db.execute("SELECT %s FROM %s ORDER BY %s" % (what, table, order)):
            if table == "state" and (row[0] == b"restored" or row[0].startswith(b"quota/")):
                continue  # the counts of a day, which begin anew where they were damaged
            if table == "note":
                if row[1] in (1, 2) and row[2] != last[(row[0], row[1])]:
                    continue
                row = (row[0], row[1] % 3) + row[2:]  # heard beside cosignatures, or signed: the same text
                if row in seen:
                    continue
                seen.add(row)
            print(table, *[v.hex() if isinstance(v, bytes) else v for v in row])


if __name__ == "__main__":
    if sys.argv[1] == "classes":
        for row in classes(sys.argv[2]):
            print("\t".join(row))
    elif sys.argv[1] == "flip":
        flip(sys.argv[2], sys.argv[3], sys.argv[4])
    else:
        dump(sys.argv[2])
