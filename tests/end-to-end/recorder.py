"""Passes TCP connections on and writes down all bytes of both directions. Usage: recorder.py PORT TARGET-PORT FILE"""
import socket
import sys
import threading

port, target, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
out = open(path, "ab", buffering=0)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            out.write(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", port))
while True:
    client, _ = server.accept()
    try:
        peer = socket.create_connection(("127.0.0.1", target))
    except OSError:
        client.close()
        continue
    for pair in ((client, peer), (peer, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
