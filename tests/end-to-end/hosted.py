"""An organisation's client that shares no code with Comity: RFC 9421 with PyNaCl and nothing else.
Usage: hosted.py KEY-FILE URL OWN-PATH FILE OTHER-PATH   prints TAP lines."""
import base64
import hashlib
import http.client
import sys
import time
from urllib.parse import urlsplit

from nacl.signing import SigningKey

key_file, url, path, file, other = sys.argv[1:]
typed = base64.b64decode(open(key_file).read().strip().split("+", 4)[4])
assert len(typed) == 33 and typed[0] == 1
key = SigningKey(typed[1:])
kid = base64.b64encode(hashlib.sha256(bytes(key.verify_key)).digest()).decode()
where = urlsplit(url)
body = open(file, "rb").read() + b"\n"  # within one second the same bytes again would be a replay
failures = 0


def request(what, wanted, method="PUT", path=path, body=body, created=None, signed=None, host=where.netloc, signer=key):
    """`signed`: fields that are signed instead of what is sent."""
    global failures
    created = int(time.time()) if created is None else created
    says = {"method": method, "authority": where.netloc, "path": path, "body": body, **(signed or {})}
    has_body = body is not None
    fields = '"@method" "@authority" "@path"' + (' "content-digest"' if has_body else "")
    params = f'({fields});created={created};keyid="{kid}";alg="ed25519"'
    base = f'"@method": {says["method"]}\n"@authority": {says["authority"]}\n"@path": {says["path"]}\n'
    headers = {"Host": host, "Signature-Input": f"comity={params}"}
    if has_body:
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(says["body"]).digest()).decode() + ":"
        base += f'"content-digest": {digest}\n'
        headers["Content-Digest"] = digest
    base += f'"@signature-params": {params}'
    headers["Signature"] = "comity=:" + base64.b64encode(signer.sign(base.encode()).signature).decode() + ":"
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    good = answer.status == wanted
    failures += not good
    print(f"{'ok' if good else 'not ok'} - {what}: {wanted}" + ("" if good else f" # got {answer.status} {text[:200]}"))
    return text


now = int(time.time())
request("an upload signed by another implementation", 201, created=now)
request("... once more, as it was: a replay", 409, created=now)
request("... an older one", 409, created=now - 60)
request("... another body than was signed", 401, created=now + 1, signed={"body": body + b" "})
request("... another path", 401, created=now + 1, signed={"path": path + "x"})
request("... another method", 401, created=now + 1, signed={"method": "POST"})
request("... for another host", 401, created=now + 1, host="elsewhere.example")
request("... signed an hour ago", 401, created=now - 3600)
request("... of tomorrow", 401, created=now + 86400)
request("... by another key under this key's name", 401, created=now + 1, signer=SigningKey.generate())
request("... to another organisation's place", 401, path=other, created=now + 1)
request("reading the accesses", 200, method="GET", path=path.rsplit("/", 1)[0] + "/accesses", body=None)
request("... of another organisation", 401, method="GET", path=other.rsplit("/", 1)[0] + "/accesses", body=None)
request("... of one that is not hosted: the same answer", 401, method="GET", path="/hosted/nobody.example/accesses", body=None)
request("... with no such view", 404, method="GET", path=path.rsplit("/", 1)[0] + "/components", body=None)
sys.exit(failures > 0)
