"""Raw requests to a node, byte by byte as they stand here, and the status that each must have.
Usage: gate.py PORT [UNIX-SOCKET]. Prints TAP."""
import json, socket, sys, time

port, path = int(sys.argv[1]), sys.argv[2]
failures = 0


def connect(local=False, source=None):
    s = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
    s.settimeout(10)
    if source:
        s.bind((source, 0))
    s.connect(path if local else ("127.0.0.1", port))
    return s


def answer(s):
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    except (ConnectionResetError, BrokenPipeError):
        pass
    return got


def ask(raw, local=False):
    with connect(local) as s:
        try:
            s.sendall(raw)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass
        return answer(s)


def status(got):
    return got.split(b" ")[1].decode() if got.startswith(b"HTTP/1.") and b" " in got else "closed"


def report(good, what, got):
    global failures
    failures += not good
    print(("ok - " if good else "not ok - ") + what)
    if not good:
        print("# got:", got[:300])


def row(wanted, what, raw, local=False):
    got = ask(raw, local)
    report(status(got) in wanted.split("|"), "%s: %s" % (what, wanted), got)
    return got


H = b"Host: node\r\nConnection: close\r\n"
chunk = b"3\r\nabc\r\n0\r\n\r\n"
for wanted, what, raw in [
    ("200", "a plain request", b"GET /checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("200", "HTTP/1.0 without Host", b"GET /checkpoint HTTP/1.0\r\n\r\n"),
    ("400", "no Host", b"GET /checkpoint HTTP/1.1\r\nConnection: close\r\n\r\n"),
    ("400", "Host twice", b"GET /checkpoint HTTP/1.1\r\nHost: a\r\n" + H + b"\r\n"),
    ("400", "two lengths", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    ("400", "the same length twice", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ("400", "both framings", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk),
    ("400", "both framings, the other way round", b"POST /announce HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunk),
    ("400|501", "another transfer coding", b"POST /announce HTTP/1.1\r\n" + H + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk),
    ("400", "chunks under HTTP/1.0", b"POST /announce HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + chunk),
    ("400", "a broken chunk", b"POST /announce HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
    ("400", "a negative length", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: -1\r\n\r\n"),
    ("400", "a length that is no number", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 3x\r\n\r\nabc"),
    ("400|413", "a length beyond 64 bits", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 99999999999999999999\r\n\r\nabc"),
    ("400", "GET with a body", b"GET /checkpoint HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nabc"),
    ("400", "GET with chunks", b"GET /checkpoint HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + chunk),
    ("405", "an unknown method", b"BREW /checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("405", "CONNECT", b"CONNECT node:80 HTTP/1.1\r\n" + H + b"\r\n"),
    ("405", "TRACE", b"TRACE /checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("405", "DELETE with a body", b"DELETE /checkpoint HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nabc"),
    ("400", "absolute form", b"GET http://node/checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("400|405", "asterisk form", b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "no slash", b"GET checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "an escape in the path", b"GET /%63heckpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "an escaped NUL", b"GET /checkpoint%00 HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "dots", b"GET /tile/../checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "an empty segment", b"GET //checkpoint HTTP/1.1\r\n" + H + b"\r\n"),
    ("400", "a fragment", b"GET /checkpoint#x HTTP/1.1\r\n" + H + b"\r\n"),
    ("400|closed", "a NUL in the target", b"GET /checkpoint\0x HTTP/1.1\r\n" + H + b"\r\n"),
    ("400|closed", "a NUL in a header", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X: a\0b\r\n\r\n"),
    ("400|closed", "a NUL in a header's name", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X\0Y: a\r\n\r\n"),
    ("400|505", "another version", b"GET /checkpoint HTTP/3.7\r\n" + H + b"\r\n"),
    ("400|505|closed", "no version", b"GET /checkpoint\r\n\r\n"),
    ("400|closed", "a header without a colon", b"GET /checkpoint HTTP/1.1\r\n" + H + b"nonsense\r\n\r\n"),
    ("400|closed", "a space before the colon", b"GET /checkpoint HTTP/1.1\r\nHost : node\r\nConnection: close\r\n\r\n"),
    ("400|closed", "a folded header", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X: a\r\n b\r\n\r\n"),
    ("400|closed", "lines that end in LF alone", b"GET /checkpoint HTTP/1.1\nHost: node\nConnection: close\n\n"),
    ("400", "a header without a value", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X: \r\n\r\n"),
    ("400", "spaces around a value", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X:   y  \r\n\r\n"),
    ("414", "a target of 5,000 bytes", b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + H + b"\r\n"),
    ("414", "a target of 60,000 bytes", b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n" + H + b"\r\n"),
    ("431", "65 headers", b"GET /checkpoint HTTP/1.1\r\n" + H + b"".join(b"X-%d: y\r\n" % n for n in range(63)) + b"\r\n"),
    ("431", "a header of 9,000 bytes", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X: " + b"a" * 9000 + b"\r\n\r\n"),
    ("431", "headers of 60,000 bytes", b"GET /checkpoint HTTP/1.1\r\n" + H + b"X: " + b"a" * 60000 + b"\r\n\r\n"),
    ("413", "an announcement of 70,000 bytes", b"POST /announce HTTP/1.1\r\n" + H + b"Content-Length: 70000\r\n\r\n" + b"a" * 70000),
    ("413", "... in chunks", b"POST /announce HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"a" * 0x8000 + b"\r\n") * 3 + b"0\r\n\r\n"),
    ("413", "a checkpoint of 100,000 bytes", b"POST /mirror/add-checkpoint HTTP/1.1\r\n" + H + b"Content-Length: 100000\r\n\r\n"),
    ("413", "a document of 34 MB", b"PUT /documents/" + b"0" * 64 + b" HTTP/1.1\r\n" + H + b"Content-Length: 34000000\r\n\r\n"),
    ("closed", "chunks without end", b"POST /announce HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"a" * 0x8000 + b"\r\n") * 40),
]:
    row(wanted, what, raw)

A = b"Host: node\r\nConnection: close\r\n"
for wanted, identity, what, target, more in [
    ("200", None, "a plain request", b"GET /api/v1/status", b""),
    ("400", "usage", "an unknown parameter", b"GET /api/v1/status?x=1", b""),
    ("400", "usage", "another route's parameter", b"GET /api/v1/notices?form=cose", b""),
    ("400", "duplicate", "a parameter twice", b"GET /api/v1/notices?after=1&after=2", b""),
    ("400", "usage", "a parameter without a value", b"GET /api/v1/notices?after", b""),
    ("400", "bad-syntax", "an escaped NUL", b"GET /api/v1/notices?after=%00", b""),
    ("404", "not-found", "an unknown route", b"GET /api/v1/nothing", b""),
    ("413", "over-limit", "a body that this route does not take", b"POST /api/v1/rebuild", b"Content-Length: 3\r\n"),
    ("413", "over-limit", "a document over the limit", b"POST /api/v1/publish", b"Content-Length: 33554433\r\n"),
    ("400", "bad-syntax", "GET with a body", b"GET /api/v1/status", b"Content-Length: 3\r\n"),
]:
    body = b"abc" if b"3\r\n" == more[-3:] else b""
    if b"33554433" in more:
        body = b"a" * 33554433
    got = row(wanted, "private API, " + what, target + b" HTTP/1.1\r\n" + A + more + b"\r\n" + body, True)
    if identity:
        try:
            error = json.loads(got.split(b"\r\n\r\n", 1)[1])["error"]
            good = error["id"] == identity and error["code"] < 0 and error["rule"] and error["remedy"]
        except (ValueError, KeyError, IndexError):
            good = False
        report(good, "... its error is %s, with code, rule and remedy" % identity, got)

# Bodies that are announced and never come are counted: 36 MiB each. One address holds two of them, all strangers together no more; whoever
# asks from where our own peers answer (this address, for the mirrors are here) still finds room.
held = []
head = b"POST /mirror/add-entries HTTP/1.1\r\n" + H + b"Content-Length: 37748736\r\n"


def announced(source):
    """The status of a body that is announced, waiting for leave to come; its connection is kept while it has leave."""
    s = connect(source=source)
    s.sendall(head + b"Expect: 100-continue\r\n\r\n")
    got = s.recv(1000)
    if status(got) == "100":
        held.append(s)
    else:
        s.close()
    return got


def until(wanted, what, source):
    deadline = time.time() + 15
    while True:
        got = announced(source)
        if status(got) == wanted or time.time() > deadline:
            break
    report(status(got) == wanted and (wanted != "503" or b"Retry-After:" in got), what, got)


for n in range(2):
    until("100", "body %d of one address is let in" % (n + 1), "127.0.0.2")
until("503", "a third one is not: 503, Retry-After", "127.0.0.2")
until("503", "nor one of another stranger's, for together they would hold too much", "127.0.0.3")
until("100", "where a peer of ours answers there is still room", "127.0.0.1")
row("200", "a request without a body is still served", b"GET /checkpoint HTTP/1.1\r\n" + H + b"\r\n")
for s in held:
    s.close()
until("100", "when they are gone it is let in", "127.0.0.3")
sys.exit(failures > 0)
