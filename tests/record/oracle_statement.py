#!/usr/bin/python3
"""An independent reading of a statement: cbor2 and PyNaCl against our own encoder, signer and parser.

usage: oracle_statement.py STATEMENT PUBLIC_KEY   (files)
Prints what it read, one "name value" a line. Exit 0 it is good, 1 it is not, 77 a library is missing."""
import hashlib
import sys

try:
    import cbor2
    import nacl.exceptions
    import nacl.signing
except ImportError as missing:
    print(missing)
    sys.exit(77)


def need(condition, what):
    if not condition:
        print("wrong:", what)
        sys.exit(1)


def main():
    with open(sys.argv[1], "rb") as file:
        raw = file.read()
    with open(sys.argv[2], "rb") as file:
        key = file.read()
    cose = cbor2.loads(raw)
    need(isinstance(cose, cbor2.CBORTag) and cose.tag == 18, "tag")
    need(cbor2.dumps(cose, canonical=True) == raw, "the envelope is not canonical")
    protected, unprotected, payload, signature = cose.value
    need(unprotected == {}, "unprotected header")
    header = cbor2.loads(protected)
    # cbor2's canonical order is that of RFC 7049 (length first); bytewise order is the same for these keys.
    need(cbor2.dumps(header, canonical=True) == protected, "the header is not canonical")
    need(set(header) - {-65802} == {1, 4, 15, 16, 258, 259, -65801}, "labels")
    need(header[1] == -19 and header[258] == -16, "algorithms")
    need(header[4] == hashlib.sha256(key).digest(), "kid")
    need(header[16] == "application/vnd.comity.statement+cose", "typ")
    need(set(header[15]) == {1, 2, 6}, "claims")
    need(len(payload) == 32 and len(header[-65801]) == 32, "hashes")
    message = cbor2.dumps(["Signature1", protected, b"", payload])
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        need(False, "signature")
    print("id", hashlib.sha256(b"\0" + raw).hexdigest())
    print("iss", header[15][1])
    print("sub", header[15][2])
    print("iat", header[15][6])
    print("media", header[259])
    print("circle", header[-65801].hex())
    print("document", payload.hex())
    for answer in header.get(-65802, []):
        print("answers", answer.hex())


main()
