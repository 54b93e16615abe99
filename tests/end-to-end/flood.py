"""Floods one node from addresses of its own (127.0.0.2 to 127.0.0.5) until a file appears: requests without end, statements that are none,
checkpoints of nobody, bodies that are announced and drip, answers that nobody reads, connections that say nothing.
Usage: flood.py PORT STOP-FILE PATH-TO-READ. Prints what it heard as {"STATUS": COUNT}, and whether refusals came with Retry-After."""
import collections, json, os, socket, sys, threading, time

port, stop, large = int(sys.argv[1]), sys.argv[2], sys.argv[3]
heard, lock, retry = collections.Counter(), threading.Lock(), [True]


def running():
    return not os.path.exists(stop)


def connect(n):
    s = socket.socket()
    s.settimeout(5)
    s.bind(("127.0.0.%d" % (2 + n % 4), 0))
    s.connect(("127.0.0.1", port))
    return s


def note(answer):
    status = answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"
    with lock:
        heard[status] += 1
        if status in ("429", "503") and b"Retry-After:" not in answer:
            retry[0] = False


def asks(n, request):
    """Requests one after the other on one connection, as fast as they are answered."""
    while running():
        try:
            with connect(n) as s:
                while running():
                    s.sendall(request)
                    answer = s.recv(65536)
                    note(answer)
                    if not answer:
                        break
        except OSError:
            note(b"")
            time.sleep(0.01)


def holds(n, first, rest):
    """Connections that begin, and then drip a byte at a time, or say nothing."""
    mine = []
    while running():
        try:
            if len(mine) < 40:
                s = connect(n)
                s.sendall(first)
                mine.append(s)
            elif rest:
                for s in list(mine):
                    s.sendall(rest)
        except OSError:
            mine = [s for s in mine if s is not None][1:]
        time.sleep(0.02)


get = b"GET /checkpoint HTTP/1.1\r\nHost: node\r\n\r\n"
post = lambda path, body: b"POST %s HTTP/1.1\r\nHost: node\r\nContent-Length: %d\r\n\r\n" % (path, len(body)) + body
note_text = b"old 0\n\ncomity/0000000000000000/nobody\n5\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 nobody " + b"A" * 92 + b"\n"
kinds = [
    (asks, get),
    (asks, post(b"/mirror/add-checkpoint", note_text)),
    (asks, post(b"/announce", b"x" * 60000)),
    (asks, b"PUT /documents/" + b"0" * 64 + b" HTTP/1.1\r\nHost: node\r\nContent-Length: 1000\r\n\r\n" + b"y" * 1000),
    (asks, b"POST /mirror/add-entries HTTP/1.1\r\nHost: node\r\nContent-Length: 37748736\r\nExpect: 100-continue\r\n\r\n"),
    (holds, b"POST /mirror/add-entries HTTP/1.1\r\nHost: node\r\nContent-Length: 37748736\r\n\r\n", b"z"),
    (holds, b"GET " + large.encode() + b" HTTP/1.1\r\nHost: node\r\n\r\n", b""),
    (holds, b"", b""),
]
threads = []
for n in range(4):
    for kind in kinds:
        arguments = (n,) + kind[1:]
        threads.append(threading.Thread(target=kind[0], args=arguments, daemon=True))
for thread in threads:
    thread.start()
print("ready", flush=True)
while running():
    time.sleep(0.05)
for thread in threads:
    thread.join(10)
print(json.dumps({"heard": heard, "retry": retry[0]}))
