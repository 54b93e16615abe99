"""Members' requests, composed anew from RFC 9421 with none of Comity's code, with the real key of a party of the circle.

member.py FOLDER PASSPHRASE-FILE URL PATH OTHER-URL    FOLDER is the asking party's; PATH a document for members only. Prints TAP.
"""
import base64
import hashlib
import subprocess
import sys
import time

import nacl.bindings
import nacl.pwhash
import nacl.signing

failed = False


def ok(good, what):
    global failed
    print(("ok - " if good else "not ok - ") + what)
    failed = failed or not good


def seed_of(folder, passphrase, role="statement"):
    """keys/ROLE.key: magic, passes, KiB, salt, nonce, sealed seed (docs/formats.md)."""
    f = open(f"{folder}/keys/{role}.key", "rb").read()
    passes, kib = int.from_bytes(f[16:20], "big"), int.from_bytes(f[20:24], "big")
    wrap = nacl.pwhash.argon2id.kdf(32, passphrase, f[24:40], opslimit=passes, memlimit=kib * 1024)
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(f[64:], role.encode(), f[40:64], wrap)


def base64_of(data):
    return base64.b64encode(data).decode()


def ask(seed, url, path, age=0, host=None, send_path=None, method="GET", send_method="GET", change=lambda headers: headers):
    key = nacl.signing.SigningKey(seed)
    params = '("@method" "@authority" "@path");created=%d;keyid="%s";alg="ed25519"' % (
        int(time.time()) - age, base64_of(hashlib.sha256(bytes(key.verify_key)).digest()))
    base = '"@method": %s\n"@authority": %s\n"@path": %s\n"@signature-params": %s' % (method, host or url.split("/")[2], path, params)
    headers = ["Signature-Input: comity=" + params, "Signature: comity=:%s:" % base64_of(key.sign(base.encode()).signature)]
    command = ["curl", "-s", "-w", "\n%{http_code} %header{cache-control}", "--max-time", "10"]
    command += ["-I"] if send_method == "HEAD" else []
    for header in change(headers):
        command += ["-H", header]
    said = subprocess.run(command + [url + (send_path or path)], stdout=subprocess.PIPE, check=True).stdout
    body, _, last = said.rpartition(b"\n")
    status, _, cache = last.decode().partition(" ")
    return int(status), cache, body


def main(folder, passphrase_file, url, path, other):
    passphrase = open(passphrase_file, "rb").read().rstrip(b"\r\n")
    seed = seed_of(folder, passphrase)
    status, cache, body = ask(seed, url, path)
    ok(status == 200 and "/documents/" + hashlib.sha256(body).hexdigest() == path, "a party's own signature opens the document")
    ok(cache == "no-store", "... which no cache keeps")
    ok(ask(seed, url, path, change=lambda h: h + ["Range: bytes=0-9"])[0] == 206, "... and a part of it")
    ok(ask(seed, url, path, change=lambda h: [h[0].replace("Signature-Input", "SIGNATURE-INPUT"),
                                                h[1].replace("Signature:", "signature:")])[0] == 200, "names of headers in any case")
    other_path = "/documents/" + "0" * 64
    refused = [
        ("a key outside the circle", dict(seed=b"s" * 32)),
        ("the party's log key", dict(seed=seed_of(folder, passphrase, "log"))),
        ("its mirror key", dict(seed=seed_of(folder, passphrase, "mirror"))),
        ("six minutes old", dict(age=360)),
        ("of six minutes from now", dict(age=-360)),
        ("signed for another party", dict(host=other.split("/")[2])),
        ("asked under another name than the party's", dict(host="localhost:1", change=lambda h: h + ["Host: localhost:1"])),
        ("signed for another document", dict(path=other_path, send_path=path)),
        ("signed as PUT", dict(method="PUT")),
        ("sent as HEAD", dict(send_method="HEAD")),
        ("signed as HEAD and sent so", dict(method="HEAD", send_method="HEAD")),
        ("without its signature", dict(change=lambda h: h[:1])),
        ("without its input", dict(change=lambda h: h[1:])),
        ("with both headers twice", dict(change=lambda h: h + h)),
        ("with a second signature", dict(change=lambda h: h + [h[1]])),
        ("with another label", dict(change=lambda h: [x.replace("comity=", "sig1=") for x in h])),
        ("with one more parameter", dict(change=lambda h: [h[0] + ';nonce="a"', h[1]])),
        ("with a later instant", dict(change=lambda h: [h[0].replace("created=", "created=1"), h[1]])),
        ("with a signature of zeroes", dict(change=lambda h: [h[0], "Signature: comity=:%s:" % base64_of(bytes(64))])),
    ]
    for what, how in refused:
        arguments = dict(seed=seed, url=url, path=path)
        arguments.update(how)
        status = ask(**arguments)[0]
        ok(status == 403, f"refused: {what}" + ("" if status == 403 else f": {status}"))
    ok(ask(seed, url, "/checkpoint")[0] == 200, "a signature where none is asked for does no harm")


main(*sys.argv[1:6])
sys.exit(failed)
