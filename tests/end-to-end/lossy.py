"""A bad network between two TCP ports: passes connections on, and does to each one thing by chance, from a seed.

lossy.py SEED COUNTS-FILE PORT:TARGET...

cut        both ends after a few bytes          truncate   the answer, with a clean end
delay      every piece waits                    duplicate  what the client sends goes to the server twice
corrupt    one bit of an answer or a request    pass       nothing
Writes how often each happened to COUNTS-FILE.
"""
import collections
import random
import socket
import sys
import threading
import time

FATES = ["pass"] * 8 + ["cut", "truncate", "delay", "duplicate", "corrupt", "corrupt"]
seed, counts_path = int(sys.argv[1]), sys.argv[2]
chance, lock, counts = random.Random(seed), threading.Lock(), collections.Counter()


def count(fate):
    with lock:
        counts[fate] += 1
        with open(counts_path, "w") as out:
            out.write("".join("%s %d\n" % pair for pair in sorted(counts.items())))


def close(*ends):
    for end in ends:
        for act in (lambda: end.shutdown(socket.SHUT_RDWR), end.close):
            try:
                act()
            except OSError:
                pass


def pump(source, sink, fate, limit, others, flip):
    """limit: bytes until it happens; others: sockets that hear the same; flip: (byte, bit)"""
    passed, happened = 0, False
    try:
        while data := source.recv(16384):
            if fate == "delay":
                time.sleep(0.05)
                happened = True
            if fate == "corrupt" and passed <= flip[0] < passed + len(data):
                data = bytearray(data)
                data[flip[0] - passed] ^= 1 << flip[1]
                happened = True
            if fate in ("cut", "truncate") and passed + len(data) > limit:
                sink.sendall(data[:limit - passed])
                count(fate)
                close(source, sink)
                return
            passed += len(data)
            sink.sendall(data)
            for other in others:
                other.sendall(data)
                happened = True
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        close(source, sink)
    if happened:
        count(fate)


def drain(end):
    try:
        while end.recv(65536):
            pass
    except OSError:
        pass


def serve(listener, target):
    while True:
        client, _ = listener.accept()
        with lock:
            fate, limit = chance.choice(FATES), chance.choice([1, 10, 100, 300, 1000, 5000, 40000])
            flip, upwards = (chance.choice([5, 50, 200, 350, 700, 3000]) + chance.randrange(50), chance.randrange(8)), chance.random() < 0.4
        try:
            peer = socket.create_connection(("127.0.0.1", target), 10)
            twin = [socket.create_connection(("127.0.0.1", target), 10)] if fate == "duplicate" else []
        except OSError:
            close(client)
            continue
        if fate == "pass":
            count(fate)
        up = fate if fate in ("delay", "duplicate") or (fate in ("cut", "corrupt") and upwards) else "pass"
        down = fate if fate in ("delay", "truncate") or (fate in ("cut", "corrupt") and not upwards) else "pass"
        for args in ((client, peer, up, limit, twin, flip), (peer, client, down, limit, [], flip)):
            threading.Thread(target=pump, args=args, daemon=True).start()
        for end in twin:
            threading.Thread(target=drain, args=(end,), daemon=True).start()


for pair in sys.argv[3:]:
    port, target = map(int, pair.split(":"))
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    threading.Thread(target=serve, args=(listener, target), daemon=True).start()
threading.Event().wait()
