"""A peer that behaves badly: PORT MODE, where MODE is silent (takes and never answers), endless (a body without end), garbage
(bytes that are no HTTP), errors (500 to everything) or slow (an answer byte by byte)."""
import socket
import sys
import threading
import time

mode = sys.argv[2]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(64)
print("ready", flush=True)


def serve(peer):
    try:
        peer.recv(65536)
        if mode == "silent":
            time.sleep(60)
        elif mode == "garbage":
            peer.sendall(b"\x00\xff no HTTP at all\r\n\r\n" * 10)
        elif mode == "errors":
            peer.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        elif mode == "endless":
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            while True:
                peer.sendall(b"x" * 65536)
        elif mode == "slow":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"y" * 1000:
                peer.sendall(bytes([byte]))
                time.sleep(0.2)
    except OSError:
        pass
    finally:
        peer.close()


while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
